import assert from 'node:assert/strict';
import { tuningIn, tuningOf } from '../../lib/balance/tunings.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { ORIGIN } from '../../lib/place.ts';
import type { Ask } from '../../sidecar/follow.ts';
import { Nearness } from '../../sidecar/nearness.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { startBackend } from '../support/servers/backends.ts';
import { agentAt, plain, startSidecar, whoAnswers } from '../support/servers/sidecars.ts';
import { startServer } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

const MINUTE = 60_000;

/** In seconds from where the caller is. */
const at = (x: number) => ({ ...ORIGIN, Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 0.1 });

/** Instances by the names of their nodes, each so many milliseconds from the caller's; undefined: nobody knows. */
async function start(nodes: Readonly<Record<string, number | undefined>>, flags: object = {}) {
  const server = await startServer();
  const stand = (Node: string, ms: number) =>
    server.put('/v1/coordinate/update', { Node, Coord: at(ms / 1000) });
  await server.put('/v1/catalog/register', { Node: 'me', Address: '127.0.0.1' });
  await stand('me', 0);
  const register = async (name: string, port: number, Status = 'passing') =>
    await server.put('/v1/catalog/register', {
      Node: name,
      Address: '127.0.0.1',
      Service: { ID: 'web', Service: 'web', Port: port },
      Checks: [{ CheckID: 'c', ServiceID: 'web', Name: 'c', Status }],
    });
  const ports = new Map<string, number>();
  for (const [name, ms] of Object.entries(nodes)) {
    const { port } = await startBackend(name);
    ports.set(name, port);
    await register(name, port);
    if (ms !== undefined) await stand(name, ms);
  }
  const fails = (name: string) => register(name, ports.get(name) ?? 0, 'critical');
  const { ask: asked, state } = agentAt(server.port);
  let looks = 0;
  const ask: Ask = async (question, signal) => {
    if (question.path === '/v1/agent/self')
      return { index: '', json: { Config: { NodeName: 'me' } } };
    const answer = await asked(question, signal);
    if (question.path === '/v1/coordinate/nodes') looks++;
    return answer;
  };
  const clock = new FakeClock();
  const lost: string[] = [];
  const nearness = new Nearness({ ask, clock, random: seededRandom(1) }, ({ why }) => {
    lost.push(why);
  });
  const ending = new AbortController();
  const said = Object.entries({ near: '2ms', ...flags }).map(([name, text]) =>
    tuningIn(name, String(text)),
  );
  const tuning = tuningOf('web', said);
  const sidecar = await startSidecar(ask, [plain('web', { tuning }, nearness)]);
  await sidecar.untilHealthy(ports.size);
  const names = async (calls = 12) => {
    const found = new Set<string>();
    for (let i = 0; i < calls; i++) found.add(await whoAnswers(sidecar.port));
    return [...found].sort().join();
  };
  const follow = () => void nearness.follow(ending.signal);
  const looked = (times: number) =>
    until(
      () => looks >= times,
      () => looks,
    );
  const mine = { server, stand, fails, names, follow, looked, ending, lost, state };
  return { ...sidecar, ...mine, nearClock: clock };
}

describe('which hosts are near, by coordinates', () => {
  it('has those within the bound called first, and all while nothing is known', async () => {
    const { names, follow, ending } = await start({ a: 1, b: 2.5, c: 9, d: undefined });
    assert.equal(await names(), 'a,b,c,d');
    follow();
    await until(async () => (await names()) === 'a,b');
    ending.abort();
  });

  it('has others help as far as those that are near are not well, and all of it where none is', async () => {
    const { names, follow, fails, untilHealthy, ending } = await start({ a: 1, b: 1, c: 9 });
    follow();
    await until(async () => (await names()) === 'a,b');
    await fails('a');
    await untilHealthy(2);
    // Half of them bear 70 % of the calls.
    assert.equal(await names(40), 'b,c');
    await fails('b');
    await untilHealthy(1);
    assert.equal(await names(), 'c');
    ending.abort();
  });

  it('follows nodes that move, once in a while; who was near stays so for a quarter of the bound', async () => {
    const { names, follow, looked, stand, nearClock, ending } = await start({ a: 1, b: 2.9, c: 9 });
    follow();
    await until(async () => (await names()) === 'a,b');
    await stand('b', 3.3);
    await stand('c', 3.3);
    await nearClock.advance(MINUTE);
    await looked(2);
    assert.equal(await names(), 'a,b');
    await stand('b', 9);
    await stand('c', 1);
    await nearClock.advance(MINUTE);
    await until(async () => (await names()) === 'a,c');
    ending.abort();
  });

  it('does not count with fewer of them than are wanted', async () => {
    const { names, follow, looked, ending } = await start(
      { a: 1, b: 9, c: 9 },
      { 'zone-hosts': 2 },
    );
    follow();
    await looked(1);
    assert.equal(await names(), 'a,b,c');
    ending.abort();
  });

  it('goes by the nearest that is healthy: with that one down those about the next are near', async () => {
    const { names, follow, looked, fails, ending } = await start({ a: 1, b: 30, c: 31, d: 90 });
    follow();
    await looked(1);
    await until(async () => (await names()) === 'a');
    await fails('a');
    await until(async () => (await names()) === 'b,c');
    ending.abort();
  });

  it('stays as it was while the agent is away, and does not count where its own node was never measured', async () => {
    const { names, follow, nearClock, state, lost, ending } = await start({ a: 1, b: 9 });
    follow();
    await until(async () => (await names()) === 'a');
    state.isAway = true;
    await nearClock.advance(MINUTE);
    await until(() => lost.length > 0);
    assert.equal(await names(), 'a');
    state.isAway = false;
    ending.abort();
    const unknown = await start({ a: 1, b: 9 });
    await unknown.server.put('/v1/coordinate/update', { Node: 'me', Coord: ORIGIN });
    unknown.follow();
    await unknown.looked(1);
    assert.equal(await unknown.names(), 'a,b');
    unknown.ending.abort();
  });

  it('says why nothing is known where coordinates are off', async () => {
    const lost: string[] = [];
    const ask: Ask = ({ path }) =>
      path === '/v1/agent/self'
        ? Promise.resolve({ index: '', json: { Config: { NodeName: 'me' } } })
        : Promise.reject(new ProconsulError('unauthorized', 'Coordinate support disabled'));
    const clock = new FakeClock();
    const nearness = new Nearness({ ask, clock, random: seededRandom(1) }, ({ why }) => {
      lost.push(why);
    });
    const ending = new AbortController();
    const following = nearness.follow(ending.signal);
    await until(() => lost.length > 0);
    assert.deepEqual(lost, ['Coordinate support disabled']);
    ending.abort();
    await following;
  });
});
