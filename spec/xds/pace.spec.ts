import assert from 'node:assert/strict';
import { Pace } from '../../xds/serving/pace.ts';

describe('the pace at which streams are told', () => {
  it('leaves turns to others, and keeps the order in which they came', async () => {
    const pace = new Pace();
    const told: number[] = [];
    const turns: number[] = [];
    for (let i = 0; i < 100; i++) pace.soon(() => told.push(i));
    while (told.length < 100) {
      await new Promise((resolve) => setImmediate(resolve));
      turns.push(told.length);
    }
    assert.deepEqual(
      told,
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.ok(turns.length >= 3, `${turns}`);
    pace.soon(() => told.push(100));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told.at(-1), 100);
  });
});
