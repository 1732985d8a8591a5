import assert from 'node:assert/strict';
import { Pace } from '../../cli/progress.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

describe('the pace of what lasts', () => {
  function start(work: ConstructorParameters<typeof Pace>[0]) {
    const clock = new FakeClock();
    const lines: string[] = [];
    const pace = new Pace(work, (line) => void lines.push(line), clock);
    return { clock, lines, pace };
  }

  it('says how far it is, how fast it goes and how long that leaves', async () => {
    const { clock, lines, pace } = start({ what: 'restoring', total: 40e6 });
    await clock.advance(2000);
    pace.at(8e6);
    await clock.advance(2000);
    pace.at(39.9e6);
    assert.deepEqual(lines, [
      'restoring 8.0 MB of 40.0 MB, 4.0 MB/s, 8s left',
      'restoring 39.9 MB of 40.0 MB, 10.0 MB/s, 1s left',
    ]);
  });

  it('counts keys, and says no end where nobody knows it', async () => {
    const { clock, lines, pace } = start({ what: 'importing', unit: 'keys' });
    await clock.advance(1000);
    pace.at(350);
    assert.deepEqual(lines, ['importing 350 keys, 350 keys/s']);
  });

  it('shows nothing of what is over at once, and no more often than can be read', async () => {
    const { clock, lines, pace } = start({ what: 'saving' });
    await clock.advance(400);
    pace.at(1e6);
    pace.end();
    assert.deepEqual(lines, []);
    await clock.advance(200);
    for (let at = 0; at < 100; at++) pace.at(at * 1e6);
    pace.end();
    assert.equal(lines.length, 2);
    assert.equal(lines.at(-1), '');
  });

  it('says minutes and hours of what takes long', async () => {
    const { clock, lines, pace } = start({ what: 'writing', total: 1e9 });
    await clock.advance(10_000);
    pace.at(10e6);
    await clock.advance(90_000);
    pace.at(10e6);
    assert.match(lines[0] ?? '', /, 17min left$/);
    assert.match(lines[1] ?? '', /, 2\.8h left$/);
  });
});
