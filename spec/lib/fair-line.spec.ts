import assert from 'node:assert/strict';
import { FairLine } from '../../lib/fair-line.ts';

describe('a line that is fair to networks', () => {
  /** One who stands in it for so long a turn, and notes that it came. */
  function stands(
    ms: number,
    came: () => void = () => undefined,
    refuse: () => void = () => assert.fail(),
  ) {
    return {
      take: () => {
        came();
        return ms;
      },
      refuse,
    };
  }

  it('gives turns in the order in which those of one network came', () => {
    const line = new FairLine(100);
    const came: number[] = [];
    for (let n = 0; n < 10; n++)
      line.enter(
        'a',
        stands(1, () => came.push(n)),
      );
    while (line.size > 0) line.takeOne();
    assert.deepEqual(
      came,
      [...came].sort((a, b) => a - b),
    );
    assert.equal(came.length, 10);
  });

  it('gives each of many networks as much time, whatever a turn takes', () => {
    const line = new FairLine(10_000);
    const got = new Map<number, number>();
    const costs = [1, 3, 10, 40];
    for (let network = 0; network < 40; network++) {
      const ms = costs[network % costs.length] as number;
      const came = () => got.set(network, (got.get(network) ?? 0) + ms);
      for (let n = 0; n < 200; n++) line.enter(`${network}`, stands(ms, came));
    }
    for (let all = 0; all < 40 * 150; ) all += line.takeOne();
    const times = [...got.values()];
    assert(Math.max(...times) - Math.min(...times) <= 40, times.join());
  });

  it('forgets within a turn or two that one took an hour: the process stood still', () => {
    const line = new FairLine(1000);
    const got = { still: 0, other: 0 };
    const again = (of: 'still' | 'other') => {
      line.enter(
        of,
        stands(of === 'still' && got.still === 0 ? 3_600_000 : 10, () => got[of]++),
      );
    };
    again('still');
    again('other');
    for (let n = 0; n < 1000; n++) {
      const before = { ...got };
      line.takeOne();
      again(got.still > before.still ? 'still' : 'other');
    }
    assert(got.still > 400, JSON.stringify(got));
  });

  it('has places for so many, and refuses the newest of a network with more than its share', () => {
    const line = new FairLine(100);
    const refused: string[] = [];
    const enter = (of: string) =>
      line.enter(
        of,
        stands(1, undefined, () => refused.push(of)),
      );
    for (let n = 0; n < 200; n++) enter('many');
    assert.equal(refused.length, 100);
    for (let n = 0; n < 10; n++) enter(`${n}`);
    assert.deepEqual(new Set(refused), new Set(['many']));
    assert.equal(refused.length, 110);
    for (let n = 10; n < 300; n++) enter(`${n}`);
    assert.equal(line.size, 100);
    // Who has a place and no more than his share keeps it.
    assert(!refused.some((of) => of !== 'many' && Number(of) < 90), refused.join());
  });

  it('remembers no network for longer than others have to catch up', () => {
    const line = new FairLine(1000);
    // Somebody always stands there.
    for (let n = 0; n < 500; n++) line.enter('long', stands(1));
    for (let n = 0; n < 20_000; n++) {
      line.enter(`${n}`, stands(1));
      line.takeOne();
      if (line.size < 400) line.enter('long', stands(1));
    }
    assert(line.networks < 1500, `${line.networks}`);
    const leaves = Array.from({ length: 400 }, (_, n) => line.enter(`x${n}`, stands(1)));
    for (const leave of leaves) assert.equal(leave(), true);
    for (const leave of leaves) assert.equal(leave(), false);
    while (line.size > 0) line.takeOne();
    assert.equal(line.networks, 0);
  });

  it('stands whatever a turn does to it', () => {
    const line = new FairLine(1000);
    let came = 0;
    const others: (() => boolean)[] = [];
    line.enter(
      'a',
      stands(5, () => {
        for (const leave of others) leave();
        line.enter(
          'a',
          stands(1, () => came++),
        );
      }),
    );
    for (const of of ['a', 'b', 'a', 'c']) others.push(line.enter(of, stands(1)));
    while (line.size > 0) line.takeOne();
    assert.deepEqual([came, line.networks], [1, 0]);
  });
});
