import assert from 'node:assert/strict';
import { Pace } from '../../xds/serving/pace.ts';

describe('the pace at which streams are told', () => {
  it('leaves turns to others, and keeps the order in which they came', async () => {
    const pace = new Pace();
    const told: number[] = [];
    const turns: number[] = [];
    const tell = (what: number) => () => {
      told.push(what);
      return 1;
    };
    for (let i = 0; i < 100; i++) pace.soon(tell(i));
    while (told.length < 100) {
      await new Promise((resolve) => setImmediate(resolve));
      turns.push(told.length);
    }
    assert.deepEqual(
      told,
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.ok(turns.length >= 3, `${turns}`);
    pace.soon(tell(100));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told.at(-1), 100);
  });

  it('goes by what they were worth: of those that have much to look at a turn has few', async () => {
    const pace = new Pace();
    let told = 0;
    for (let i = 0; i < 10; i++) {
      pace.soon(() => {
        told++;
        return 20;
      });
    }
    const turns: number[] = [];
    while (told < 10) {
      await new Promise((resolve) => setImmediate(resolve));
      turns.push(told);
    }
    assert.deepEqual(turns, [2, 4, 6, 8, 10]);
  });
});
