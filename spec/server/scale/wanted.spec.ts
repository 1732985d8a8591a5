import assert from 'node:assert/strict';
import {
  type ServiceScaling,
  scalingOf,
} from '../../../lib/config-entries/kinds/service-scaling.ts';
import { NS_PER_MS } from '../../../lib/duration.ts';
import { NO_LOAD, type ServiceLoad, STEP_MS } from '../../../lib/load.ts';
import { type Measured, measuredSoFar } from '../../../server/scale/measured.ts';
import { type Asked, wantedOf } from '../../../server/scale/wanted.ts';
import { type Look, runScaled } from '../../support/experiments/scaled-service.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SEEDS = Array.from({ length: 6 }, (_, i) => SEED + i);

function scalingFor(over: Partial<ServiceScaling> = {}): ServiceScaling {
  const aims = { Min: 1, Max: 100, CPUPercent: 60 };
  return scalingOf({ Kind: 'service-scaling', Name: 'web', ...aims, ...over } as ServiceScaling);
}

interface Told {
  readonly instances: number;
  /** Of how many something is told. */
  readonly told?: number;
  readonly load: (ms: number) => Partial<ServiceLoad>;
}

/** Ten minutes of the same. */
function measuredOf({ instances, told = instances, load }: Told, steps = 20): Measured {
  let measured: Measured = { service: 'web', steps: [] };
  for (let i = 0; i < steps; i++) {
    const ms = told * STEP_MS;
    const heard = { ...NO_LOAD, told, counted: told, ms, memoryOver: ms, ...load(ms) };
    measured = measuredSoFar(measured, { step: i, load: heard, instances, seasonMs: 0 });
  }
  return measured;
}

const AFTER = 20 * STEP_MS;
const all = (count: number) => ({ there: count, living: count });
const cpu = (share: number) => (ms: number) => ({ cpuMs: share * ms });

function wanted(told: Told, over: Partial<ServiceScaling> = {}, instances = told.instances) {
  const measured = measuredOf(told);
  return wantedOf({ scaling: scalingFor(over), measured, instances: all(instances), now: AFTER });
}

describe('how many instances are wanted', () => {
  it('is so many that each is used as is aimed at', () => {
    const { Wanted, HeldBy, Signals, Reason } = wanted({ instances: 4, load: cpu(0.9) });
    assert.deepEqual([Wanted, HeldBy], [6, 'nothing']);
    assert.deepEqual(Signals, [{ By: 'cpu', Measured: 90, Target: 60, Enough: 6, Told: 4 }]);
    assert.equal(Reason, 'cpu: 90% of each, with 60% aimed at, 6.00 instances would do');
  });

  it('is the most that any signal says', () => {
    const load = (ms: number) => ({
      cpuMs: 0.3 * ms,
      memoryMs: 0.8 * ms,
      requestMs: ms,
      requests: (ms / 1000) * 20,
    });
    const over = { MemoryPercent: 80, RequestsPerSecond: 10 };
    const { Wanted, Signals } = wanted({ instances: 4, load }, over);
    assert.equal(Wanted, 8);
    assert.deepEqual(
      Signals.map(({ By, Enough }) => [By, Enough]),
      [
        ['cpu', 2],
        ['memory', 4],
        ['requests', 8],
      ],
    );
  });

  it('stays within Min and Max, and says so', () => {
    const high = wanted({ instances: 4, load: cpu(0.9) }, { Max: 5 });
    assert.deepEqual([high.Wanted, high.HeldBy], [5, 'Max']);
    const low = wanted({ instances: 4, load: cpu(0.01) }, { Min: 3 });
    assert.deepEqual([low.Wanted, low.HeldBy], [3, 'Min']);
    const none = wantedOf({
      scaling: scalingFor({ Min: 2 }),
      measured: undefined,
      instances: all(0),
      now: 0,
    });
    assert.deepEqual([none.Wanted, none.HeldBy], [2, 'Min']);
  });

  it('stays as it is near what is aimed at, and where nothing is told', () => {
    assert.equal(wanted({ instances: 10, load: cpu(0.65) }).HeldBy, 'tolerance');
    const measured = measuredOf({ instances: 4, load: cpu(0.9) });
    const asked = { scaling: scalingFor(), measured, instances: all(4) };
    const late = wantedOf({ ...asked, now: AFTER + 5 * STEP_MS });
    assert.deepEqual([late.Wanted, late.HeldBy], [4, 'no measure']);
  });

  it('rises by no more than it may, from what there were', () => {
    const { Wanted, HeldBy } = wanted({ instances: 4, load: cpu(1) }, { CPUPercent: 10 });
    assert.deepEqual([Wanted, HeldBy], [8, 'rise']);
    // Four came within the minute: no more for now.
    const more = wanted({ instances: 4, load: cpu(1) }, { CPUPercent: 10 }, 8);
    assert.deepEqual([more.Wanted, more.HeldBy], [8, 'rise']);
  });

  it('falls when fewer were enough for a while, of all of which something is known', () => {
    assert.equal(wanted({ instances: 10, load: cpu(0.3) }).Wanted, 6, 'five, and a tenth to spare');
    const short = measuredOf({ instances: 10, load: cpu(0.3) }, 8);
    const asked = { scaling: scalingFor(), measured: short, instances: all(10) };
    const early = wantedOf({ ...asked, now: 8 * STEP_MS });
    assert.deepEqual([early.Wanted, early.HeldBy], [10, 'fall']);
    const at = { FallAfter: 0 };
    const now = wantedOf({ ...asked, scaling: scalingFor(at), now: 8 * STEP_MS });
    assert.equal(now.Wanted, 6);
  });

  it('is not made more or less by instances of which nothing is told', () => {
    const high = wanted({ instances: 8, told: 4, load: cpu(0.9) });
    assert.deepEqual([high.Wanted, high.HeldBy], [8, 'tolerance'], 'four do the work of six');
    const low = wanted({ instances: 8, told: 4, load: cpu(0.3) });
    assert.equal(low.Wanted, 7, 'four do the work of two; the others do what they should');
    const very = wanted({ instances: 8, told: 4, load: cpu(1) }, { CPUPercent: 25 });
    assert.equal(very.Wanted, 16);
  });

  it('counts none that are critical and tell nothing: somebody has left them behind', () => {
    const scaling = scalingFor();
    const wantedNow = (told: Told, instances: Asked['instances']) =>
      wantedOf({ scaling, measured: measuredOf(told), instances, now: AFTER });
    const left = wantedNow({ instances: 10, load: cpu(0.6) }, { there: 15, living: 10 });
    assert.deepEqual([left.Wanted, left.HeldBy], [10, 'tolerance']);
    // All are critical, for they have too much to do: they tell, and so they live.
    const busy = wantedNow({ instances: 0, told: 10, load: cpu(0.9) }, { there: 10, living: 0 });
    assert.deepEqual([busy.Wanted, busy.HeldBy], [15, 'nothing']);
    const none = wantedOf({
      scaling,
      measured: undefined,
      instances: { there: 5, living: 0 },
      now: 0,
    });
    assert.deepEqual([none.Wanted, none.HeldBy], [5, 'no measure']);
  });

  it('keeps those that were started a moment ago and are critical still, as long as others', () => {
    let measured = measuredOf({ instances: 4, load: cpu(0.9) });
    const ms = 4 * STEP_MS;
    for (let step = 20; step < 24; step++) {
      const load = { ...NO_LOAD, told: 4, ms, cpuMs: 0.6 * ms };
      measured = measuredSoFar(measured, { step, load, instances: 4, seasonMs: 0 });
    }
    const asked = { scaling: scalingFor(), measured, instances: { there: 6, living: 4 } };
    const now = wantedOf({ ...asked, now: 24 * STEP_MS });
    assert.deepEqual([now.Wanted, now.HeldBy], [6, 'fall']);
    const brief = { ...asked, scaling: scalingFor({ FallAfter: MINUTE * NS_PER_MS }) };
    assert.equal(wantedOf({ ...brief, now: 24 * STEP_MS }).Wanted, 4);
  });
});

describe(`a service that is scaled (seeds ${SEED} and on)`, () => {
  const startsInMs = MINUTE;
  /** How often it went up after it had gone down, or the other way. */
  const turns = (looks: readonly Look[]) => {
    const moves = looks.slice(1).flatMap(({ instances }, i) => {
      const move = Math.sign(instances - (looks[i]?.instances ?? instances));
      return move === 0 ? [] : [move];
    });
    return moves.filter((move, i) => i > 0 && move !== moves[i - 1]).length;
  };
  const needed = ({ demand }: Look) => Math.max(1, Math.ceil(demand / 0.6));

  for (const seed of SEEDS) {
    const of = (noise: number) => ({
      scaling: scalingFor(),
      random: seededRandom(seed),
      ...{ startsInMs, noise },
    });

    it(`does not flap under a load that is noisy and the same (${seed})`, () => {
      const level = 3 + (seed % 7) * 2.3;
      const looks = runScaled({ ...of(0.2), demand: () => level }, 6, 2);
      const settled = looks.filter(({ t }) => t > HOUR);
      assert.ok(turns(settled) <= 2, `${turns(settled)} turns`);
      const counts = settled.map(({ instances }) => instances);
      const [least, most] = [Math.min(...counts), Math.max(...counts)];
      assert.ok(most - least <= 1 + 0.15 * most, `from ${least} to ${most}`);
    });

    it(`follows a step up and down, with a bounded overshoot (${seed})`, () => {
      const demand = (t: number) => (t > HOUR && t < 2 * HOUR ? 12 : 3);
      const beginsCritical = seed % 2 === 0;
      const looks = runScaled({ ...of(0.1), demand, beginsCritical }, 3, 5);
      const most = Math.max(...looks.map(({ instances }) => instances));
      assert.ok(most <= 20 * 1.25, `${most} where 20 are needed`);
      const late = looks.filter(({ t }) => t > HOUR + 8 * MINUTE && t < 2 * HOUR);
      assert.ok(
        late.every(({ share }) => share < 0.6 * 1.3),
        'it is up eight minutes later',
      );
      const end = looks.at(-1) as Look;
      assert.ok(end.instances <= 6, `${end.instances} are left where 5 are needed`);
      assert.ok(turns(looks) <= 3, `${turns(looks)} turns`);
    });

    it(`starts no more for those that die and leave their rows behind (${seed})`, () => {
      const demand = () => 6;
      const looks = runScaled({ ...of(0.1), demand, beginsCritical: true, dying: 0.05 }, 6, 10);
      const counts = looks.filter(({ t }) => t > HOUR).map(({ instances }) => instances);
      const most = Math.max(...counts);
      assert.ok(most <= 13, `${most} where 10 are needed`);
    });

    it(`is there before the load that comes each day, where it is predicted (${seed})`, () => {
      const season = { Season: 4 * HOUR * NS_PER_MS, Ahead: 8 * MINUTE * NS_PER_MS };
      // A sudden hour within each four.
      const demand = (t: number) => (t % (4 * HOUR) > HOUR && t % (4 * HOUR) < 2 * HOUR ? 12 : 3);
      const run = (scaling: ServiceScaling, seasonMs: number) => {
        const looks = runScaled({ ...of(0.05), scaling, demand, seasonMs }, 24, 5);
        const days = looks.filter(({ t }) => t > 12 * HOUR);
        return days.filter(({ share }) => share > 0.95).length;
      };
      const without = run(scalingFor(), 0);
      const predicted = run(scalingFor(season), 4 * HOUR);
      assert.ok(predicted * 3 < without, `overloaded ${predicted} times, and ${without} without`);
    });
  }

  it('needs no more than it should in the long run', () => {
    const demand = (t: number) => 6 + 4 * Math.sin((2 * Math.PI * t) / (6 * HOUR));
    const random = seededRandom(SEED);
    const looks = runScaled(
      { scaling: scalingFor(), random, startsInMs, noise: 0.1, demand },
      24,
      5,
    );
    const mean = (of: (look: Look) => number) =>
      looks.reduce((sum, look) => sum + of(look), 0) / looks.length;
    const [had, least] = [mean(({ instances }) => instances), mean(needed)];
    assert.ok(had < least * 1.25, `${had} on average, where ${least} were needed`);
  });
});
