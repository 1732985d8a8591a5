import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runWords, type Surroundings } from '../support/servers/command-line.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { startServer } from '../support/servers/start-server.ts';

const TLS = '../support/servers/docker-tls';

/** What `kv get a` asks for with these flags and variables. */
async function asked(flags: readonly string[], env: Surroundings['env'] = {}) {
  const seen: IncomingMessage[] = [];
  const { host } = await serveHttp((request, response) => {
    seen.push(request);
    response.end('[]');
  });
  const at = { CONSUL_HTTP_ADDR: host, ...env };
  await runWords(['kv', 'get', ...flags, '-recurse', 'a'], { env: at });
  const [request] = seen;
  assert.ok(request !== undefined, 'nothing was asked');
  return { url: request.url, headers: request.headers };
}

describe('where the agent is and how to speak to it', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'proconsul-cli-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('sends the datacenter and the consistency that are asked for', async () => {
    const { url } = await asked(['-datacenter=dc2', '-stale']);
    assert.equal(url, '/v1/kv/a?recurse&dc=dc2&stale');
  });

  it('takes the token from the file, then the flag, then the environment', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'from-file\n');
    const token = async (flags: readonly string[]) =>
      (await asked(flags, { CONSUL_HTTP_TOKEN: 'from-env' })).headers['x-consul-token'];
    assert.equal(await token([]), 'from-env');
    assert.equal(await token(['-token=from-flag']), 'from-flag');
    assert.equal(await token(['-token=from-flag', `-token-file=${file}`]), 'from-file');
  });

  it('asks as nobody by no empty token file: who sees less takes the rest for gone', async () => {
    const file = join(folder, 'empty-token');
    writeFileSync(file, ' \n');
    const { code, err } = await runWords(['kv', 'get', `-token-file=${file}`, 'a']);
    assert.equal(code, 1);
    assert.match(err, /Error loading token file: .*empty-token is empty/);
    const { headers } = await asked([`-token-file=${file}`], { CONSUL_HTTP_TOKEN: 'from-env' });
    assert.equal(headers['x-consul-token'], 'from-env');
  });

  it('takes a port alone for one of this machine', async () => {
    const { port } = await serveHttp((_, response) => response.end('[]'));
    const env = { CONSUL_HTTP_ADDR: `:${port}` };
    const { code, err } = await runWords(['kv', 'get', '-recurse', 'a'], { env });
    assert.deepEqual([code, err], [0, '']);
  });

  it('sends user and password', async () => {
    const { headers } = await asked([], { CONSUL_HTTP_AUTH: 'me:secret' });
    assert.equal(headers.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`);
  });

  it('speaks over a Unix socket', async () => {
    const path = join(folder, 'http.sock');
    const server = createServer((_, response) => response.end('["a"]'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      const { out } = await runWords(['kv', 'get', '-keys', `-http-addr=unix://${path}`]);
      assert.equal(out, 'a\n');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('says as Consul does that nobody is there', async () => {
    const { server, host } = await serveHttp(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    for (const address of [host, `http://${host}`]) {
      const { code, err } = await runWords(['kv', 'get', `-http-addr=${address}`, 'a']);
      assert.equal(code, 1);
      const url = `http://${host}/v1/kv/a`;
      const why = `dial tcp ${host}: connect: connection refused`;
      assert.equal(err, `Error querying Consul agent: Get "${url}": ${why}\n`);
    }
  });

  it('speaks TLS, with the certificates that are named', async () => {
    const pem = (name: string) => fileURLToPath(new URL(`${TLS}/${name}.pem`, import.meta.url));
    const [serverKey, cert, ca] = ['server-key', 'server', 'ca'].map((name) =>
      readFileSync(pem(name)),
    );
    const server = createTlsServer({ key: serverKey, cert, ca, requestCert: true }, (_, response) =>
      response.end('["a"]'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const words = ['kv', 'get', '-keys', `-http-addr=127.0.0.1:${port}`];
      const env = { CONSUL_HTTP_SSL: 'true', CONSUL_CACERT: pem('ca') };
      const known = [`-client-cert=${pem('client')}`, `-client-key=${pem('client-key')}`];
      assert.equal((await runWords([...words, ...known], { env })).out, 'a\n');
      // Neither without a certificate of one's own, nor from a server that nobody vouches for.
      assert.equal((await runWords(words, { env })).code, 1);
      const stranger = await runWords([...words, ...known], { env: { CONSUL_HTTP_SSL: 'true' } });
      assert.equal(stranger.code, 1);
      const half = await runWords([...words, `-client-cert=${pem('client')}`], { env });
      const both = 'both client cert and client key must be provided';
      assert.equal(half.err, `Error connecting to Consul agent: ${both}\n`);
      const [, key] = known;
      const wrong = [`-client-cert=${pem('client-key')}`, key ?? ''];
      const spoilt = await runWords([...words, ...wrong], { env });
      assert.match(spoilt.err, /^Error querying Consul agent: cannot ask the agent: /);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('refuses an address or a file that makes no sense', async () => {
    const junk = join(folder, 'junk.pem');
    writeFileSync(junk, 'junk');
    const none = 'open /nowhere/at/all: no such file or directory';
    const start = 'Error connecting to Consul agent: ';
    for (const [flags, why] of [
      ['-http-addr=ftp://x', 'Unknown protocol scheme: ftp'],
      ['-http-addr=a b:c', 'Invalid address: a b:c'],
      ['-http-addr=unix://', 'Invalid address: unix:// is to be followed by a path'],
      ['-token-file=/nowhere/at/all', `Error loading token file: ${none}`],
      ['-ca-file=/nowhere/at/all', `Error loading CA File: ${none}`],
      [`-ca-file=${junk}`, `Error loading CA File: Couldn't parse PEM in: ${junk}`],
      ['-ca-path=/nowhere/at/all', `Error loading CA Path: scandir ${none.slice('open '.length)}`],
      [`-ca-path=${folder}`, `Error loading CA Path: Couldn't parse PEM in: ${junk}`],
      [
        `-client-cert=${junk} -client-key=${junk}`,
        `Error loading the client cert: Couldn't parse PEM in: ${junk}`,
      ],
    ] as const) {
      const { code, err } = await runWords(['kv', 'get', ...flags.split(' -').map(dashed), 'a']);
      assert.deepEqual([code, err], [1, `${start}${why}\n`]);
    }
  });

  it('refuses a user or parameters in an address, and repeats neither', async () => {
    for (const address of ['me:SECRET@x:1', 'http://me:SECRET@x:1', 'https://x?token=SECRET']) {
      const { code, err } = await runWords(['kv', 'get', `-http-addr=${address}`, 'a']);
      assert.equal(code, 1);
      assert.match(err, /^Error connecting to Consul agent: Invalid address: it has a user/);
      assert.doesNotMatch(err, /SECRET/);
    }
  });

  it('asks below the path of an address, where a gateway stands before the agent', async () => {
    const paths: (string | undefined)[] = [];
    const { host } = await serveHttp(({ url }, response) => {
      paths.push(url);
      response.end('[]');
    });
    for (const address of [`${host}/`, `http://${host}/consul/`]) {
      await runWords(['kv', 'get', '-recurse', 'a'], { env: { CONSUL_HTTP_ADDR: address } });
    }
    assert.deepEqual(paths, ['/v1/kv/a?recurse', '/consul/v1/kv/a?recurse']);
  });

  it('says once which variable is no boolean, and goes on as if it were not set', async () => {
    const { host } = await serveHttp((_, response) => response.end('["a"]'));
    const env = { CONSUL_HTTP_ADDR: host, CONSUL_HTTP_SSL: 'yes', CONSUL_HTTP_SSL_VERIFY: 'no' };
    const { code, out, err } = await runWords(['kv', 'get', '-keys'], { env });
    assert.deepEqual([code, out], [0, 'a\n']);
    const why = (name: string, text: string) =>
      `could not parse ${name}: strconv.ParseBool: parsing "${text}": invalid syntax\n`;
    assert.equal(err, why('CONSUL_HTTP_SSL', 'yes') + why('CONSUL_HTTP_SSL_VERIFY', 'no'));
  });

  it('sends the namespace and the partition that are asked for: nothing is done in another one', async () => {
    const { port } = await startServer();
    const refused =
      /^Error! Failed writing data: .*400 \(Bad request: .* are a Consul Enterprise feature/;
    const at = { CONSUL_HTTP_ADDR: `127.0.0.1:${port}` };
    for (const [flags, env] of [
      [['-namespace=team'], {}],
      [[], { CONSUL_NAMESPACE: 'team' }],
      [[], { CONSUL_PARTITION: 'team' }],
    ] as const) {
      const { code, err } = await runWords(['kv', 'put', ...flags, 'a', '1'], {
        env: { ...at, ...env },
      });
      assert.equal(code, 1);
      assert.match(err, refused);
    }
    assert.equal((await runWords(['kv', 'get', 'a'], { env: at })).code, 1);
  });
});

function dashed(flag: string): string {
  return flag.startsWith('-') ? flag : `-${flag}`;
}
