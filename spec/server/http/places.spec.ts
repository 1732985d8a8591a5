import assert from 'node:assert/strict';
import { Heartbeat } from '../../../agent/servers/heartbeat.ts';
import { OwnPlace } from '../../../agent/servers/own-place.ts';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { Upstream } from '../../../agent/servers/upstream.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLogger } from '../../../lib/logger.ts';
import type { NodeCoordinate } from '../../../lib/model.ts';
import { ORIGIN, PLACE_HEADER } from '../../../lib/place.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import {
  startServer,
  startServerWith,
  type TestServer,
} from '../../support/servers/start-server.ts';
import { noTls, serverInfo, stopped } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

const BEAT = '/v1/internal/agent/beat';

const beatOf = (Node: string) => ({
  ...{ ID: `id-${Node}`, Node, Address: '127.0.0.1', Datacenter: 'dc1', LanPort: 8301, Tags: {} },
});

async function registered(server: TestServer, Node: string) {
  await server.put('/v1/catalog/register', {
    ...{ ID: `0000000${Node.length}-0000-0000-0000-000000000000`, Node, Address: '127.0.0.1' },
    Check: { CheckID: 'serfHealth', Name: 's', Status: 'passing' },
  });
}

const idOf = (Node: string) => `0000000${Node.length}-0000-0000-0000-000000000000`;

const placed = (x: number, more: object = {}) => ({
  Coord: { ...ORIGIN, Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 0.5 },
  ...{ Server: '', Seconds: 0 },
  ...more,
});

async function start() {
  const server = await startServer();
  const beat = async (Node: string, told?: object) => {
    const body = { ...beatOf(Node), ID: idOf(Node) };
    const headers = told === undefined ? {} : { [PLACE_HEADER]: JSON.stringify(told) };
    const { status, json } = await server.put(BEAT, body, { headers });
    assert.equal(status, 200);
    return json as { readonly Here?: { readonly Server: string; readonly TookMs: number } };
  };
  const nodes = async () =>
    new Map(
      ((await server.get('/v1/coordinate/nodes')).json as readonly NodeCoordinate[]).map(
        ({ Node, Coord }) => [Node, Coord],
      ),
    );
  return { ...server, beat, nodes };
}

describe('where agents stand, as they tell it with beats', () => {
  it('is written once in a while, many at once, and not again where nobody has moved', async () => {
    const server = await start();
    const { beat, nodes, clock } = server;
    for (const node of ['a', 'bb']) await registered(server, node);
    const { Here } = await beat('a', placed(0.01));
    assert.ok(Here !== undefined && Here.Server !== '' && Here.TookMs >= 0);
    await beat('bb', placed(0.02));
    await beat('bb', placed(0.03));
    assert.deepEqual((await nodes()).get('a') ?? ORIGIN, ORIGIN);
    await clock.advance(15_000);
    await until(async () => (await nodes()).get('bb')?.Vec[0] === 0.03);
    assert.equal((await nodes()).get('a')?.Vec[0], 0.01);
    await beat('a', placed(0.01005));
    await beat('bb', placed(0.03));
    await clock.advance(15_000);
    assert.equal((await nodes()).get('a')?.Vec[0], 0.01);
    assert.equal(server.server.places?.written, 2);
  });

  it('is answered to those alone who tell it; and of a node that is not there nothing is kept', async () => {
    const server = await start();
    await registered(server, 'a');
    assert.equal((await server.beat('a')).Here, undefined);
    assert.equal((await server.beat('a', { Coord: 'x' })).Here, undefined);
    assert.notEqual((await server.beat('nobody', placed(0.5))).Here, undefined);
    await server.clock.advance(15_000);
    assert.equal((await server.nodes()).get('nobody')?.Vec[0] ?? 0, 0);
    assert.equal(server.server.places?.written, 0);
  });

  it('is written of no more nodes in a second than Consul takes', async () => {
    const server = await startServer();
    const { places } = server.server;
    for (let i = 0; i < 1200; i++) {
      await server.server.propose({
        type: 'register',
        node: {
          ID: '',
          Node: `n-${i}`,
          Address: '127.0.0.1',
          Datacenter: 'dc1',
          TaggedAddresses: null,
          Meta: null,
        },
        services: [],
        checks: [],
      } as never);
      places?.take(`n-${i}`, placed(0.01 + i / 1000) as never);
    }
    await server.clock.advance(15_000);
    await until(() => (places?.written ?? 0) >= 960);
    assert.equal(places?.written, 960);
    await server.clock.advance(15_000);
    await until(() => places?.written === 1200);
  });

  it('moves the server too, by what agents have measured to it', async () => {
    const server = await start();
    await registered(server, 'a');
    const { Here } = await server.beat('a', placed(0.01));
    for (let i = 0; i < 10; i++) {
      await server.beat('a', placed(0.01, { Server: Here?.Server, Seconds: 0.03 }));
      await server.clock.advance(5000);
    }
    const at = server.server.places?.coordinate;
    assert.ok(Math.hypot(...(at?.Vec ?? [])) > 0.001, JSON.stringify(at));
  });

  it('moves the server by each node once in a while, however often that beats', async () => {
    const server = await start();
    for (const node of ['a', 'bb']) await registered(server, node);
    const Server = (await server.beat('a', placed(0.01))).Here?.Server;
    const vec = () => server.server.places?.coordinate.Vec;
    await server.beat('a', placed(0.01, { Server, Seconds: 0.03 }));
    const once = vec();
    assert.notDeepEqual(once, ORIGIN.Vec);
    for (let i = 0; i < 100; i++) await server.beat('a', placed(9, { Server, Seconds: 0.00001 }));
    assert.deepEqual(vec(), once);
    await server.beat('bb', placed(0.01, { Server, Seconds: 0.03 }));
    assert.notDeepEqual(vec(), once);
  });

  it('is what an agent measures by its own beats', async () => {
    const server = await startServer();
    await registered(server, 'a');
    const clock = { ...systemClock, after: () => () => undefined };
    const random = seededRandom(1);
    const servers = new ServerList(clock, random);
    const first = await server.put(
      BEAT,
      { ...beatOf('a'), ID: idOf('a') },
      {
        headers: { [PLACE_HEADER]: JSON.stringify(placed(0)) },
      },
    );
    const { Here } = first.json as { readonly Here: { readonly Server: string } };
    servers.add([serverInfo(Here.Server, `127.0.0.1:${server.port}`)]);
    const security = { tls: noTls, domain: 'consul.' };
    const upstream = stopped(new Upstream({ servers, clock, node: 'a', security }));
    const place = new OwnPlace({ servers, clock, random });
    const heartbeat = stopped(
      new Heartbeat({
        ...{ upstream, servers, clock, logger: silentLogger, place },
        beat: () => ({ body: { ...beatOf('a'), ID: idOf('a') }, token: '' }),
        on: { unknown: () => undefined, back: () => undefined, lost: () => undefined },
      }),
    );
    // The first opens the connection, and the answer of this server lists no servers.
    for (let i = 0; i < 6; i++) await heartbeat.beatNow();
    assert.notDeepEqual(place.coordinate.Vec, ORIGIN.Vec);
    await server.clock.advance(15_000);
    await until(async () => {
      const { json } = await server.get('/v1/coordinate/node/a');
      return (json as readonly NodeCoordinate[])[0]?.Coord.Vec.some((x) => x !== 0) === true;
    });
  });
});

describe('a server with `disable_coordinates`', () => {
  it('answers nothing of coordinates, as Consul, and takes none', async () => {
    const server = await startServerWith({ measuresPlaces: false });
    await registered(server, 'a');
    for (const [method, path] of [
      ['GET', '/v1/coordinate/nodes'],
      ['GET', '/v1/coordinate/node/a'],
      ['GET', '/v1/coordinate/datacenters'],
      ['PUT', '/v1/coordinate/update'],
    ] as const) {
      const { status, text } = await server.ask(method, path);
      assert.deepEqual([status, text], [401, 'Coordinate support disabled'], path);
    }
    const headers = { [PLACE_HEADER]: JSON.stringify(placed(0.01)) };
    const { json } = await server.put(BEAT, { ...beatOf('a'), ID: idOf('a') }, { headers });
    assert.equal((json as { readonly Here?: object }).Here, undefined);
  });
});
