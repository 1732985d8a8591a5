import assert from 'node:assert/strict';
import { mainPort } from '../../../lib/later-fields.ts';
import { startServer } from '../../support/servers/start-server.ts';

const PORTS = [
  { Name: 'http', Port: 80, Default: true },
  { Name: 'metrics', Port: 9100, Default: false },
];
const LATER = {
  SocketPath: '/run/web.sock',
  Ports: PORTS,
  Locality: { Region: 'eu', Zone: 'eu-1' },
};

const register = (Service: object) => ({ Node: 'n', Address: '10.0.0.1', Service });

describe('what a later Consul knows of an instance', () => {
  it('is shown wherever the instance is, and to clients of one port the default one', async () => {
    const { put, get } = await startServer();
    await put('/v1/catalog/register', register({ Service: 'web', ...LATER }));
    const [entry] = (await get('/v1/health/service/web')).json as { Service: object }[];
    const shown = (entry ?? assert.fail()).Service as typeof LATER & { Port: number };
    const { SocketPath, Ports, Locality, Port } = shown;
    assert.deepEqual({ SocketPath, Ports, Locality }, LATER);
    assert.equal(Port, 80);
    const [flat] = (await get('/v1/catalog/service/web')).json as Record<string, unknown>[];
    assert.deepEqual(
      [flat?.['ServiceSocketPath'], flat?.['ServicePorts'], flat?.['ServiceLocality']],
      [LATER.SocketPath, PORTS, LATER.Locality],
    );
    const node = (await get('/v1/catalog/node/n')).text;
    assert.match(node, /"SocketPath":"\/run\/web.sock","Ports":\[/);
  });

  it('is nowhere to be seen where nothing is said of it', async () => {
    const { put, get } = await startServer();
    const empty = { SocketPath: '', Ports: [], Locality: { Region: '', Zone: '' } };
    await put('/v1/catalog/register', register({ Service: 'web', ...empty }));
    for (const path of ['health/service/web', 'catalog/service/web', 'catalog/node/n']) {
      assert.doesNotMatch((await get(`/v1/${path}`)).text, /SocketPath|Ports|Locality/);
    }
  });

  it('changes the instance where it changes, and wakes nobody where it does not', async () => {
    const { put, server } = await startServer();
    const web = register({ Service: 'web', ...LATER });
    await put('/v1/catalog/register', web);
    const row = () => server.state.catalog.instance('n', 'web');
    const before = row();
    await put('/v1/catalog/register', web);
    assert.equal(row(), before);
    await put('/v1/catalog/register', register({ Service: 'web', ...LATER, SocketPath: '/b' }));
    assert.notEqual(row()?.ModifyIndex, before?.ModifyIndex);
    assert.equal(row()?.SocketPath, '/b');
  });

  it('is there again after a snapshot was restored', async () => {
    const one = await startServer();
    await one.put('/v1/catalog/register', register({ Service: 'web', ...LATER }));
    const two = await startServer();
    const response = await fetch(`http://127.0.0.1:${one.port}/v1/snapshot`);
    const archive = Buffer.from(await response.arrayBuffer());
    assert.equal((await two.put('/v1/snapshot', archive)).status, 200);
    assert.deepEqual(two.server.state.catalog.instance('n', 'web')?.Locality, LATER.Locality);
    assert.deepEqual(two.server.state.catalog.instance('n', 'web')?.Ports, PORTS);
  });

  const REFUSED: readonly (readonly [object, RegExp])[] = [
    [{ Ports: [{ Name: ' ', Port: 1, Default: true }] }, /Ports.Name cannot be empty/],
    [{ Ports: [{ Name: 'a', Default: true }] }, /Ports.Port must be non-zero/],
    [{ Ports: [PORTS[0], PORTS[0]] }, /Ports.Name "http" has to be unique/],
    [{ Ports: PORTS.map((each) => ({ ...each, Default: true })) }, /only one port can be marked/],
    [{ Ports: [PORTS[1]] }, /one of the Ports must be marked as Default/],
    [{ Ports: PORTS, Port: 81 }, /Port 81 is not the default one of Ports, 80/],
  ];
  for (const [said, complaint] of REFUSED) {
    it(`is refused where it cannot be: ${complaint.source}`, async () => {
      const { put, server } = await startServer();
      const answer = await put('/v1/catalog/register', register({ Service: 'web', ...said }));
      assert.equal(answer.status >= 400, true);
      assert.match(answer.text, complaint);
      assert.equal(server.state.catalog.instances.size, 0);
    });
  }

  it('has a default port only where one is said', () => {
    assert.equal(mainPort({ Port: 0, Ports: PORTS }), 80);
    assert.equal(mainPort({ Port: 7, Ports: [] }), 7);
    assert.equal(mainPort({ Port: 0 }), 0);
  });
});
