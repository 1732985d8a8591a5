import assert from 'node:assert/strict';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { LOGS } from '../cluster.ts';
import { AIMS } from '../run.ts';
import { restartBehind, unheard } from './redis.ts';
import { type Aim, drawFaults, isDrawn, parseSchedule, schedule } from './schedule.ts';
import { losePowerAtSync } from './servers.ts';

const UNTIL_MS = 50_000;
const RUNS = 200;

function runs(aim: Aim, log: 'redis' | 'file' = 'redis') {
  return Array.from({ length: RUNS }, (_, seed) => {
    return drawFaults(seededRandom(seed), { log, untilMs: UNTIL_MS, aim });
  });
}

function share(all: ReturnType<typeof runs>, isSo: (what: string[]) => boolean): number {
  return all.filter((faults) => isSo(faults.map(({ what }) => what))).length / all.length;
}

const isUnheard = (what: string) => what.startsWith('a server and Redis hear nothing');
const hasUnheard = (what: string[]) => what.filter(isUnheard).length >= 2;

describe('the faults of a run', () => {
  it('are what the run is for in nearly all runs, as often as it is for it, and beside it others in half', () => {
    const all = runs({ draws: [unheard, unheard] });
    assert(share(all, hasUnheard) > 0.85);
    const others = share(all, (what) => what.length > 2);
    assert(others > 0.3 && others < 0.6, `${others}`);
    assert(share(runs({ draws: [] }), hasUnheard) < 0.2);
  });

  it('are nothing else where that would hide what they show', () => {
    const all = runs({ draws: [unheard], isAlone: true });
    assert(share(all, (what) => what.length === 1 && what.every(isUnheard)) > 0.8);
  });

  it('are drawn under some log at least, whichever a workload is for', () => {
    for (const [name, { draws }] of Object.entries(AIMS)) {
      for (const draw of draws) {
        assert(
          LOGS.some((log) => isDrawn(log, draw)),
          `${name}: ${draw.name}`,
        );
      }
    }
  });

  it('are of their log alone', () => {
    const file = runs({ draws: [unheard, losePowerAtSync] }, 'file');
    assert(share(file, (what) => what.some((each) => each.includes('before its sync'))) > 0.85);
    assert.equal(
      share(file, (what) => what.some(isUnheard)),
      0,
    );
  });

  it('lose what was acknowledged late, if at all, and end in time', () => {
    const all = runs({ draws: [restartBehind] }).flat();
    const losing = all.filter(({ loses }) => loses === true);
    assert(losing.length > 0);
    assert(losing.every(({ atMs }) => atMs >= UNTIL_MS * 0.6));
    assert(all.every(({ atMs, lastsMs }) => atMs >= 0 && atMs + lastsMs <= UNTIL_MS));
  });

  it('are none, or short ones, where a run is over before it has begun', () => {
    for (const untilMs of [2000, 4000, 6000]) {
      for (const draws of [[], [unheard, restartBehind]]) {
        for (let seed = 0; seed < RUNS; seed++) {
          const faults = drawFaults(seededRandom(seed), { log: 'redis', untilMs, aim: { draws } });
          assert(faults.every(({ atMs, lastsMs }) => atMs + lastsMs <= untilMs));
        }
      }
    }
  });

  it('are the same again from their text', () => {
    const [faults = []] = runs({ draws: [unheard] }).filter(({ length }) => length > 3);
    const again = parseSchedule('redis', schedule(faults));
    const said = ({ atMs, what }: (typeof faults)[number]) => `${atMs} ${what}`;
    assert.deepEqual(again.map(said), faults.map(said));
  });
});
