import type { Answer, Refusal } from '../../../web/core/refusal.ts';

/** Answers when the spec says so, on a clock that goes on when the spec says so. */
export class Played {
  readonly asked: string[] = [];
  #answers: { resolve: (answer: Answer<never>) => void; reject: (error: unknown) => void }[] = [];
  #timers: { at: number; call: () => void }[] = [];
  #now = 0;

  /** A piece of what is answered comes, and not all of it. */
  comes: () => void = () => undefined;
  readonly told: string[] = [];
  /** A line of what is listened to; one with nothing new where nothing is said. */
  tells: (value?: string) => void = () => undefined;
  ends: (by?: Refusal) => Promise<void> = async () => undefined;
  listening = false;
  /** How many have a place, and the end of the turn of all of them. */
  places = 0;
  /** What was said last of a place. */
  placeIs = '';
  turn = new AbortController();

  readonly around = {
    lost: (_: unknown, said: string) => void this.told.push(`lost ${said}`),
    answered: () => void this.told.push('answered'),
    place: async () => {
      this.places++;
      const is = (what: string) => () => {
        this.placeIs = what;
      };
      is('wanted')();
      const leave = () => void this.places--;
      return { over: this.turn.signal, comes: is('comes'), waits: is('waits'), leave };
    },
    ask: <T>(path: string, signal: AbortSignal, comes: () => void) =>
      new Promise<Answer<T>>((resolve, reject) => {
        this.asked.push(path);
        this.comes = comes;
        const answer = { resolve, reject };
        this.#answers.push(answer);
        signal.addEventListener('abort', () => {
          this.#answers = this.#answers.filter((each) => each !== answer);
          reject(signal.reason);
        });
      }),
    listen: <T>(path: string, signal: AbortSignal, each: (answer?: Answer<T>) => void) =>
      new Promise<void>((resolve, reject) => {
        this.asked.push(path);
        this.listening = true;
        this.tells = (value) => {
          if (value === undefined) each();
          else each({ value: value as T, index: 0n, isPartial: false, mark: '' });
        };
        this.ends = async (by) => {
          this.listening = false;
          if (by) reject(by);
          else resolve();
          await settled();
        };
        signal.addEventListener('abort', () => {
          this.listening = false;
          reject(signal.reason);
        });
      }),
    after: (ms: number, call: () => void) => {
      const timer = { at: this.#now + ms, call };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      };
    },
    random: () => 0.5,
    now: () => this.#now,
  };

  /** It is the turn of others: the next place is for another turn. */
  async turnEnds(): Promise<void> {
    const { turn } = this;
    this.turn = new AbortController();
    turn.abort();
    await settled();
  }

  get timers(): number {
    return this.#timers.length;
  }

  async answers(
    value: unknown,
    index: number | bigint,
    { isPartial = false, mark = '' } = {},
  ): Promise<void> {
    const answer = { value, index: BigInt(index), isPartial, mark };
    this.#answers.shift()?.resolve(answer as Answer<never>);
    await settled();
  }

  async refuses(error: unknown): Promise<void> {
    this.#answers.shift()?.reject(error);
    await settled();
  }

  async passes(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [due] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.#now = due.at;
      this.#timers = this.#timers.filter((each) => each !== due);
      due.call();
      await settled();
    }
    this.#now = end;
  }
}

export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
