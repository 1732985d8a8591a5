import assert from 'node:assert/strict';
import { RECORD } from '../../../lib/archive/records.ts';
import { LOAD_PATH, LOOK_MS, STEP_MS } from '../../../lib/load.ts';
import { recordsOf } from '../../../server/http/archive/write-rows.ts';
import { dump, Restoring } from '../../../server/state/snapshot.ts';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServer, type TestServer } from '../../support/servers/start-server.ts';

interface Scale {
  readonly Wanted: number;
  readonly Instances: number;
  readonly HeldBy: string;
  readonly Signals: readonly {
    readonly By: string;
    readonly Measured: number;
    readonly Told: number;
  }[];
}

const PATH = '/v1/internal/scale/web';
const ENTRY = { Kind: 'service-scaling', Name: 'web', Max: 10, CPUPercent: 50 };

async function began(over: object = {}) {
  const server: TestServer = await startServer();
  const { put, get, clock } = server;
  const register = (Node: string, ID = 'web') =>
    put('/v1/catalog/register', { Node, Address: '10.0.0.1', Service: { ID, Service: 'web' } });
  await register('a');
  await register('b');
  await put('/v1/config', { ...ENTRY, ...over });
  /** Both agents, twice in each step. */
  const tell = async (CPU: number, steps: number, more: object = {}) => {
    for (let i = 0; i < steps * 2; i++) {
      for (const Node of ['a', 'b']) {
        const load = { ServiceID: 'web', Ms: LOOK_MS, CPU, Memory: 0.1, ...more };
        await put(LOAD_PATH, { ID: '', Node, Instances: [load] });
      }
      await clock.advance(LOOK_MS);
    }
  };
  const scale = async () => (await get(PATH)).json as Scale;
  return { ...server, register, tell, scale };
}

describe('GET /v1/internal/scale/:service', () => {
  it('says how many instances are wanted, by what agents tell', async () => {
    const { tell, scale } = await began();
    assert.equal((await scale()).HeldBy, 'no measure');
    await tell(0.9, 3);
    const { Wanted, Instances, HeldBy, Signals } = await scale();
    assert.deepEqual([Wanted, Instances, HeldBy], [4, 2, 'nothing']);
    assert.deepEqual(
      Signals.map(({ By, Told }) => [By, Told]),
      [['cpu', 2]],
    );
  });

  it('goes by requests where those are counted', async () => {
    const { tell, scale } = await began({ CPUPercent: 0, RequestsPerSecond: 10 });
    await tell(0, 3, { Ms: 0, RequestMs: LOOK_MS, Requests: (LOOK_MS / 1000) * 15 });
    assert.equal((await scale()).Wanted, 3);
  });

  it('answers 404 for a service of which nobody has said how it is scaled', async () => {
    const { get } = await startServer();
    const { status, text } = await get(PATH);
    assert.deepEqual([status, text], [404, 'There is no service-scaling of "web"']);
  });

  it('writes an entry a step, whatever number of agents tell, and none of what is not scaled', async () => {
    const { server, tell, put } = await began();
    await tell(0.5, 1);
    const before = server.state.position;
    await tell(0.5, 4);
    const others = server.state.position - before;
    assert.ok(others <= 4 + 2, `${others} entries in four steps`);
    await put(LOAD_PATH, { ID: '', Node: 'a', Instances: [{ ServiceID: 'nobody', Ms: 1 }] });
    assert.deepEqual(
      [...server.state.measured.values()].map(({ service }) => service),
      ['web'],
    );
  });

  it('goes on after a snapshot, and forgets with the entry', async () => {
    const { server, tell, scale, del, clock } = await began({ Season: '1h' });
    await tell(0.9, 3);
    const [before] = [...server.state.measured.values()];
    const restoring = new Restoring();
    for (const line of dump(server.state)) restoring.add(line);
    assert.deepEqual([...restoring.finish().measured.values()], [before]);
    assert.equal((await scale()).Wanted, 4);
    await del('/v1/config/service-scaling/web');
    assert.equal(server.state.measured.size, 0);
    await clock.advance(STEP_MS);
  });

  it('is the same in another spelling, and tells by which name it is', async () => {
    const { tell, get } = await began();
    await tell(0.9, 3);
    const { json } = await get('/v1/internal/scale/WEB');
    assert.deepEqual([(json as Scale).Wanted, (json as { Service: string }).Service], [4, 'web']);
  });

  it('counts no instance that a failed agent has left behind', async () => {
    const { register, put, tell, scale } = await began();
    for (const Node of ['c', 'd']) {
      await register(Node);
      const Check = { CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'critical' };
      await put('/v1/catalog/register', { Node, Address: '10.0.0.1', Check });
    }
    assert.equal((await scale()).Wanted, 2, 'as many as there are');
    await tell(0.5, 3);
    const { Wanted, Instances, HeldBy } = await scale();
    assert.deepEqual([Wanted, Instances, HeldBy], [2, 2, 'tolerance']);
  });

  it('believes one instance ten times what is aimed at, and no more, however large the number', async () => {
    const { put, tell, scale, server } = await began({
      ...{ CPUPercent: 0, RequestsPerSecond: 10, Season: '1h', Max: 1000 },
    });
    const liar = { ServiceID: 'web', RequestMs: LOOK_MS, Requests: 1e9 };
    await put(LOAD_PATH, { ID: '', Node: 'a', Instances: [liar] });
    await tell(0, 3, { Ms: 0, RequestMs: LOOK_MS, Requests: (LOOK_MS / 1000) * 10 });
    const { Signals } = await scale();
    assert.ok((Signals[0]?.Measured ?? 0) < 100, `${Signals[0]?.Measured}/s`);
    for (const { requests } of server.state.measured.values()) {
      assert.ok((requests?.sum ?? 0) < 300, `${requests?.sum} requests a second in the season`);
    }
  });

  it('takes no load that cannot be', async () => {
    const { put } = await began();
    for (const bad of [{ Ms: -1 }, { Ms: 1e9 }, { CPU: 3 }, { CPU: -1 }, { Requests: 1e12 }]) {
      const Instances = [{ ServiceID: 'web', ...bad }];
      const { status } = await put(LOAD_PATH, { ID: '', Node: 'a', Instances });
      assert.equal(status, 400, JSON.stringify(bad));
    }
  });

  it('hears of one instance no more than of another, however often it is told of', async () => {
    const { put, tell, scale } = await began();
    const liar = { ServiceID: 'web', Ms: 120_000, CPU: 2, Memory: 0 };
    const lies = { ID: '', Node: 'a', Instances: new Array<object>(100).fill(liar) };
    await put(LOAD_PATH, lies);
    await tell(0.5, 1);
    const { Signals } = await scale();
    const [cpu] = Signals;
    assert.ok(cpu !== undefined && cpu.Measured < 185, `${cpu?.Measured}% of each`);
  });

  it('takes what was counted over a moment for nothing: it would be predicted for ever', async () => {
    const over = { CPUPercent: 0, RequestsPerSecond: 10, Season: '1h' };
    const { put, scale, clock, server } = await began(over);
    const moment = { ServiceID: 'web', RequestMs: 1e-320, Requests: 1e9, Ms: 1e-320, CPU: 2 };
    for (let i = 0; i < 4; i++) {
      await put(LOAD_PATH, { ID: '', Node: 'a', Instances: [moment] });
      await clock.advance(STEP_MS);
    }
    assert.equal((await scale()).HeldBy, 'no measure');
    for (const { requests } of server.state.measured.values()) assert.equal(requests?.sum, 0);
  });

  it('is for whoever may read the service, and load is told by whoever may be the node', async () => {
    const { master, as } = await startAclServer();
    await master('PUT', '/v1/config', ENTRY);
    const tokenWith = async (service: string) => {
      const Rules = `service "${service}" { policy = "read" }`;
      const { ID } = await master('PUT', '/v1/acl/policy', { Name: service, Rules });
      const token = await master('PUT', '/v1/acl/token', { Policies: [{ ID }] });
      return token['SecretID'] ?? '';
    };
    const [may, other] = [await tokenWith('web'), await tokenWith('api')];
    assert.equal((await as(may, 'GET', PATH)).status, 200);
    assert.equal((await as(other, 'GET', PATH)).status, 403);
    const body = { ID: '', Node: 'a', Instances: [] };
    assert.equal((await as(may, 'PUT', LOAD_PATH, body)).status, 403);
  });
});

describe('a service-scaling', () => {
  it('is in an archive, where a Consul does not look for config entries', async () => {
    const { port, tell, server } = await began();
    await tell(0.9, 3);
    const archive = Buffer.from(
      await (await fetch(`http://127.0.0.1:${port}/v1/snapshot`)).arrayBuffer(),
    );
    const to = await startServer();
    await to.put('/v1/snapshot', archive);
    const { json } = await to.get('/v1/config/service-scaling/web');
    assert.equal((json as typeof ENTRY).CPUPercent, 50);
    const [, ...records] = [...recordsOf(server.state)()];
    const types = records.map((bytes) => bytes[0]);
    assert.ok(types.includes(RECORD.register) && !types.includes(RECORD.configEntry));
  });

  it('is refused where it could not be', async () => {
    const { put } = await startServer();
    const bad = [
      [{ Max: 0 }, 'Max must be at least Min, which is 1'],
      [
        { CPUPercent: 0 },
        'needs something to aim at: CPUPercent, MemoryPercent or RequestsPerSecond',
      ],
      [{ CPUPercent: 101 }, 'CPUPercent and MemoryPercent go up to 100'],
      [{ Season: '1m' }, 'Season must be between 1h and 744h'],
      [{ Season: '1h', Ahead: '2h' }, 'Ahead must be between 0 and Season'],
      [{ RiseOver: '1s' }, 'RiseOver must be between 30s and 25m'],
      [{ FallAfter: '26m' }, 'FallAfter must be between 0 and 25m'],
      [{ TolerancePercent: 101 }, 'TolerancePercent goes up to 100'],
      [{ Name: '*' }, 'Name is required, of one service'],
    ] as const;
    for (const [over, why] of bad) {
      const { status, text } = await put('/v1/config', { ...ENTRY, ...over });
      assert.deepEqual(
        [status, text.includes(why)],
        [500, true],
        `${JSON.stringify(over)}: ${text}`,
      );
    }
  });
});
