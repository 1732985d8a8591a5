/**
 * Who of all windows of a browser holds a connection that waits. A browser has six to a server for all of them together:
 * held by questions that wait, none is left for the page of the next window. So many places there are; the window that
 * somebody is at has its own first, and all others take turns.
 */
export interface Said {
  /**
   * Of a question: it wants a place; what it asks for comes by now, and it keeps the place; it waits again; it leaves. Of all
   * of a window: somebody is at it by now; it is closed.
   */
  readonly is: 'wanted' | 'comes' | 'waits' | 'left' | 'here' | 'gone';
  readonly id: number;
}
/** To the window whose question it is. */
export interface Told {
  readonly is: 'yours' | 'over';
  readonly id: number;
}

/** As whoever asks has it. */
export interface Place {
  /** Aborted where it is somebody else's turn. */
  readonly over: AbortSignal;
  /** It is not to be over while what was asked for comes; said again and again. */
  readonly comes: () => void;
  readonly waits: () => void;
  readonly leave: () => void;
}

interface Question {
  readonly window: object;
  readonly id: number;
  readonly tell: (told: Told) => void;
}

interface Holder extends Question {
  readonly since: number;
  is: 'waiting' | 'leaving' | 'coming';
  /** Of the time after which it has gone without a word. */
  cancelGone: () => void;
}

interface Surroundings {
  readonly now: () => number;
  readonly after: (ms: number, call: () => void) => () => void;
}

/** Two of six are left for whatever is asked and answered at once. */
const PLACES = 4;
/** A place is kept for so long at least, whoever else wants it. */
const TURN_MS = 2000;
/** Who does not leave when told to has gone without a word. */
const LEAVE_MS = 2000;
/** Nor does anything come any more then: whoever asked has given it up. */
const COMES_MS = 75_000;

export class Turns {
  readonly #around: Surroundings;
  #first: object | undefined;
  /** The oldest first. */
  #holders: Holder[] = [];
  #wanting: Question[] = [];
  #cancelTurn: () => void = () => undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** For one more window: what it is told, and what it says. */
  opened(tell: (told: Told) => void): (said: Said) => void {
    const window = {};
    return (said) => {
      const { is, id } = said;
      if (is === 'here') this.#first = window;
      else if (is === 'wanted') this.#wanting.push({ window, id, tell });
      else if (is === 'comes' || is === 'waits') this.#stands(window, id, is);
      else this.#leave((each) => each.window === window && (is === 'gone' || each.id === id));
      this.#settle();
    };
  }

  /** What it was told to leave it keeps, where that comes by now. */
  #stands(window: object, id: number, is: 'comes' | 'waits'): void {
    const holder = this.#holders.find((each) => each.window === window && each.id === id);
    if (holder === undefined || (is === 'waits' && holder.is !== 'coming')) return;
    holder.cancelGone();
    holder.is = is === 'comes' ? 'coming' : 'waiting';
    if (is === 'comes') holder.cancelGone = this.#goneAfter(COMES_MS, holder);
  }

  #leave(isMeant: (each: Question) => boolean): void {
    for (const each of this.#holders) if (isMeant(each)) each.cancelGone();
    this.#holders = this.#holders.filter((each) => !isMeant(each));
    this.#wanting = this.#wanting.filter((each) => !isMeant(each));
  }

  #settle(): void {
    this.#wanting.sort((a, b) => Number(this.#isFirst(b)) - Number(this.#isFirst(a)));
    while (this.#wanting.length > 0 && this.#holders.length < PLACES) this.#give();
    this.#endTurns();
  }

  #give(): void {
    const question = this.#wanting.shift();
    if (question === undefined) return;
    const cancelGone = () => undefined;
    this.#holders.push({ ...question, since: this.#around.now(), is: 'waiting', cancelGone });
    question.tell({ is: 'yours', id: question.id });
  }

  /**
   * As many as are wanted; for who is at a window at once, else of those alone that had their turn. Each may leave while it
   * is told to, and all is looked at anew then.
   */
  #endTurns(): void {
    this.#cancelTurn();
    const leaving = this.#holders.filter(({ is }) => is === 'leaving').length;
    const next = this.#wanting[leaving];
    const oldest = this.#holders.find((each) => each.is === 'waiting' && !this.#isFirst(each));
    if (next === undefined || oldest === undefined) return;
    const { now, after } = this.#around;
    const leftMs = this.#isFirst(next) ? 0 : oldest.since + TURN_MS - now();
    if (leftMs > 0) {
      this.#cancelTurn = after(leftMs, () => this.#settle());
      return;
    }
    this.#end(oldest);
    this.#endTurns();
  }

  #end(holder: Holder): void {
    holder.is = 'leaving';
    holder.cancelGone = this.#goneAfter(LEAVE_MS, holder);
    holder.tell({ is: 'over', id: holder.id });
  }

  #goneAfter(ms: number, holder: Holder): () => void {
    return this.#around.after(ms, () => {
      this.#leave((each) => each === holder);
      this.#settle();
    });
  }

  #isFirst({ window }: Question): boolean {
    return window === this.#first;
  }
}
