/**
 * A request at one host, and at a second beside it where the first is slow: the first good answer counts, and whoever
 * has none by then is given up.
 */
import type { Hedging } from '../../lib/balance/hedging.ts';
import type { Host } from '../../lib/balance/host.ts';
import type { Cancel, Clock } from '../../lib/clock.ts';
import type { Target } from '../target.ts';
import type { AnswerHead } from './answer-parser.ts';
import type { Body } from './body.ts';
import type { Head } from './head.ts';
import type { Failure } from './retry-rules.ts';
import { type Asked, Try, type TryOptions } from './try.ts';

export interface HedgedTryOptions extends TryOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly hedging: Hedging;
  /** Whom to ask as well, once; undefined where nobody may be. */
  readonly beside: () => Beside | undefined;
}

export interface Beside {
  readonly target: Target;
  readonly host: Host;
  /** Its place is free again. */
  readonly give: () => void;
}

interface Running {
  readonly tried: Try;
  readonly begun: number;
  readonly give: () => void;
}

export class HedgedTry implements Asked {
  readonly #options: HedgedTryOptions;
  #running: readonly Running[];
  /** Who answered, or would have last. */
  #shown: Try;
  #cancel: Cancel = () => undefined;

  constructor(options: HedgedTryOptions) {
    this.#options = options;
    const { target, host } = options;
    const first = this.#one({ target, host, give: () => undefined });
    this.#running = [first];
    this.#shown = first.tried;
  }

  get address(): string {
    return this.#shown.address;
  }

  start(head: Head, body: Body | undefined): void {
    const { clock, hedging } = this.#options;
    const { slowMs } = hedging;
    if (slowMs !== undefined) this.#cancel = clock.after(slowMs, () => this.#slow(head, body));
    this.#shown.start(head, body);
  }

  isFault(status: number): boolean {
    return this.#shown.isFault(status);
  }

  judge(ok: boolean): void {
    for (const { tried } of this.#running) tried.judge(ok);
  }

  pause(): void {
    for (const { tried } of this.#running) tried.pause();
  }

  resume(): void {
    for (const { tried } of this.#running) tried.resume();
  }

  abort(): void {
    this.#end((tried) => tried.abort());
  }

  over(): void {
    this.#end((tried) => tried.over());
  }

  #end(how: (tried: Try) => void): void {
    this.#cancel();
    const all = this.#running;
    this.#running = [];
    for (const { tried, give } of all) {
      how(tried);
      give();
    }
  }

  #one({ target, host, give }: Beside): Running {
    const { clock, buffered, owner } = this.#options;
    const tried: Try = new Try({
      ...{ target, host, clock, buffered },
      owner: {
        answered: (head, isLast) => this.#answered(one, head, isLast),
        data: (chunk) => owner.data(chunk),
        ended: (trailers) => owner.ended(trailers),
        failed: (failure) => this.#failed(one, failure),
        upgraded: (head, called, rest) => owner.upgraded(head, called, rest),
      },
    });
    const one = { tried, begun: clock.monotonic(), give };
    return one;
  }

  #slow(head: Head, body: Body | undefined): void {
    if (this.#running.length !== 1) return;
    const beside = this.#options.beside();
    if (beside === undefined) return;
    const second = this.#one(beside);
    this.#running = [...this.#running, second];
    second.tried.start(head, body);
  }

  #answered(one: Running, head: AnswerHead, isLast: boolean): void {
    const { clock, hedging, owner } = this.#options;
    const isFault = one.tried.isFault(head.status);
    const others = this.#running.filter((each) => each !== one);
    if (isFault && others.length > 0) {
      // The other may do better; and who fails at once would win each race.
      one.tried.judge(false);
      one.tried.abort();
      this.#leave(one);
      return;
    }
    this.#cancel();
    // Who was slower took as long as that at least: without the slow ones, ever less would be slow.
    const now = clock.monotonic();
    if (!isFault) for (const { begun } of this.#running) hedging.took(now - begun);
    for (const other of others) {
      if (!isFault) other.tried.outrun();
      other.tried.abort();
      this.#leave(other);
    }
    this.#shown = one.tried;
    owner.answered(head, isLast);
  }

  #failed(one: Running, failure: Failure): void {
    this.#leave(one);
    if (this.#running.length > 0) return;
    this.#cancel();
    this.#shown = one.tried;
    this.#options.owner.failed(failure);
  }

  #leave(one: Running): void {
    this.#running = this.#running.filter((each) => each !== one);
    one.give();
  }
}
