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

  it('are taken from whoever has most for whoever has less, once all are taken', () => {
    const shares = new Shares(6);
    const gone: string[] = [];
    const take = (peer: string, name: string) => {
      const giveBack: (() => void) | undefined = shares.take(peer, () => {
        gone.push(name);
        giveBack?.();
      });
      return giveBack;
    };
    for (const time of [1, 2, 3])
      for (const peer of ['10.0.0.1', '10.0.0.2']) take(peer, peer + time);
    assert.notEqual(take('10.0.0.3', 'a'), undefined);
    const second = take('10.0.0.3', 'b');
    assert.deepEqual(gone, ['10.0.0.13', '10.0.0.23']);
    // Each has as many by now: nobody takes any more from anybody.
    for (const peer of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
      assert.equal(take(peer, 'c'), undefined);
    second?.();
    assert.notEqual(take('10.0.0.4', 'd'), undefined);
    assert.equal(gone.length, 2);
    assert.notEqual(take('10.0.0.3', 'e') ?? take('10.0.0.5', 'e'), undefined);
    assert.deepEqual(gone.slice(2), ['10.0.0.12']);
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
