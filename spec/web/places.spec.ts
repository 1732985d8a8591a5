import assert from 'node:assert/strict';
import { type Line, Places } from '../../web/core/places.ts';
import { type Place, type Told, Turns } from '../../web/core/turns.ts';
import { Played, settled } from '../support/fakes/played-queries.ts';

type Hear = (told?: Told) => void;

/** A browser with a worker, which a spec ends without a word. */
class Browser {
  readonly played = new Played();
  /** How many workers it has begun. */
  begun = 0;
  isThere = true;
  #turns = new Turns(this.played.around);
  #worker = 0;

  /** Another one begins with whoever asks for it next. */
  ends({ begins = true } = {}): void {
    this.#worker++;
    this.#turns = new Turns(this.played.around);
    this.isThere = begins;
  }

  window(): Places {
    const { played } = this;
    const places = new Places({
      ...played.around,
      isUsed: () => false,
      open: (hear) => this.#line(hear),
    });
    places.start();
    return places;
  }

  #line(hear: Hear): Line {
    const mine = this.#worker;
    let isOpen = this.isThere;
    if (isOpen) this.begun++;
    const says = this.#turns.opened((told) => isOpen && hear(told));
    const answers = () => queueMicrotask(() => isOpen && mine === this.#worker && hear());
    answers();
    return {
      say: (said) => {
        if (!isOpen || mine !== this.#worker) return;
        if (said === undefined) answers();
        else says(said);
      },
      close: () => {
        isOpen = false;
      },
    };
  }
}

/** Which questions have had a place. */
function asking(places: Places, ...names: readonly string[]) {
  const given: string[] = [];
  const held = new Set<Place>();
  const end = new AbortController();
  for (const name of names) {
    const taken = (place: Place) => {
      given.push(name);
      held.add(place);
      place.over.addEventListener('abort', () => {
        held.delete(place);
        place.leave();
      });
    };
    places.take(end.signal).then(taken, () => undefined);
  }
  const leave = () => {
    for (const each of held) each.leave();
    end.abort();
  };
  return { given, held, leave };
}

describe('the places that a window asks for', () => {
  it('are those of one worker while it answers, however long', async () => {
    const browser = new Browser();
    const window = browser.window();
    const one = asking(window, 'a', 'b');
    await browser.played.passes(3_600_000);
    assert.deepEqual([one.given, browser.begun], [['a', 'b'], 1]);
    one.leave();
    await browser.played.passes(5000);
    assert.equal(browser.played.timers, 0);
  });

  it('are those of another worker where the one that had begun was ended without a word', async () => {
    const browser = new Browser();
    const windows = [browser.window(), browser.window()] as const;
    const [first, second] = windows.map((each) => asking(each, 'a', 'b', 'c'));
    await browser.played.passes(60_000);
    browser.ends();
    const next = asking(windows[0], 'd');
    await settled();
    assert.deepEqual(next.given, []);
    await browser.played.passes(20_000);
    assert.deepEqual([next.given, browser.begun], [['d'], 4]);
    // All of both windows together still.
    const more = asking(windows[1], 'e', 'f');
    await browser.played.passes(10_000);
    assert.deepEqual([more.given.length > 0, browser.begun], [true, 4]);
    for (const each of [first, second, next, more]) each?.leave();
  });

  it("are a window's own where no other worker begins, as where none ever has", async () => {
    const browser = new Browser();
    const window = browser.window();
    await settled();
    browser.ends({ begins: false });
    const begun = asking(window, 'a', 'b');
    const other = browser.window();
    const never = asking(other, 'c');
    await browser.played.passes(10_000);
    assert.deepEqual([begun.given, never.given], [[], []]);
    await browser.played.passes(20_000);
    assert.deepEqual([begun.given, never.given], [['a', 'b'], ['c']]);
    // Four each, until a worker begins after all: four together.
    const more = [asking(window, 'd', 'e', 'f'), asking(other, 'g', 'h', 'i')];
    const all = [begun, never, ...more];
    const held = () => all.reduce((sum, each) => sum + each.held.size, 0);
    await settled();
    assert.deepEqual([held(), browser.begun], [8, 1]);
    browser.ends();
    await browser.played.passes(80_000);
    assert.deepEqual([held(), browser.begun], [4, 3]);
    for (const each of all) each.leave();
    await browser.played.passes(60_000);
    assert.equal(browser.played.timers, 0);
  });

  it("are a window's own for good where its browser has no worker", async () => {
    const { played } = new Browser();
    const places = new Places({ ...played.around, isUsed: () => false, open: () => undefined });
    places.start();
    const one = asking(places, 'a', 'b');
    await played.passes(3_600_000);
    assert.deepEqual([one.given, played.timers], [['a', 'b'], 0]);
    one.leave();
  });

  it('are those of the worker still where its window had slept, and looked before it heard', async () => {
    const { played } = new Browser();
    let begun = 0;
    const worker = new Turns(played.around);
    const late: (() => void)[] = [];
    const places = new Places({
      ...played.around,
      isUsed: () => false,
      open: (hear) => {
        begun++;
        const says = worker.opened(hear);
        return { say: (said) => (said ? says(said) : late.push(hear)), close: () => undefined };
      },
    });
    places.start();
    const one = asking(places, 'a');
    for (let look = 0; look < 100; look++) {
      await played.passes(9999);
      for (const hear of late.splice(0)) hear();
    }
    assert.deepEqual([one.given, begun], [['a'], 1]);
    one.leave();
  });
});
