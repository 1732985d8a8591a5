import assert from 'node:assert/strict';
import { LOAD_PATH, LOOK_MS, STEP_MS } from '../../../lib/load.ts';
import { dump, Restoring } from '../../../server/state/snapshot.ts';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const PATH = '/v1/internal/performance/service/web';

interface Figures {
  readonly Window: string;
  readonly ToldSeconds: number;
  readonly Instances: number;
  readonly Requests: number;
  readonly RequestsPerSecond: number | null;
  readonly Errors: number;
  readonly ErrorShare: number | null;
  readonly LatencyMs: { readonly P50: number; readonly P90: number; readonly P99: number } | null;
}

async function began() {
  const server = await startServer();
  const { put, get, clock } = server;
  for (const Node of ['a', 'b']) {
    const Service = { ID: 'web', Service: 'web' };
    await put('/v1/catalog/register', { Node, Address: '10.0.0.1', Service });
  }
  // A step begins.
  await clock.advance(STEP_MS - (clock.now() % STEP_MS));
  /** Each of two agents, of each quarter of a minute. */
  const tell = async (times: number, each: object) => {
    for (let i = 0; i < times; i++) {
      // The log has a time only at its entries.
      await put('/v1/kv/time', Buffer.from(String(clock.now())));
      for (const Node of ['a', 'b']) {
        const Instances = [{ ServiceID: 'web', RequestMs: LOOK_MS, ...each }];
        assert.equal((await put(LOAD_PATH, { ID: '', Node, Instances })).status, 200);
      }
      await clock.advance(LOOK_MS);
    }
    const over = Math.floor(clock.now() / STEP_MS) - 1;
    await until(() => steps().at(-1)?.at === over);
  };
  const steps = () => server.server.state.measured.get('web')?.steps ?? [];
  const figures = async () => ((await get(PATH)).json as { Windows: Figures[] }).Windows;
  return { ...server, tell, figures };
}

/** 1,500 answers of a sidecar: 1,350 within 1 ms, 135 within 10 to 20, and 15 that took half a second. */
const ANSWERED = {
  Requests: 1500,
  Errors: 30,
  Latency: [1350, 0, 0, 0, 135, 0, 0, 0, 15],
};

describe('GET /v1/internal/performance/service/:name?steps', () => {
  it('says how each half minute went, and leaves a gap where nothing was told', async () => {
    const { tell, get, clock } = await began();
    await tell(4, ANSWERED);
    await clock.advance(4 * STEP_MS);
    await tell(4, ANSWERED);
    const { Steps } = (await get(`${PATH}?steps`)).json as {
      Steps: (Figures & { Time: string })[];
    };
    assert.equal(Steps.length, 60);
    const told = Steps.map(({ RequestsPerSecond }) => RequestsPerSecond !== null);
    assert.deepEqual(told.slice(-8), [true, true, false, false, false, false, true, true]);
    assert.equal(told.filter(Boolean).length, 4);
    const times = Steps.map(({ Time }) => Date.parse(Time));
    assert.ok(times.every((at, i) => i === 0 || at - (times[i - 1] ?? 0) === STEP_MS));
    assert.deepEqual(Steps.at(-1)?.Instances, 2);
  });
});

describe('GET /v1/internal/performance/service/:name', () => {
  it('says throughput, errors and latency of what sidecars told, over three windows', async () => {
    const { tell, figures } = await began();
    await tell(20, ANSWERED);
    const [minute, five, thirty] = await figures();
    assert.deepEqual(
      { ...minute, LatencyMs: undefined },
      {
        ...{ Window: '1m', ToldSeconds: 60, Instances: 2, Requests: 12_000 },
        ...{ RequestsPerSecond: 200, Errors: 240, ErrorShare: 0.02, LatencyMs: undefined },
      },
    );
    const { P50, P90, P99 } = minute?.LatencyMs ?? {};
    assert.deepEqual([P50, P90, P99], [0.556, 1, 20]);
    assert.deepEqual([five?.ToldSeconds, five?.RequestsPerSecond], [300, 200]);
    assert.deepEqual([thirty?.ToldSeconds, thirty?.Requests], [300, 60_000]);
  });

  it('says nothing of what nobody told, neither that it was quick nor that there was none', async () => {
    const { tell, figures, clock } = await began();
    const nothing = [0, null, null, null];
    const of = (f?: Figures) => [f?.ToldSeconds, f?.RequestsPerSecond, f?.ErrorShare, f?.LatencyMs];
    assert.deepEqual((await figures()).map(of), [nothing, nothing, nothing]);
    // Requests alone, as some services count them.
    await tell(2, { Requests: 150 });
    assert.deepEqual(of((await figures())[0]), [30, 20, 0, null]);
    await clock.advance(10 * 60_000);
    const [minute, five, thirty] = await figures();
    assert.deepEqual([of(minute), of(five)], [nothing, nothing]);
    assert.equal(thirty?.Requests, 600);
  });

  it('believes no more failures than there were requests', async () => {
    const { tell, figures } = await began();
    await tell(2, { Requests: 150, Errors: 99_999 });
    const [minute] = await figures();
    assert.deepEqual([minute?.Errors, minute?.ErrorShare], [600, 1]);
  });

  it('reckons how many a second by the time that they were counted for, where that is a part of a step', async () => {
    const { tell, figures } = await began();
    await tell(2, { RequestMs: LOOK_MS / 3, Requests: 500 });
    assert.equal((await figures())[0]?.RequestsPerSecond, 200);
  });

  it('is told of a service that is scaled as it was, though the scale believes no such number', async () => {
    const { put, tell, figures, get } = await began();
    const entry = { Kind: 'service-scaling', Name: 'web', Max: 500, RequestsPerSecond: 1 };
    await put('/v1/config', entry);
    await tell(4, ANSWERED);
    assert.equal((await figures())[0]?.RequestsPerSecond, 200);
    const { Signals } = (await get('/v1/internal/scale/web')).json as {
      Signals: readonly { Measured: number }[];
    };
    assert.equal(Signals[0]?.Measured, 10);
  });

  it('goes on after a snapshot, and is kept of no more services than there is room for', async () => {
    const { server, tell } = await began();
    await tell(4, ANSWERED);
    const restoring = new Restoring();
    for (const line of dump(server.state)) restoring.add(line);
    assert.deepEqual(
      [...restoring.finish().measured.values()],
      [...server.state.measured.values()],
    );
  });

  it('takes no figures that cannot be', async () => {
    const { put } = await began();
    const many = new Array<number>(15).fill(1);
    for (const bad of [{ Errors: -1 }, { Latency: [-1] }, { Latency: many }, { Latency: ['1'] }]) {
      const Instances = [{ ServiceID: 'web', RequestMs: 1000, Requests: 1, ...bad }];
      const { status } = await put(LOAD_PATH, { ID: '', Node: 'a', Instances });
      assert.equal(status, 400, JSON.stringify(bad));
    }
  });

  it('is for whoever may read the service', async () => {
    const { master, as } = await startAclServer();
    const tokenWith = async (service: string) => {
      const Rules = `service "${service}" { policy = "read" }`;
      const { ID } = await master('PUT', '/v1/acl/policy', { Name: service, Rules });
      const token = await master('PUT', '/v1/acl/token', { Policies: [{ ID }] });
      return token['SecretID'] ?? '';
    };
    assert.equal((await as(await tokenWith('web'), 'GET', PATH)).status, 200);
    assert.equal((await as(await tokenWith('api'), 'GET', PATH)).status, 403);
  });
});
