import { Work } from '../../lib/slices.ts';

/** What it comes to, for someone who wants it to the end. */
export async function whole<T>(made: T | Work<T>): Promise<T> {
  if (!(made instanceof Work)) return made;
  const leave = made.want();
  try {
    return await made.result;
  } finally {
    leave();
  }
}

/** Counts the loop's turns, and what is done in one of them. */
export class Turns {
  #turns = 0;
  readonly #counts = new Map<string, number>();
  #next: NodeJS.Immediate | undefined;

  constructor() {
    running.push(this);
    this.#turn();
  }

  /** How often it was said in this turn. */
  count(what: string): number {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return count;
  }

  /** How many turns there were. */
  stop(): number {
    clearImmediate(this.#next);
    return this.#turns;
  }

  #turn(): void {
    this.#next = setImmediate(() => {
      this.#turns++;
      this.#counts.clear();
      this.#turn();
    });
  }
}

const running: Turns[] = [];

afterEach(() => {
  for (const turns of running.splice(0)) turns.stop();
});
