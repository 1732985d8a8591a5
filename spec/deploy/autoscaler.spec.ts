/**
 * The signal of docs/scaling.md in the loop of a HorizontalPodAutoscaler, as deploy/kubernetes/optional/scaling.yaml has
 * it: pods that take a minute to begin, a load with noise, and metrics that come late or not at all.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { type ServiceScaling, scalingOf } from '../../lib/config-entries/kinds/service-scaling.ts';
import { type Look, runScaled } from '../support/experiments/scaled-service.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { Autoscaler, type AutoscalerOptions } from '../support/kubernetes/autoscaler.ts';
import { SEED } from '../support/seed.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SEEDS = Array.from({ length: 4 }, (_, i) => SEED + i);
/** Of what each may use, so much is aimed at. */
const AIM = 0.6;
/** An autoscaler leaves what is a tenth too few, beside the signal's own tenth. */
const NEAR = AIM * 1.1 * 1.1;

const FILE = new URL('../../deploy/kubernetes/optional/scaling.yaml', import.meta.url);
// biome-ignore lint/suspicious/noExplicitAny: What is where the schema has been looked at.
const MANIFESTS: any[] = parseAllDocuments(readFileSync(FILE, 'utf8')).map((each) => each.toJS());
const specOf = (kind: string) => MANIFESTS.find((each) => each.kind === kind).spec;

/** By KEDA, which makes an autoscaler of its own. */
function byKeda(): AutoscalerOptions {
  const { minReplicaCount, maxReplicaCount, advanced, triggers } = specOf('ScaledObject');
  const { behavior } = advanced.horizontalPodAutoscalerConfig;
  const target = Number(triggers[0].metadata.targetValue);
  return { minReplicas: minReplicaCount, maxReplicas: maxReplicaCount, target, behavior };
}

function byMetrics(): AutoscalerOptions {
  const { minReplicas, maxReplicas, behavior, metrics } = specOf('HorizontalPodAutoscaler');
  const target = Number(metrics[0].external.target.averageValue);
  return { minReplicas, maxReplicas, target, behavior };
}

interface Loop {
  readonly options: AutoscalerOptions;
  /** From what is reckoned to what the autoscaler is told. */
  readonly lateMs: number;
  readonly isAway?: (t: number) => boolean;
}

const LOOPS: Readonly<Record<string, Loop>> = {
  'KEDA, as its manifest has it': { options: byKeda(), lateMs: 15_000 },
  'an adapter, as its manifest has it, a minute and a half late': {
    options: byMetrics(),
    lateMs: 90_000,
  },
  "an adapter, with an autoscaler's own windows, three minutes late": {
    options: { ...byMetrics(), behavior: {} },
    lateMs: 180_000,
  },
};

function run(
  { options, lateMs, isAway = () => false }: Loop,
  seed: number,
  demand: (t: number) => number,
  noise = 0.1,
) {
  const autoscaler = new Autoscaler(options);
  const told: { readonly t: number; readonly wanted: number }[] = [];
  const scaler = (t: number, instances: number, wanted: number) => {
    told.push({ t, wanted });
    const metric = told.findLast((each) => each.t <= t - lateMs)?.wanted;
    return autoscaler.look(t, instances, isAway(t) ? undefined : metric);
  };
  const { minReplicas: Min, maxReplicas: Max } = options;
  const entry = { Kind: 'service-scaling', Name: 'web', Min, Max, CPUPercent: AIM * 100 };
  const scaling = scalingOf(entry as ServiceScaling);
  const random = seededRandom(seed);
  const beginsCritical = seed % 2 === 0;
  return runScaled(
    { scaling, random, demand, noise, scaler, beginsCritical, startsInMs: MINUTE },
    4,
    5,
  );
}

/** How often it went up after it had gone down, or the other way, each time by more than so many. */
function turns(looks: readonly Look[], least = 0): number {
  const moves = looks
    .slice(1)
    .map(({ instances }, i) => instances - (looks[i]?.instances ?? instances))
    .filter((move) => Math.abs(move) > least)
    .map(Math.sign);
  return moves.filter((move, i) => i > 0 && move !== moves[i - 1]).length;
}

const countsOf = (looks: readonly Look[]) => looks.map(({ instances }) => instances);

for (const [name, loop] of Object.entries(LOOPS)) {
  describe(`pods that are scaled by ${name}`, () => {
    for (const seed of SEEDS) {
      it(`do not flap under a load that is noisy and the same (${seed})`, () => {
        const level = 3 + (seed % 3) * 2.3;
        const settled = run(loop, seed, () => level, 0.2).filter(({ t }) => t > HOUR);
        assert.ok(turns(settled) <= 2, `${turns(settled)} turns`);
        const [least, most] = [Math.min(...countsOf(settled)), Math.max(...countsOf(settled))];
        assert.ok(most - least <= 1 + 0.15 * most, `from ${least} to ${most}`);
      });

      it(`follow a step up and down, with a bounded overshoot (${seed})`, () => {
        const demand = (t: number) => (t > HOUR && t < 2 * HOUR ? 8 : 2);
        const looks = run(loop, seed, demand);
        const needed = 8 / AIM;
        const most = Math.max(...countsOf(looks));
        assert.ok(
          most <= Math.ceil(needed * 1.25),
          `${most} where ${Math.ceil(needed)} are needed`,
        );
        const late = looks.filter(
          ({ t }) => t > HOUR + 12 * MINUTE + 3 * loop.lateMs && t < 2 * HOUR,
        );
        const worst = Math.max(...late.map(({ share }) => share));
        assert.ok(worst < NEAR * 1.1, `${worst} of each is used, with ${AIM} aimed at`);
        const end = looks.at(-1) as Look;
        assert.ok(end.instances <= 5, `${end.instances} are left where 4 are needed`);
        // Beside the two steps it goes up or down by one at most: four are enough for a moment, five for the next.
        assert.ok(turns(looks, 1) <= 2, `${turns(looks, 1)} turns`);
        assert.ok(turns(looks) <= 6, `${turns(looks)} turns`);
      });

      it(`stay as they are while nothing can be asked, and come right afterwards (${seed})`, () => {
        const isAway = (t: number) => t > 1.5 * HOUR && t < 2 * HOUR;
        const demand = (t: number) => (t > HOUR && t < 3 * HOUR ? 8 : 2);
        const looks = run({ ...loop, isAway }, seed, demand);
        const away = new Set(countsOf(looks.filter(({ t }) => isAway(t - 15_000))));
        assert.equal(away.size, 1);
        const late = looks.filter(({ t }) => t > 2.25 * HOUR + 3 * loop.lateMs && t < 3 * HOUR);
        assert.ok(late.every(({ share }) => share < NEAR * 1.1));
        const most = Math.max(...countsOf(looks));
        assert.ok(most <= Math.ceil((8 / AIM) * 1.25), `${most}`);
      });
    }
  });
}

describe('an autoscaler as these specs have it', () => {
  const options = { minReplicas: 1, maxReplicas: 100, target: 1 };

  it('leaves what is within a tenth, and takes no more than doubles in a quarter of a minute', () => {
    const one = new Autoscaler(options);
    assert.equal(one.look(0, 20, 22), 20);
    assert.equal(one.look(15_000, 20, 23), 23);
    assert.equal(new Autoscaler(options).look(0, 10, 90), 20);
    assert.equal(new Autoscaler(options).look(0, 2, 90), 6);
  });

  it('goes down by the most of five minutes, unless it is told otherwise', () => {
    const one = new Autoscaler(options);
    assert.equal(one.look(0, 10, 10), 10);
    assert.equal(one.look(60_000, 10, 5), 10);
    assert.equal(one.look(299_000, 10, 4), 10);
    assert.equal(one.look(301_000, 10, 4), 5);
    const scaleDown = { stabilizationWindowSeconds: 0 };
    const other = new Autoscaler({ ...options, behavior: { scaleDown } });
    assert.equal(other.look(0, 10, 10), 10);
    assert.equal(other.look(15_000, 10, 5), 5);
  });

  it('does nothing without a metric, and nothing beyond its bounds', () => {
    const one = new Autoscaler({ ...options, minReplicas: 2, maxReplicas: 12 });
    assert.equal(one.look(0, 5, undefined), 5);
    assert.equal(one.look(0, 10, 50), 12);
    assert.equal(one.look(600_000, 3, 0), 2);
  });
});
