import assert from 'node:assert/strict';
import { createListeners } from '../../../cli/process/listeners.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import type { Listener } from '../../../lib/http/listener.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { freePort } from '../../support/servers/proconsul.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { send } from '../../support/servers/start-server.ts';

describe('the listeners of a server', () => {
  let listeners: readonly Listener[] = [];
  afterEach(async () => {
    for (const listener of listeners) await listener.stop();
  });

  async function start(hcl: string) {
    const [http, server, lan] = [await freePort(), await freePort(), await freePort()];
    const ports = `ports { http = ${http} server = ${server} serf_lan = ${lan} dns = -1 }`;
    const argv = ['-server', '-bootstrap', '-dev', '-bind=127.0.0.1', '-hcl', `${ports} ${hcl}`];
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
    listeners = createListeners({
      config,
      logger: silentLogger,
      routes,
      maxConnections: () => config.limits.httpMaxConnsPerClient,
      introducer: { ID: '1', Node: 'n1', Datacenter: 'dc1', servers: () => [] },
    });
    for (const listener of listeners) await listener.start();
    const status = async (port: number, method: string, path: string) =>
      (await send(port, method, path, {})).status;
    return { http, server, lan, status, asked: () => asked };
  }

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
