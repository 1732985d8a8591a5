import assert from 'node:assert/strict';
import { Sample } from '../../../lib/metrics/sample.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { liveBytes } from '../../support/heap.ts';
import { SEED } from '../../support/seed.ts';

describe('a sample', () => {
  it(`tells quantiles to within a tenth, whatever was observed (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const sample = new Sample();
    const values = Array.from({ length: 5000 }, () => 0.01 * 10 ** (random.next() * 5));
    for (const value of values) sample.observe(value);
    values.sort((a, b) => a - b);
    for (const q of [0.01, 0.5, 0.9, 0.99]) {
      const exact = values[Math.ceil(q * values.length) - 1] ?? 0;
      const ratio = sample.recent().quantile(q) / exact;
      assert.ok(ratio > 0.9 && ratio < 1.1, `${q}: ${ratio} of it`);
    }
  });

  it('counts exactly what is at most a power of two of microseconds', () => {
    const sample = new Sample();
    for (const ms of [0.05, 0.063, 0.065, 1, 500, 1e9, 0, -1, Number.NaN]) sample.observe(ms);
    const all = sample.all();
    assert.deepEqual(
      [all.upTo(0.064), all.upTo(0.128), all.upTo(1.024), all.upTo(524.288)],
      [5, 6, 7, 8],
    );
    assert.equal(all.count, 9);
  });

  it('forgets the interval before the last, and nothing in its sums', () => {
    const sample = new Sample();
    sample.observe(1);
    sample.roll();
    sample.observe(2);
    sample.observe(4);
    assert.deepEqual([sample.last.sum, sample.current.sum, sample.recent().max], [1, 6, 4]);
    sample.roll();
    sample.roll();
    assert.equal(sample.recent().count, 0);
    assert.ok(Number.isNaN(sample.recent().quantile(0.5)));
    assert.deepEqual([sample.count, sample.all().sum], [3, 7]);
  });

  it('hands out some of the values where there are many, and how many there were', () => {
    const sample = new Sample();
    sample.keepRaw();
    sample.observe(3);
    assert.deepEqual(sample.takeRaw(), { values: [3], of: 1 });
    for (let i = 0; i < 100; i++) sample.observe(i);
    const { values, of } = sample.takeRaw();
    assert.deepEqual([values.length, of], [16, 100]);
    assert.deepEqual(sample.takeRaw(), { values: [], of: 0 });
  });

  it('takes no memory for what it observes', async () => {
    const sample = new Sample();
    for (let i = 0; i < 1000; i++) sample.observe(i);
    const before = await liveBytes();
    for (let i = 0; i < 1_000_000; i++) sample.observe(i % 1000);
    const after = await liveBytes();
    assert.equal(sample.count, 1_001_000);
    assert.ok(after.heap - before.heap < 100_000, `${after.heap - before.heap} bytes more`);
  }).timeout(60_000);
});
