import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWords, type Surroundings } from '../../support/command-line.ts';
import { serveHttp } from '../../support/http-servers.ts';

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

  it('refuses an address or a file that makes no sense', async () => {
    for (const [flag, why] of [
      ['-http-addr=ftp://x', /Unknown protocol scheme: ftp/],
      ['-http-addr=a b:c', /Invalid address/],
      ['-token-file=/nowhere/at/all', /Error loading token file: ENOENT/],
      ['-ca-file=/nowhere/at/all', /Error loading CA: ENOENT/],
    ] as const) {
      const { code, err } = await runWords(['kv', 'get', flag, 'a']);
      assert.equal(code, 1);
      assert.match(err, why);
    }
  });
});
