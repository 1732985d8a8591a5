import assert from 'node:assert/strict';
import { OwnPlace } from '../../../agent/servers/own-place.ts';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { distanceS, ORIGIN } from '../../../lib/place.ts';
import { HeardPlaces } from '../../../server/cluster/heard-places.ts';
import { Movers } from '../../../server/cluster/movers.ts';
import { History } from '../../support/experiments/history.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serverInfo } from '../../support/servers/upstreams.ts';

const BEAT_MS = 2000;
/** Between the servers' three cities, in seconds there and back; and within one. */
const APART_S = [
  [0.001, 0.06, 0.18],
  [0.06, 0.001, 0.18],
  [0.18, 0.18, 0.001],
] as const;
/** A tenth of a second from all that is. */
const LIAR = { ...ORIGIN, Vec: ORIGIN.Vec.map(() => 1), Height: 1, Error: 0 };

const apartS = (a: number, b: number) => APART_S[a % 3]?.[b % 3] ?? 0;

/** A server in each city, and so many agents in each, that beat to them as agents do. */
function start(seed: number, inEach: number) {
  const [clock, random] = [new FakeClock(), seededRandom(seed)];
  const { state } = new History();
  const heard = [0, 1, 2].map(
    (i) =>
      new HeardPlaces({
        ...{ self: { id: `s${i}`, node: `s${i}` }, state: () => state, clock, random },
        ...{ propose: () => Promise.reject(new Error('nobody is there')), logger: silentLogger },
      }),
  );
  const agents = Array.from({ length: 3 * inEach }, (_, city) => {
    const servers = new ServerList(clock, random);
    servers.add(heard.map((_, i) => serverInfo(`s${i}`, `10.0.0.${i}:8300`)));
    return { city, servers, place: new OwnPlace({ servers, clock, random }) };
  });
  const beat = ({ city, servers, place }: (typeof agents)[number]) => {
    const key = place.keyOf(`node:a${city}`, BEAT_MS);
    const at = heard.findIndex((_, i) => `s${i}` === servers.placed(key)[0]?.ID);
    const server = heard[at] as HeardPlaces;
    server.take(`a${city}`, place.told(key));
    // Each fifth beat waits somewhere.
    const waited = random.next() < 0.2 ? random.next() * 0.005 : random.next() * 0.0003;
    place.heard(server.answered(0), 1000 * (apartS(city, at) + waited));
  };
  const pass = async (seconds: number, liars = 0) => {
    for (let ms = 0; ms < seconds * 1000; ms += BEAT_MS) {
      for (const agent of agents) beat(agent);
      for (let i = 0; i < liars; i++)
        for (const [at, server] of heard.entries())
          server.take(`liar${i}`, { Coord: LIAR, Server: `s${at}`, Seconds: 1e-6 });
      await clock.advance(BEAT_MS);
    }
  };
  /** By how much the farthest off of all guesses is, beyond a fifth of what it is about. */
  const worstMs = () => {
    const off = agents.flatMap((a) =>
      agents.map((b) => {
        if (a === b) return 0;
        const is = apartS(a.city, b.city);
        return Math.abs(distanceS(a.place.coordinate, b.place.coordinate) - is) - is / 5;
      }),
    );
    return 1000 * Math.max(...off);
  };
  return { pass, worstMs };
}

describe('places of agents and servers in three cities', () => {
  for (const seed of [1, 2, 3]) {
    it(`are known within four minutes, though agents measure servers alone (seed ${seed})`, async () => {
      const { pass, worstMs } = start(seed, 2);
      await pass(240);
      assert.ok(worstMs() < 5, `${worstMs()}`);
    });

    it(`stay known where one of several lies to all servers at each beat (seed ${seed})`, async () => {
      const { pass, worstMs } = start(seed, 3);
      await pass(240);
      await pass(600, 1);
      assert.ok(worstMs() < 8, `${worstMs()}`);
    });

    it(`come to be known though one of many lies from the first beat on (seed ${seed})`, async () => {
      const { pass, worstMs } = start(seed, 4);
      await pass(480, 1);
      assert.ok(worstMs() < 8, `${worstMs()}`);
    });
  }
});

describe('Movers', () => {
  it('let each node move a server once in five seconds, and all together 64 times in one', () => {
    const movers = new Movers();
    assert.equal(movers.mayMove('a', 10_000), true);
    assert.equal(movers.mayMove('A', 11_000), false);
    assert.equal(movers.mayMove('a', 15_000), true);
    const others = Array.from({ length: 100 }, (_, i) => movers.mayMove(`n${i}`, 15_000));
    assert.equal(others.filter(Boolean).length, 63);
  });

  it('let a node move a server little farther than most want to', () => {
    const movers = new Movers();
    assert.equal(movers.mostS('liar', 3), 0.0005);
    assert.equal(movers.mostS('a', 0.01), 0.0005);
    assert.equal(movers.mostS('b', -0.02), 0.04);
    assert.equal(movers.mostS('liar', 3), 0.04);
    assert.equal(movers.mostS('other liar', 3), 0.04);
    for (const node of ['a', 'b', 'c']) movers.mostS(node, 0.0001);
    assert.equal(movers.mostS('liar', 3), 0.0005);
    // Whoever is not heard of any more counts no more.
    for (let i = 0; i < 100; i++) movers.mostS(`n${i}`, 0.1);
    assert.equal(movers.mostS('liar', 3), 0.2);
  });
});
