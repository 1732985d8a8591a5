import assert from 'node:assert/strict';
import type { Fault } from './faults/fault.ts';
import { shrink } from './shrink.ts';

const faults = Array.from({ length: 9 }, (_, i): Fault => {
  return { gene: i, atMs: i, lastsMs: 0, what: `fault ${i}`, strike: () => undefined };
});
const at = (left: readonly Fault[]) => left.map(({ atMs }) => atMs);

describe('shrinking a schedule of faults', () => {
  it('leaves the two that it takes', async () => {
    const both = async (left: readonly Fault[]) => [2, 7].every((each) => at(left).includes(each));
    assert.deepEqual(at(await shrink(faults, both, 1000)), [2, 7]);
  });

  it('leaves none where it fails without any', async () => {
    assert.deepEqual(await shrink(faults, async () => true, 1000), []);
  });

  it('leaves all where it takes all, and gives up in time', async () => {
    let attempts = 0;
    const all = async (left: readonly Fault[]) => {
      attempts++;
      return left.length === faults.length;
    };
    assert.deepEqual(at(await shrink(faults, all, 5)), at(faults));
    assert.equal(attempts, 5);
  });
});
