import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { introduce } from '../../../agent/servers/introduction.ts';
import type { RpcTlsSettings } from '../../../lib/config/keys/tls.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { Identities } from '../../../lib/tls/identities.ts';
import { TestAuthority, tlsSettings } from '../../support/certificates.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { boundListeners } from '../../support/servers/bound-listeners.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { requestText } from '../../support/servers/request-text.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

describe('the listeners of a server', () => {
  async function bind(hcl: string) {
    const [http = 0, server = 0, lan = 0] = await freePorts(3);
    const ports = `ports { http = ${http} server = ${server} serf_lan = ${lan} dns = -1 }`;
    const argv = [
      '-server',
      '-bootstrap',
      '-dev',
      '-bind=127.0.0.1',
      '-grpc-port=-1',
      '-hcl',
      `${ports} ${hcl}`,
    ];
    const { config } = loadConfig({ argv, host: fakeConfigHost() });
    let asked = 0;
    const handle = () => {
      asked++;
      return { json: true, shared: { bytes: 0, ready: () => undefined, stands: () => true } };
    };
    const row = { path: '/v1/kv/', right: anyone, does: '', handle } as const;
    const routes: readonly Route[] = [
      { ...row, method: 'GET' },
      { ...row, method: 'PUT' },
    ];
    const listeners = await boundListeners(config);
    const status = async (port: number, method: string, path: string) =>
      (await send(port, method, path, {})).status;
    const open = () => listeners.open({ routes, defaultToken: () => '' });
    const stop = () => listeners.stop();
    return { http, server, lan, status, open, stop, asked: () => asked };
  }

  async function start(hcl: string) {
    const bound = await bind(hcl);
    bound.open();
    return bound;
  }

  it('let what is asked wait until there is something to answer with, each connection for itself', async () => {
    const { http, lan, status, open, asked } = await bind('');
    const gone = await RawClient.connect(http);
    gone.send(getText('/v1/kv/gone'));
    const client = await RawClient.connect(http);
    client.send(getText('/v1/kv/a').repeat(2));
    const joining = status(lan, 'GET', '/v1/kv/a');
    gone.close();
    assert.equal(asked(), 0);
    open();
    for (let n = 0; n < 2; n++) assert.match((await client.answer()).head, /^HTTP\/1\.1 200 /);
    assert.deepEqual([await joining, await status(http, 'PUT', '/v1/kv/a')], [404, 200]);
  });

  it('begin no change for whoever has gone before there was something to answer with', async () => {
    const { http, server, open, asked } = await bind('');
    const put = requestText('PUT', '/v1/kv/a', '');
    const [gone, agent, stays] = [
      await RawClient.connect(http),
      await RawClient.connect(server),
      await RawClient.connect(http),
    ];
    for (const client of [gone, agent, stays]) client.send(put);
    gone.close();
    agent.end();
    await settle();
    open();
    assert.match((await stays.answer()).head, /^HTTP\/1\.1 200 /);
    const notBegun = /^HTTP\/1\.1 500 .*\r\nX-Proconsul-Applied: no\r\n/s;
    assert.match((await agent.answer()).head, notBegun);
    assert.equal(asked(), 1);
  });

  it('hold clients to the policy of http_config, and agents not', async () => {
    const { http, server, status } = await start(
      'http_config { block_endpoints = ["/v1/kv/secret"] allow_write_http_from = ["192.0.2.0/24"] }',
    );
    for (const [method, path] of [
      ['GET', '/v1/kv/secret'],
      ['GET', '/v1/kv/%73ecret'],
      ['OPTIONS', '/v1/kv/secret'],
      ['DELETE', '/v1/kv/secret'],
      ['PUT', '/v1/kv/a'],
    ] as const) {
      assert.equal(await status(http, method, path), 403, `${method} ${path}`);
      assert.notEqual(await status(server, method, path), 403, `${method} ${path}`);
    }
  });

  it('keep a page of a stranger out of all of them, and pass no agent for one', async () => {
    const { http, server, lan } = await start('');
    const ask = async (port: number, method: string, headers: string) => {
      const path = port === lan ? '/v1/internal/introduction' : '/v1/kv/a';
      const client = await RawClient.connect(port);
      const text = `${method} ${path} HTTP/1.1\r\n${headers}\r\nContent-Length: 0\r\n\r\n`;
      return (await client.ask(text)).head.slice(9, 12);
    };
    for (const port of [http, server, lan]) {
      assert.equal(await ask(port, 'GET', 'Host: rebound.example.com'), '403');
      assert.equal(await ask(port, 'GET', `Host: 127.0.0.1:${port}`), '200');
    }
    for (const port of [http, server]) {
      const page = `Host: 127.0.0.1:${port}\r\nOrigin: `;
      assert.equal(await ask(port, 'PUT', `${page}https://example.com`), '403');
      assert.equal(await ask(port, 'PUT', `${page}http://127.0.0.1:${port}`), '200');
      assert.equal(await ask(port, 'PUT', `Host: 127.0.0.1:${port}`), '200');
    }
  });

  it('let nobody join in the clear where agents must show a certificate', async () => {
    const authority = await TestAuthority.create();
    const { certFile, keyFile } = await authority.files({ names: ['server.dc1.consul'] });
    const files = `ca_file = "${authority.caFile}" cert_file = "${certFile}" key_file = "${keyFile}"`;
    const join = async (port: number, rpc: Partial<RpcTlsSettings>) => {
      const config = tlsSettings({}, { caFile: authority.caFile, ...rpc });
      const identities = new Identities({ config, warn: () => undefined, now: Date.now });
      const asking = { defaultPort: 1, datacenter: 'dc1', tls: () => identities.servers };
      return introduce(`127.0.0.1:${port}`, asking).then(
        ({ Node }) => Node,
        (error: Error) => error.message,
      );
    };
    const open = await start(`tls { internal_rpc { ${files} } }`);
    const shut = await start(`tls { internal_rpc { ${files} verify_incoming = true } }`);
    const own = await authority.files({ names: ['client.dc1.consul'] });
    for (const [rpc, answers] of [
      [{ caFile: '' }, ['n1', /it answered 400|Parse Error/]],
      [{}, ['n1', /it answered 400|Parse Error/]],
      [{ verifyOutgoing: true }, ['n1', /certificate required|alert|ECONNRESET|reset/i]],
      [own, ['n1', 'n1']],
      [{ ...own, verifyOutgoing: true }, ['n1', 'n1']],
    ] as const) {
      for (const [i, { lan }] of [open, shut].entries()) {
        const [expected, found] = [answers[i] ?? '', await join(lan, rpc)];
        if (typeof expected === 'string') assert.equal(found, expected, JSON.stringify(rpc));
        else assert.match(found, expected, JSON.stringify(rpc));
      }
    }
  });

  it('give a client nothing that an agent was answered', async () => {
    const { http, server } = await start('http_config { block_endpoints = ["/v1/kv/secret"] }');
    for (const [port, expected] of [
      [server, '200'],
      [http, '403'],
    ] as const) {
      const client = await RawClient.connect(port);
      for (let n = 0; n < 3; n++) {
        const { head } = await client.ask(getText('/v1/kv/secret'));
        assert.equal(head.slice(9, 12), expected);
      }
    }
  });

  it('give over loopback no name that was answered elsewhere', async function () {
    const there = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    // Without a network this machine has no other address to be asked at.
    if (there === undefined) this.skip();
    const { http } = await start('addresses { http = "0.0.0.0" }');
    const asks = 'GET /v1/kv/a HTTP/1.1\r\nHost: rebound.example.com\r\n\r\n';
    for (const [host, expected] of [
      [there, '200'],
      ['127.0.0.1', '403'],
    ] as const) {
      const client = await RawClient.connect(http, host);
      for (let n = 0; n < 3; n++) {
        const { head } = await client.ask(asks);
        assert.equal(head.slice(9, 12), expected);
      }
    }
  });

  it('take no longer heads than http_config.max_header_bytes', async () => {
    const { http } = await start('http_config { max_header_bytes = 2000 }');
    const ask = async (bytes: number) => {
      const client = await RawClient.connect(http);
      client.send(`GET /v1/kv/a HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(bytes)}\r\n\r\n`);
      await until(() => client.rest().includes('HTTP/1.1 '));
      return client.rest().slice(9, 12);
    };
    assert.deepEqual([await ask(1500), await ask(2500)], ['200', '431']);
  });

  it('write down what is asked at any of them, where an audit is asked for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-'));
    const path = join(folder, 'deep', 'audit.json');
    const audit = `audit { enabled = true sink "a" { type = "file" path = "${path}" } }`;
    const { http, server, lan, status, stop } = await start(
      `${audit} http_config { block_endpoints = ["/v1/kv/secret"] }`,
    );
    await status(http, 'GET', '/v1/kv/secret');
    await status(server, 'PUT', '/v1/kv/a');
    await status(lan, 'GET', '/v1/kv/a');
    await status(lan, 'GET', '/v1/internal/introduction');
    await stop();
    const events = (await readFile(path, 'utf8')).trim().split('\n');
    const seen = events
      .map((line) => JSON.parse(line).payload)
      .filter(({ stage }) => stage === 'OperationComplete')
      .map(({ request, response }) => [request.operation, request.endpoint, response.status]);
    assert.deepEqual(seen, [
      ['GET', '/v1/kv/secret', '403'],
      ['PUT', '/v1/kv/a', '200'],
      ['GET', '/v1/kv/a', '404'],
    ]);
    await rm(folder, { recursive: true });
  });

  it('do not start where an audit is asked for that cannot be written', async () => {
    const audit = 'audit { enabled = true sink "a" { type = "file" path = "/proc/audit.json" } }';
    await assert.rejects(bind(audit), /audit\.sink\["a"\]\.path cannot be written/);
  });

  for (const [isOn, asked] of [
    [true, 1],
    [false, 4],
  ] as const) {
    it(`ask the route ${asked} of 4 times with performance.fast_path = ${isOn}`, async () => {
      const server = await start(`performance { fast_path = ${isOn} }`);
      const client = await RawClient.connect(server.http);
      for (let n = 0; n < 4; n++) await client.ask(getText('/v1/kv/a'));
      assert.equal(server.asked(), asked);
    });
  }
});
