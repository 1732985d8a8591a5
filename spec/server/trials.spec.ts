import assert from 'node:assert/strict';
import { Trials } from '../../server/trials.ts';

/** Writers who are as fast as the way in which they are written allows. */
class Writing {
  now = 1000;
  readonly trials = new Trials(1000);
  /** How many batches went each way. */
  readonly went = { whole: 0, halves: 0 };

  /** Batches of 10, with so many milliseconds between them. */
  batches(count: number, everyMs: { whole: number; halves: number }): void {
    for (let i = 0; i < count; i++) {
      const way = this.trials.inHalves ? 'halves' : 'whole';
      this.went[way]++;
      this.now += everyMs[way];
      this.trials.back(this.now, 10);
    }
  }
}

describe('trials of two ways to write', () => {
  it('begin with the whole, try halves soon, and stay where it is quicker', () => {
    const writing = new Writing();
    assert.equal(writing.trials.inHalves, false);
    writing.batches(100, { whole: 10, halves: 5 });
    assert.equal(writing.trials.inHalves, true);
  });

  it('go back to the whole where halves are slower, and lose little by looking', () => {
    const writing = new Writing();
    writing.batches(2000, { whole: 10, halves: 20 });
    assert.equal(writing.trials.inHalves, false);
    const { whole, halves } = writing.went;
    assert(halves > 0 && halves < whole / 10, `${halves} of ${whole}`);
  });

  it('prefer the whole where both are about as quick', () => {
    const writing = new Writing();
    for (let i = 0; i < 20; i++) writing.batches(50, { whole: 10, halves: 9.5 });
    const { whole, halves } = writing.went;
    assert(halves < whole / 5, `${halves} of ${whole}`);
  });

  it('find out when it has changed, either way', () => {
    const writing = new Writing();
    writing.batches(500, { whole: 10, halves: 5 });
    writing.batches(1000, { whole: 10, halves: 30 });
    assert.equal(writing.trials.inHalves, false);
    writing.batches(1000, { whole: 10, halves: 5 });
    assert.equal(writing.trials.inHalves, true);
  });

  it('begin anew after a time in which nearly nobody wrote, with what was better then', () => {
    const writing = new Writing();
    writing.batches(500, { whole: 10, halves: 5 });
    writing.batches(3, { whole: 5000, halves: 5000 });
    assert.equal(writing.trials.inHalves, true);
    writing.batches(500, { whole: 10, halves: 30 });
    assert.equal(writing.trials.inHalves, false);
  });

  it('need enough batches for a look: a slow disk has few in its time', () => {
    const writing = new Writing();
    writing.batches(3 * 8, { whole: 50, halves: 20 });
    assert.equal(writing.trials.inHalves, true);
  });
});
