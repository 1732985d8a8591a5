import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { instanceOf, JSON_FORM } from '../../server/eureka/instances.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { boundListeners } from '../../support/servers/bound-listeners.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { type Sent, send, startServer } from '../../support/servers/start-server.ts';

describe("the listeners of a server, for Eureka's clients", () => {
  async function start(...flags: readonly string[]) {
    const [http = 0, rpc = 0, lan = 0, eureka = 0] = await freePorts(4);
    const ports = `http = ${http} server = ${rpc} serf_lan = ${lan} dns = -1 eureka = ${eureka}`;
    const hcl = ['-hcl', `ports { ${ports} }`];
    const argv = [
      '-server',
      '-bootstrap',
      '-dev',
      '-bind=127.0.0.1',
      '-grpc-port=-1',
      ...hcl,
      ...flags,
    ];
    const { config } = loadConfig({ argv, host: fakeConfigHost() });
    const listeners = await boundListeners(config);
    const { server } = await startServer();
    listeners.open({
      routes: server.routes(),
      defaultToken: () => '',
      ...(config.eureka.enabled && { eureka: server.eurekaPaths() }),
    });
    const ask = (port: number, method: string, path: string, sent: Sent = {}) =>
      send(port, method, path, { ...sent, headers: { ...JSON_FORM, ...sent.headers } });
    return { http, eureka, rpc, ask };
  }

  it('answer them at a port of its own and under the one for HTTP, alike', async () => {
    const { http, eureka, ask } = await start('-eureka');
    const sent = { headers: { 'Content-Type': 'application/json' }, body: instanceOf('SHOP') };
    assert.equal((await ask(http, 'POST', '/eureka/apps/SHOP', sent)).status, 204);
    const [one, other] = await Promise.all(
      [http, eureka].map((port) => ask(port, 'GET', '/eureka/v2/apps')),
    );
    assert.match(one?.text ?? '', /"h1:shop"/);
    assert.equal(one?.text, other?.text);
  });

  it('answer nothing else at that port, and agents nothing of it', async () => {
    const { eureka, rpc, ask } = await start('-eureka');
    assert.equal((await ask(eureka, 'GET', '/v1/catalog/services')).status, 404);
    assert.equal((await ask(rpc, 'GET', '/eureka/apps')).status, 404);
  });

  it('answer nobody where it is off, as it is', async () => {
    const { http, eureka, ask } = await start();
    assert.equal((await ask(http, 'GET', '/eureka/apps')).status, 404);
    await assert.rejects(ask(eureka, 'GET', '/eureka/apps'));
  });

  it("refuse what a stranger's page writes, and a name that is not known to mean this machine", async () => {
    const { http, eureka, ask } = await start('-eureka');
    for (const port of [http, eureka]) {
      const body = instanceOf('SHOP');
      const headers = { 'Content-Type': 'application/json', Origin: 'https://evil.example.com' };
      assert.equal((await ask(port, 'POST', '/eureka/apps/SHOP', { headers, body })).status, 403);
      const host = { headers: { Host: 'evil.example.com' } };
      assert.equal((await ask(port, 'GET', '/eureka/apps', host)).status, 403);
    }
  });

  it('let those write alone who may, by allow_write_http_from', async () => {
    const { http, eureka, ask } = await start(
      '-eureka',
      '-hcl',
      'http_config { allow_write_http_from = ["10.0.0.0/8"] }',
    );
    for (const port of [http, eureka]) {
      const sent = { headers: { 'Content-Type': 'application/json' }, body: instanceOf('SHOP') };
      assert.equal((await ask(port, 'POST', '/eureka/apps/SHOP', sent)).status, 403);
      assert.equal((await ask(port, 'DELETE', '/eureka/apps/SHOP/h1:shop')).status, 403);
      assert.equal((await ask(port, 'GET', '/eureka/apps')).status, 200);
    }
  });
});
