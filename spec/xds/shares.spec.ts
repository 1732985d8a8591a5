import assert from 'node:assert/strict';
import { Shares } from '../../xds/serving/shares.ts';

describe('shares of what there is a limited number of', () => {
  it('are half of it for one address at most, and all of it for all', () => {
    const shares = new Shares(6);
    const took = (peer: string, times: number) =>
      Array.from({ length: times }, () => shares.take(peer)).filter((each) => each !== undefined);
    const [first] = took('10.0.0.1', 9);
    assert.equal(took('10.0.0.1', 1).length, 0);
    assert.equal(took('::1', 2).length, 2);
    assert.equal(took('10.0.0.2', 9).length, 1);
    first?.();
    first?.();
    assert.equal(took('10.0.0.1', 9).length, 1);
  });

  it('are of a whole network of IPv6: who has one address of it has all', () => {
    const shares = new Shares(6);
    const taken = Array.from({ length: 9 }, (_, i) => shares.take(`[2001:db8:0:1::${i}]`));
    assert.equal(taken.filter((each) => each !== undefined).length, 3);
    assert.notEqual(shares.take('2001:db8:0:2::1'), undefined);
    assert.notEqual(shares.take('::ffff:10.0.0.1'), undefined);
    assert.notEqual(shares.take('::ffff:10.0.0.2'), undefined);
  });
});
