import assert from 'node:assert/strict';
import { readBeatAnswer } from '../../agent/servers/read-answers.ts';
import type { Coordinate } from '../../lib/model.ts';
import {
  distanceS,
  hasMoved,
  isPlace,
  ORIGIN,
  placeAnsweredIn,
  placeToldIn,
  rawDistanceS,
} from '../../lib/place.ts';
import { Vivaldi } from '../../lib/vivaldi.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

type Zone = readonly [x: number, y: number];

/** Zones of a region, in seconds: two milliseconds apart. */
const REGION: readonly Zone[] = [
  [0, 0],
  [0.002, 0],
  [0.0005, 0.0018],
];
/** Cities. */
const LAND: readonly Zone[] = [
  [0, 0],
  [0.02, 0],
  [0.01, 0.03],
  [0.04, 0.04],
];

interface Machine {
  readonly zone: number;
  readonly at: Zone;
  /** To its router. */
  readonly height: number;
  readonly vivaldi: Vivaldi;
  readonly trips: Map<Machine, number[]>;
}

const roundTrip = (a: Machine, b: Machine) =>
  Math.hypot(a.at[0] - b.at[0], a.at[1] - b.at[1]) + a.height + b.height;

/** Machines that measure servers alone, each mostly one: a tenth is noise, and a fifth of all beats waits somewhere. */
function played(seed: number, zones: readonly Zone[], servers: number, beats: number) {
  const random = seededRandom(seed);
  const machine = (i: number): Machine => {
    const zone = i % zones.length;
    const [x, y] = zones[zone] as Zone;
    const near = () => (random.next() - 0.5) * 0.0002;
    const height = 0.0001 + random.next() * 0.0003;
    const at = [x + near(), y + near()] as const;
    return { zone, at, height, vivaldi: new Vivaldi(random), trips: new Map() };
  };
  const there = Array.from({ length: servers }, (_, i) => machine(i));
  const agents = Array.from({ length: 40 }, (_, i) => machine(i));
  const any = () => there[Math.floor(random.next() * servers)] as Machine;
  const homes = agents.map(any);
  for (let beat = 0; beat < beats; beat++) {
    for (const [i, agent] of agents.entries()) {
      const server = random.next() < 0.7 ? (homes[i] as Machine) : any();
      const waited = random.next() < 0.2 ? random.next() * 0.005 : 0;
      const took = roundTrip(agent, server) * (1 + 0.1 * random.next()) + waited;
      const trips = [...(agent.trips.get(server) ?? []), took].slice(-4);
      agent.trips.set(server, trips);
      const before = agent.vivaldi.coordinate;
      agent.vivaldi.observe(server.vivaldi.coordinate, Math.min(...trips));
      server.vivaldi.observe(before, Math.min(...trips));
    }
  }
  return agents;
}

const predicted = (a: Machine, b: Machine) => distanceS(a.vivaldi.coordinate, b.vivaldi.coordinate);

function judged(agents: readonly Machine[]) {
  const pairs = agents.flatMap((a) => agents.flatMap((b) => (a === b ? [] : [[a, b] as const])));
  const faults = pairs
    .map(([a, b]) => Math.abs(predicted(a, b) - roundTrip(a, b)) / roundTrip(a, b))
    .sort((x, y) => x - y);
  const guesses = pairs
    .filter(([a, b]) => a.zone === b.zone)
    .flatMap(([a, b]) => {
      const others = agents.filter((far) => far.zone !== a.zone);
      return others.map((far) => predicted(a, b) < predicted(a, far));
    });
  const right = guesses.filter(Boolean).length / guesses.length;
  return { median: faults[Math.floor(faults.length / 2)] ?? 1, right };
}

describe('Vivaldi', () => {
  for (const seed of [1, 2, 3]) {
    it(`has agents near each other that never met, by servers in three zones alone (seed ${seed})`, () => {
      const { median, right } = judged(played(seed, REGION, 3, 300));
      assert.ok(median < 0.25, `${median}`);
      assert.ok(right > 0.99, `${right}`);
    });

    it(`comes near to the true round trips between cities (seed ${seed})`, () => {
      const { median, right } = judged(played(seed, LAND, 5, 400));
      assert.ok(median < 0.1, `${median}`);
      assert.ok(right > 0.99, `${right}`);
    });

    it(`stands still once it is there: few of its places are worth to be written (seed ${seed})`, () => {
      const agents = played(seed, REGION, 3, 500);
      const later = played(seed, REGION, 3, 1000);
      const moved = agents.filter((agent, i) => {
        const after = later[i]?.vivaldi.coordinate as Coordinate;
        return hasMoved(agent.vivaldi.coordinate, after);
      });
      // Of five hundred beats, some seventeen minutes.
      assert.ok(moved.length <= agents.length / 2, `${moved.length}`);
    });
  }

  it('knows by one server alone how far that is, and not where the others are', () => {
    const agents = played(1, REGION, 1, 300);
    const { right } = judged(agents);
    assert.ok(right > 0.5 && right < 0.99, `${right}`);
  });

  it('is not moved by what nobody can have measured', () => {
    const vivaldi = new Vivaldi(seededRandom(1));
    const other = { ...ORIGIN, Error: 0.5 };
    for (const seconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 11]) {
      vivaldi.observe(other, seconds);
    }
    for (const wrong of [
      { ...other, Vec: [1] },
      { ...other, Vec: [Number.NaN, 0, 0, 0, 0, 0, 0, 0] },
      { ...other, Vec: [1e9, 0, 0, 0, 0, 0, 0, 0] },
      { ...other, Height: -1 },
      { ...other, Error: 99 },
      { ...other, Adjustment: 1e300 },
    ]) {
      vivaldi.observe(wrong, 0.01);
    }
    assert.deepEqual(vivaldi.coordinate, ORIGIN);
  });

  it('stays a place whatever it hears (seed 7)', () => {
    const random = seededRandom(7);
    const vivaldi = new Vivaldi(random);
    for (let i = 0; i < 5000; i++) {
      const Vec = Array.from({ length: 8 }, () => (random.next() - 0.5) * 20);
      const Coord = { Vec, Error: random.next() * 1.5, Adjustment: 0, Height: random.next() * 10 };
      vivaldi.observe(Coord, random.next() * 10);
    }
    const { Vec, Error: error, Height, Adjustment } = vivaldi.coordinate;
    for (const each of [...Vec, error, Height, Adjustment]) {
      assert.ok(Math.abs(each) < 30, JSON.stringify(vivaldi.coordinate));
    }
  });
});

describe('placeToldIn', () => {
  const told = { Coord: ORIGIN, Server: 'a', Seconds: 0.1 };

  it('reads what an agent tells, and nothing beside it', () => {
    const more = { ...told, Coord: { ...ORIGIN, More: 'x' }, Other: 1 };
    assert.deepEqual(placeToldIn(JSON.stringify(more)), told);
  });

  for (const text of [
    undefined,
    '',
    'null',
    '[]',
    '{',
    '{"Coord":{}}',
    JSON.stringify({ ...told, Server: 1 }),
    JSON.stringify({ ...told, Seconds: '1' }),
    JSON.stringify({ ...told, Coord: { ...ORIGIN, Vec: 'abcdefgh' } }),
    JSON.stringify({ ...told, Coord: { ...ORIGIN, Vec: [1, 2] } }),
    JSON.stringify({ ...told, Coord: { ...ORIGIN, Height: null } }),
    JSON.stringify({ ...told, Server: 'x'.repeat(2000) }),
  ]) {
    it(`is nothing for ${String(text).slice(0, 60)}`, () => {
      assert.equal(placeToldIn(text), undefined);
    });
  }
});

describe('a place that somebody wants to spoil', () => {
  const far = { ...ORIGIN, Vec: Array.from({ length: 8 }, () => 10), Height: 10, Error: 0 };

  it('moves no farther than it may', () => {
    const vivaldi = new Vivaldi(seededRandom(1));
    const [first, most] = [vivaldi.coordinate, 0.0005];
    const wants = vivaldi.stepS(far, 1);
    assert.ok(wants < -1, `${wants}`);
    vivaldi.observe(far, 1, most);
    const { Vec, Height } = vivaldi.coordinate;
    assert.ok(Math.hypot(...Vec) + Height - first.Height <= most, JSON.stringify(Vec));
  });

  it('is adjusted by what most say', () => {
    const vivaldi = new Vivaldi(seededRandom(1));
    const at = { ...ORIGIN, Vec: [0.002, 0, 0, 0, 0, 0, 0, 0], Error: 0.1 };
    for (let i = 0; i < 400; i++) {
      vivaldi.observe(at, 0.002);
      // As many as a third of all stand where it does itself, and say that they are far.
      if (i % 2 === 0) vivaldi.observe({ ...vivaldi.coordinate, Error: 0 }, 0.0999, 0.0005);
    }
    const { Adjustment } = vivaldi.coordinate;
    assert.ok(Math.abs(Adjustment) < 0.002, `${Adjustment}`);
  });

  it('is a place still, and is moved still, whatever it is told', () => {
    const vivaldi = new Vivaldi(seededRandom(1));
    const at = { ...ORIGIN, Vec: [0.1, 0, 0, 0, 0, 0, 0, 0], Error: 0 };
    // Whoever is told where it stands is exactly right about it each time.
    for (let i = 0; i < 3000; i++) vivaldi.observe(at, rawDistanceS(vivaldi.coordinate, at));
    for (const seconds of [5e-324, 1e-7, 1e-6, 10, Number.NaN, Number.POSITIVE_INFINITY]) {
      vivaldi.observe(at, seconds);
      assert.ok(isPlace(vivaldi.coordinate), `${seconds}: ${JSON.stringify(vivaldi.coordinate)}`);
    }
    for (let i = 0; i < 100; i++) {
      vivaldi.observe(far, 1e-6);
      assert.ok(isPlace(vivaldi.coordinate), JSON.stringify(vivaldi.coordinate));
    }
    const before = vivaldi.coordinate.Vec;
    vivaldi.observe(at, 0.05);
    assert.notDeepEqual(vivaldi.coordinate.Vec, before);
  });

  for (const said of [
    undefined,
    null,
    'x',
    {},
    { Server: 's', TookMs: 1, Coord: { ...ORIGIN, Error: null } },
    { Server: 's', TookMs: 1, Coord: { ...ORIGIN, Height: 1e9 } },
    { Server: 1, TookMs: 1, Coord: ORIGIN },
  ]) {
    it(`leaves an answer that says ${JSON.stringify(said)?.slice(0, 50)} all else that it says`, () => {
      assert.equal(placeAnsweredIn(said), undefined);
      const answer = readBeatAnswer(
        JSON.stringify({ Servers: [], Known: true, NextMs: 5000, Here: said }),
      );
      assert.equal(answer.Known, true);
    });
  }
});
