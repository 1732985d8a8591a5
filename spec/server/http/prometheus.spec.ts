import assert from 'node:assert/strict';
import { startServer, type TestServer } from '../../support/servers/start-server.ts';

const SD = '/v1/internal/prometheus/sd';

interface Group {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

const groups = async ({ get }: TestServer, query = '') =>
  (await get(`${SD}${query}`)).json as readonly Group[];
const ids = (all: readonly Group[]) => all.map(({ labels }) => labels['__meta_consul_service_id']);

describe('GET /v1/internal/prometheus/sd', () => {
  async function start() {
    const server = await startServer();
    const { put } = server;
    await put('/v1/catalog/register', {
      Node: 'n2',
      Address: '10.0.0.2',
      TaggedAddresses: { lan: '10.0.0.2' },
      NodeMeta: { 'rack.no': '7' },
      Service: { ID: 'web-1', Service: 'web', Port: 80, Tags: ['a', 'b'], Meta: { team: 'x' } },
      Checks: [
        { CheckID: 'c', Name: 'c', Status: 'warning', ServiceID: 'web-1' },
        { CheckID: 'n', Name: 'n', Status: 'passing' },
      ],
    });
    await put('/v1/catalog/register', {
      Node: 'n3',
      Address: '10.0.0.3',
      Service: { ID: 'db-1', Service: 'db', Port: 5432, Address: 'fd00::1' },
    });
    return server;
  }

  it('gives each instance the labels of consul_sd', async () => {
    const [web, db] = await groups(await start());
    assert.deepEqual(db?.targets, ['[fd00::1]:5432']);
    assert.deepEqual(
      [web?.targets, { ...web?.labels }],
      [
        ['10.0.0.2:80'],
        {
          __meta_consul_address: '10.0.0.2',
          __meta_consul_dc: 'dc1',
          __meta_consul_health: 'warning',
          __meta_consul_node: 'n2',
          __meta_consul_service: 'web',
          __meta_consul_service_address: '',
          __meta_consul_service_id: 'web-1',
          __meta_consul_service_port: '80',
          __meta_consul_tags: ',a,b,',
          __meta_consul_metadata_rack_no: '7',
          __meta_consul_tagged_address_lan: '10.0.0.2',
          __meta_consul_service_metadata_team: 'x',
        },
      ],
    );
  });

  it('is narrowed by services, tags, node-meta and a filter', async () => {
    const server = await start();
    for (const [query, expected] of [
      ['?service=web', ['web-1']],
      ['?service=web&service=db&service=none', ['web-1', 'db-1']],
      ['?tag=a&tag=b', ['web-1']],
      ['?tag=a&tag=z', []],
      ['?node-meta=rack.no:7', ['web-1']],
      ['?filter=Service.Port==5432', ['db-1']],
      ['?filter=Node.Node==n2', ['web-1']],
    ] as const) {
      assert.deepEqual([query, ids(await groups(server, query))], [query, expected]);
    }
    const many = Array.from({ length: 65 }, (_, i) => `service=s${i}`).join('&');
    const refused = await server.get(`${SD}?${many}`);
    assert.deepEqual([refused.status, refused.text], [400, 'At most 64 services can be named']);
    assert.match((await server.get(`${SD}?filter=Nope==1`)).text, /Selector "Nope" is not valid/);
  });

  it('waits for a change of the services that it names, and for no other', async () => {
    const server = await start();
    const { get, put, clock } = server;
    const { index } = await get(`${SD}?service=web`);
    const waiting = get(`${SD}?service=web&index=${index}`);
    await clock.untilArmed();
    const service = { ID: 'web-2', Service: 'web', Port: 81 };
    await put('/v1/catalog/register', { Node: 'n3', Address: '10.0.0.3', Service: service });
    assert.deepEqual(ids((await waiting).json as Group[]), ['web-1', 'web-2']);
  });

  it('says of a node or service in maintenance that it is', async () => {
    const server = await start();
    await server.put('/v1/catalog/register', {
      Node: 'n3',
      Address: '10.0.0.3',
      Check: { CheckID: '_node_maintenance', Name: 'm', Status: 'critical' },
    });
    const [db] = await groups(server, '?service=db');
    assert.equal(db?.labels['__meta_consul_health'], 'maintenance');
  });
});
