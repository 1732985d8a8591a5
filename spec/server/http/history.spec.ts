import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import {
  startServer,
  startServerWith,
  type TestServer,
} from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

interface Row {
  readonly Time: string;
  readonly Node: string;
  readonly ServiceID: string;
  readonly CheckID: string;
  readonly From: string;
  readonly To: string;
  readonly Output: string;
}

const PATH = '/v1/internal/history/service/web';
const checkOf = (Status: string, Output = '') => ({
  Check: { CheckID: 'c', Name: 'c', Status, Output, ServiceID: 'web1' },
});

async function began(server?: TestServer) {
  const started = server ?? (await startServer());
  const { put, get, clock } = started;
  const set = (status: string, output = '') =>
    put('/v1/catalog/register', webOn('a', checkOf(status, output)));
  const rows = async (path = PATH) => (await get(path)).json as Row[];
  const told = async (path = PATH) =>
    (await rows(path)).map(({ CheckID, From, To }) => `${CheckID} ${From} ${To}`);
  return { ...started, put, get, clock, set, rows, told };
}

describe('GET /v1/internal/history/service/:service', () => {
  it('tells what became of instances and checks, the oldest first', async () => {
    const { set, rows, put, clock } = await began();
    await set('critical', 'not yet');
    await clock.advance(1000);
    await set('passing', 'ok');
    await clock.advance(1000);
    await put('/v1/catalog/deregister', { Node: 'a', ServiceID: 'web1' });
    const all = await rows();
    assert.deepEqual(
      all.map(({ Node, ServiceID, CheckID, From, To, Output }) => [
        ...[Node, ServiceID, CheckID, From, To, Output],
      ]),
      [
        ['a', 'web1', '', 'absent', 'registered', ''],
        ['a', 'web1', 'c', 'absent', 'critical', 'not yet'],
        ['a', 'web1', 'c', 'critical', 'passing', 'ok'],
        ['a', 'web1', '', 'registered', 'absent', ''],
        ['a', 'web1', 'c', 'passing', 'absent', ''],
      ],
    );
    const [first, , third] = all.map(({ Time }) => Date.parse(Time));
    assert.equal((third ?? 0) - (first ?? 0), 1000);
  });

  it('shows the checks of its node from when it came on', async () => {
    const { put, set, told, clock } = await began();
    const Check = { CheckID: 'disk', Name: 'disk', Status: 'passing' };
    await put('/v1/catalog/register', { Node: 'a', Address: '10.0.0.1', Check });
    await clock.advance(1000);
    await set('passing');
    await clock.advance(1000);
    await put('/v1/catalog/register', {
      ...{ Node: 'a', Address: '10.0.0.1', Check: { ...Check, Status: 'critical' } },
    });
    assert.deepEqual(await told(), [
      ...[' absent registered', 'c absent passing', 'disk passing critical'],
    ]);
  });

  it('wakes whoever waits when something changed, and nobody who waits for another', async () => {
    const { set, get } = await began();
    await set('passing');
    const { index } = await get(PATH);
    let woken = false;
    const waiting = get(`${PATH}?index=${index}`).then((answer) => {
      woken = true;
      return answer.json as Row[];
    });
    const other = get(`/v1/internal/history/service/other?index=1&wait=10m`, {
      signal: AbortSignal.timeout(60_000),
    }).catch(() => undefined);
    await set('warning');
    await until(() => woken);
    assert.equal((await waiting).at(-1)?.To, 'warning');
    void other;
  });

  it('gives the newest ?limit, from ?since on, and refuses what is neither', async () => {
    const { set, told, get, clock } = await began();
    for (const status of ['passing', 'warning', 'passing']) {
      await set(status);
      await clock.advance(1000);
    }
    assert.deepEqual(await told(`${PATH}?limit=1`), ['c warning passing']);
    const since = new Date(clock.now() - 2000).toISOString();
    assert.deepEqual(await told(`${PATH}?since=${since}`), [
      'c passing warning',
      'c warning passing',
    ]);
    const seconds = (clock.now() - 1000) / 1000;
    assert.deepEqual(await told(`${PATH}?since=${seconds}`), ['c warning passing']);
    for (const bad of [
      'limit=0',
      'limit=-1',
      'limit=x',
      'limit=1e3',
      'since=x',
      'since=2026-13-45',
    ]) {
      assert.equal((await get(`${PATH}?${bad}`)).status, 400, bad);
    }
  });

  it('shows under a token what that may see', async () => {
    const access = new FakeAccess({
      web: 'node_prefix "" { policy = "read" } service "web" { policy = "read" }',
      nodeless: 'service "web" { policy = "read" }',
    });
    const { put, get } = await startServerWith({ access });
    await put('/v1/catalog/register', webOn('a', checkOf('passing')), withToken(MASTER));
    await put('/v1/catalog/deregister', { Node: 'a' }, withToken(MASTER));
    const seen = async (token: string, path: string) =>
      ((await get(`/v1/internal/${path}`, withToken(token))).json as unknown[]).length;
    assert.equal(await seen('web', 'history/service/web'), 4);
    assert.equal(await seen('nodeless', 'history/service/web'), 0);
    assert.equal(await seen('nodeless', 'history/node/a'), 0);
    const available = await get('/v1/internal/availability/service/web', withToken('nodeless'));
    assert.deepEqual((available.json as { Instances: unknown[] }).Instances, []);
  });
});

interface Availability {
  readonly Standing: string;
  readonly Windows: readonly {
    readonly Window: string;
    readonly Available: number | null;
    readonly UpSeconds: number;
    readonly KnownSeconds: number;
    readonly Outages: number;
    readonly MeanRecoverySeconds: number | null;
    readonly InstancesAvailable: number | null;
  }[];
  readonly Instances: readonly { readonly Detection: readonly object[] }[];
}

describe('GET /v1/internal/availability/service/:service', () => {
  const AVAILABILITY = '/v1/internal/availability/service/web';

  it('is not reckoned where too much is remembered: everybody else would wait', async () => {
    const { put, get } = await began();
    const node = { CheckID: 'n', Name: 'n' };
    for (let n = 0; n < 100; n++) {
      const Status = n % 2 === 0 ? 'passing' : 'critical';
      await put('/v1/catalog/register', {
        Node: 'a',
        Address: '10.0.0.1',
        Check: { ...node, Status },
      });
    }
    for (let n = 0; n < 205; n++) {
      const Service = { ID: `web-${n}`, Service: 'web' };
      await put('/v1/catalog/register', { Node: 'a', Address: '10.0.0.1', Service });
    }
    const { status, text } = await get(AVAILABILITY);
    assert.equal(status, 413);
    assert.match(text, /more than 20000 changes of it are remembered/);
  });

  it('says how each window went, part by part, where that is asked for', async () => {
    const { set, get, put, clock } = await began();
    await set('passing');
    await put(
      '/v1/catalog/register',
      webOn('b', { Check: { CheckID: 'c', Name: 'c', Status: 'critical', ServiceID: 'web1' } }),
    );
    await clock.advance(30 * 60_000);
    await set('critical');
    await clock.advance(15 * 60_000);
    const { Windows } = (await get(`${AVAILABILITY}?steps=4`)).json as {
      Windows: { Steps: { Available: number | null; InstancesAvailable: number | null }[] }[];
    };
    assert.deepEqual(
      Windows[0]?.Steps.map(({ Available, InstancesAvailable }) => [Available, InstancesAvailable]),
      [
        [null, null],
        [1, 0.5],
        [1, 0.5],
        [0, 0],
      ],
    );
    assert.deepEqual(
      Windows.map(({ Steps }) => Steps.length),
      [4, 4, 4],
    );
    for (const steps of ['101', '-1', 'x', '1.5']) {
      assert.equal((await get(`${AVAILABILITY}?steps=${steps}`)).status, 400, steps);
    }
  });

  it('is exact to the second', async () => {
    const { set, get, clock } = await began();
    for (const [status, seconds] of [
      ...([
        ['passing', 30],
        ['critical', 10],
        ['passing', 20],
      ] as const),
    ]) {
      await set(status);
      await clock.advance(seconds * 1000);
    }
    const { Windows, Standing } = (await get(AVAILABILITY)).json as Availability;
    assert.equal(Standing, 'up');
    const [hour] = Windows;
    assert.deepEqual(
      [hour?.UpSeconds, hour?.KnownSeconds, hour?.Available, hour?.Outages],
      [50, 60, 5 / 6, 1],
    );
    assert.deepEqual([hour?.MeanRecoverySeconds, hour?.InstancesAvailable], [10, 5 / 6]);
    assert.deepEqual(
      Windows.map(({ Window }) => Window),
      ['1h', '24h', '720h'],
    );
  });

  it('goes on with the time where nothing is written, for the leader marks it', async () => {
    const { set, get, clock } = await began();
    await set('passing');
    for (let i = 0; i < 20; i++) await clock.advance(30_000);
    const { Windows } = (await get(AVAILABILITY)).json as Availability;
    assert.deepEqual([Windows[0]?.UpSeconds, Windows[0]?.KnownSeconds], [600, 600]);
  });

  it('has figures of a thousand instances at most, of which each has those of three windows', async () => {
    const { put, get } = await began();
    const at = { Node: 'a', Address: '10.0.0.1' };
    await Promise.all(
      Array.from({ length: 1002 }, (_, n) =>
        put('/v1/catalog/register', { ...at, Service: { ID: `web-${n}`, Service: 'web' } }),
      ),
    );
    for (const [asked, shown] of [
      ['', 100],
      ['?limit=10000', 1000],
    ] as const) {
      const { json } = await get(`${AVAILABILITY}${asked}`);
      const { Instances, InstancesLeftOut } = json as Availability & { InstancesLeftOut: number };
      assert.deepEqual([Instances.length, InstancesLeftOut], [shown, 1002 - shown]);
    }
  });

  it('says of the checks of which it is known how long a failure goes unseen', async () => {
    const { put, get } = await began();
    const Definition = { Interval: '10s', Timeout: '2s' };
    const { Check } = checkOf('passing');
    await put('/v1/catalog/register', webOn('a', { Check: { ...Check, Definition } }));
    const { Instances } = (await get(AVAILABILITY)).json as Availability;
    assert.deepEqual(Instances[0]?.Detection, [
      { CheckID: 'c', WithinSeconds: 12, MadeOf: ['Interval 10s', 'Timeout 2s'] },
    ]);
  });

  it('knows nothing of a service that nobody remembers', async () => {
    const { get } = await began();
    const { Standing, Windows } = (await get(AVAILABILITY)).json as Availability;
    assert.deepEqual([Standing, Windows[0]?.Available], ['absent', null]);
  });
});

describe('PUT /v1/snapshot', () => {
  const save = async ({ port }: TestServer) =>
    Buffer.from(await (await fetch(`http://127.0.0.1:${port}/v1/snapshot`)).arrayBuffer());

  it('brings the history of an archive of ours, and nothing is known of what was in between', async () => {
    const one = await startServer();
    const { set } = await began(one);
    for (const status of ['passing', 'critical', 'passing']) await set(status, status);
    await one.put('/v1/catalog/register', webOn('gone'));
    await one.put('/v1/catalog/deregister', { Node: 'gone' });
    const archive = await save(one);
    const other = await began();
    await other.clock.advance(3600_000);
    await other.set('warning');
    const restored = await other.put('/v1/snapshot', archive);
    assert.equal(restored.status, 200, restored.text);
    const before = (await one.get(PATH)).json;
    assert.deepEqual(await other.rows(), before);
    const { gaps } = other.server.state.history;
    assert.equal(gaps.all.length, 1);
  });

  it('of which it has none, the history begins anew', async () => {
    const { set, told, put, ...one } = await began();
    await set('passing');
    const archive = await save({ ...one, put } as TestServer);
    // As another program would have written it.
    one.server.state.history.setLimits({ perCheck: 0, inAll: 1, ageMs: 1 });
    const bare = await save({ ...one, put } as TestServer);
    assert.notEqual(bare.length, archive.length);
    const other = await began();
    await other.set('critical');
    await other.put('/v1/snapshot', bare);
    assert.deepEqual(await other.told(), [' unknown registered', 'c unknown passing']);
    assert.notEqual(other.server.state.history.gaps.since, 0);
    void told;
  });
});
