import assert from 'node:assert/strict';
import { WarmUp, type WarmUpDeps } from '../../../cli/process/warm-up.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { until } from '../../support/until.ts';

describe('the warm-up of a server', () => {
  function start(deps: Partial<WarmUpDeps> = {}) {
    const clock = new FakeClock();
    const lines: string[] = [];
    const logger = { ...silentLogger, debug: (line: string) => void lines.push(line) };
    const system = { clock, random: seededRandom(1), logger };
    const warmUp = new WarmUp({ system, applied: () => 0, ...deps });
    warmUp.start();
    return { warmUp, clock, lines };
  }

  const untilAsked = (warmUp: WarmUp) =>
    until(
      () => warmUp.asked > 0,
      () => 'nothing is answered',
    );

  it('has as many requests answered as it is to, and leaves no timer behind', async () => {
    const { warmUp, clock, lines } = start({ requests: 100 });
    await warmUp.over();
    assert.equal(warmUp.asked, 100);
    assert.deepEqual([lines, clock.armed], [[], 0]);
  });

  it('ends once others have written as much as warms a process', async () => {
    let applied = 0;
    const { warmUp, lines } = start({ requests: 1_000_000, applied: () => applied });
    await untilAsked(warmUp);
    applied = 200;
    await warmUp.over();
    assert.deepEqual(lines, []);
  });

  it('ends with the process, whether it has begun or not, and once', async () => {
    const before = start({ requests: 1_000_000 });
    await before.warmUp.stop();
    assert.equal(before.warmUp.asked, 0);
    const after = start({ requests: 1_000_000 });
    await untilAsked(after.warmUp);
    await after.warmUp.stop();
    await after.warmUp.stop();
    assert.deepEqual([before.clock.armed, after.clock.armed], [0, 0]);
  });

  it('goes on for ten seconds at most, and the log at debug says so', async () => {
    const { warmUp, clock, lines } = start({ requests: 1_000_000 });
    await untilAsked(warmUp);
    await clock.advance(10_000);
    await warmUp.over();
    assert.match(lines.join('\n'), /^server: not warm: /);
  });
});
