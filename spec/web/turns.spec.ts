import assert from 'node:assert/strict';
import { Turns } from '../../web/core/turns.ts';
import { Played } from '../support/fakes/played-queries.ts';

class Window {
  /** What it was told, in turn: which question has a place, or is to leave it. */
  readonly told: string[] = [];
  readonly #holds = new Set<number>();
  readonly #says: ReturnType<Turns['opened']>;

  /** One that has gone without a word leaves no place. */
  constructor(turns: Turns, leaves = true) {
    this.#says = turns.opened(({ is, id }) => {
      this.told.push(`${is} ${id}`);
      if (is === 'yours') this.#holds.add(id);
      else if (leaves) this.leaves(id);
    });
  }

  get holds(): readonly number[] {
    return [...this.#holds];
  }

  wants(...ids: readonly number[]): void {
    for (const id of ids) this.#says({ is: 'wanted', id });
  }

  /** What it was told to leave. */
  wantsAgain(): void {
    const left = this.told.splice(0).filter((told) => told.startsWith('over'));
    this.wants(...left.map((told) => Number(told.slice('over '.length))));
  }

  leaves(id: number): void {
    this.#holds.delete(id);
    this.#says({ is: 'left', id });
  }

  says(is: 'comes' | 'waits', id: number): void {
    this.#says({ is, id });
  }

  isUsed(): void {
    this.#says({ is: 'here', id: 0 });
  }

  closes(): void {
    this.#holds.clear();
    this.#says({ is: 'gone', id: 0 });
  }
}

describe('turns of the windows of a browser', () => {
  const start = () => {
    const played = new Played();
    return { played, turns: new Turns(played.around) };
  };

  it('are no turns while there are places for all', async () => {
    const { played, turns } = start();
    const one = new Window(turns);
    one.wants(1, 2, 3);
    await played.passes(3_600_000);
    assert.deepEqual(one.told, ['yours 1', 'yours 2', 'yours 3']);
    assert.equal(played.timers, 0);
  });

  it('give a place to each that wants one, however many there are, and never to more than four', async () => {
    const { played, turns } = start();
    const windows = Array.from({ length: 7 }, () => new Window(turns));
    for (const each of windows) each.wants(1, 2, 3);
    const held = () => windows.flatMap(({ holds }, w) => holds.map((id) => `${w} ${id}`));
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      assert.equal(held().length, 4);
      for (const each of held()) seen.add(each);
      await played.passes(1000);
      for (const each of windows) each.wantsAgain();
    }
    assert.equal(seen.size, 21);
  });

  it('are for the others: the window that somebody is at has places at once, and keeps them', async () => {
    const { played, turns } = start();
    const [first, other] = [new Window(turns), new Window(turns)];
    other.wants(1, 2, 3, 4);
    first.isUsed();
    first.wants(1, 2, 3);
    assert.deepEqual([first.holds, other.holds], [[1, 2, 3], [4]]);
    other.wants(1, 2, 3);
    await played.passes(2000);
    assert.deepEqual([first.holds, other.holds], [[1, 2, 3], [1]]);
    other.isUsed();
    assert.deepEqual([first.holds, other.holds], [[3], [1, 2, 3]]);
  });

  it('go on without a window that was closed, or has gone without a word', async () => {
    const { played, turns } = start();
    const [silent, closed] = [new Window(turns, false), new Window(turns)];
    silent.wants(1, 2);
    closed.wants(1, 2);
    const other = new Window(turns);
    other.wants(1, 2, 3);
    closed.closes();
    assert.deepEqual(other.holds, [1, 2]);
    await played.passes(2000);
    assert.deepEqual([silent.told.at(-1), other.holds], ['over 1', [1, 2]]);
    await played.passes(2000);
    assert.deepEqual(other.holds, [1, 2, 3]);
    await played.passes(3_600_000);
    assert.equal(played.timers, 0);
  });

  it('leave its place to what comes by now, however slowly, and are never more than four with it', async () => {
    const { played, turns } = start();
    const [slow, other] = [new Window(turns), new Window(turns)];
    slow.wants(1, 2, 3, 4);
    for (const id of [1, 2, 3, 4]) slow.says('comes', id);
    other.wants(1, 2);
    other.isUsed();
    for (let piece = 0; piece < 10; piece++) {
      await played.passes(60_000);
      for (const id of [1, 2, 3]) slow.says('comes', id);
    }
    // Of the fourth nothing came for long.
    assert.deepEqual([slow.holds, other.holds], [[1, 2, 3, 4], [1]]);
    slow.leaves(1);
    assert.deepEqual(other.holds, [1, 2]);
    // One that came whole, and waits for more, has its turn as any.
    other.wants(3);
    assert.deepEqual(other.holds, [1, 2]);
    slow.says('waits', 2);
    assert.deepEqual([slow.told.at(-1), other.holds], ['over 2', [1, 2, 3]]);
  });

  it('are not over for what begins to come just as it is told to leave', async () => {
    const { played, turns } = start();
    const [late, other] = [new Window(turns, false), new Window(turns)];
    late.wants(1, 2, 3, 4);
    other.wants(1);
    await played.passes(2000);
    assert.equal(late.told.at(-1), 'over 1');
    late.says('comes', 1);
    assert.equal(late.told.at(-1), 'over 2');
    await played.passes(2000);
    assert.deepEqual([late.holds, other.holds], [[1, 2, 3, 4], [1]]);
    late.leaves(1);
    late.leaves(3);
    late.leaves(4);
    other.wants(2, 3);
    assert.deepEqual(other.holds, [1, 2, 3]);
  });
});
