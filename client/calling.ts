/** How a function is called with one instance after another, or with two beside each other. */
import type { Clock } from '../lib/clock.ts';
import type { Instance, Tries, Try } from './tries.ts';

export interface Attempt {
  readonly instance: Instance;
  /** Aborted when the call is, and when another attempt was faster. */
  readonly signal: AbortSignal;
  /** 1 for the first. */
  readonly number: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Whether it may be run again after this error: what certainly did not begin anything, unless this says more. */
  readonly isRepeatable?: boolean | ((error: unknown) => boolean);
  /** Whether it may be with two instances at once; where `isRepeatable` is `true`, unless this says otherwise. */
  readonly isHedged?: boolean;
  /** Whether the instance is to blame: whatever the function throws is taken for its fault, unless this says less. */
  readonly isFailure?: (error: unknown) => boolean;
}

/** With these nothing came to the other side. */
const NOT_BEGUN: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'],
]);

/** Whether the error says that there was no connection: so nothing can have begun. */
export function isNotBegun(error: unknown): boolean {
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 4;
    at = at.cause, depth++
  ) {
    if (NOT_BEGUN.has(String((at as NodeJS.ErrnoException).code))) return true;
  }
  return false;
}

/**
 * A controller that the signal aborts too, until it is let go. In place of AbortSignal.any, which leaves
 * something for each call in a signal that lives as long as its program.
 */
export function linkedTo(signal: AbortSignal | undefined) {
  const controller = new AbortController();
  const pass = () => controller.abort(signal?.reason);
  if (signal?.aborted) pass();
  signal?.addEventListener('abort', pass, { once: true });
  return { controller, letGo: () => signal?.removeEventListener('abort', pass) };
}

type Run<T> = (attempt: Attempt) => Promise<T>;

type Ended<T> = { readonly value: T } | { readonly error: unknown };

interface Running<T> {
  readonly ended: Promise<Ended<T>>;
  /** What comes of it does not matter any more. */
  readonly cancel: () => void;
}

export class Calling {
  readonly #clock: Pick<Clock, 'monotonic'>;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Rejects with the last error of the function, or with the signal's reason. */
  async run<T>(tries: Tries, run: Run<T>, options: RunOptions): Promise<T> {
    let tried: Try | undefined = tries.next();
    if (tried === undefined) throw tries.why();
    for (;;) {
      const ended: Ended<T> = await this.#once(tried, tries, run, options);
      if ('value' in ended) return ended.value;
      options.signal?.throwIfAborted();
      tried = mayRepeat(ended.error, options) ? tries.next() : undefined;
      if (tried === undefined) throw ended.error;
    }
  }

  /** With one instance, and with a second beside it where that one is slow. */
  async #once<T>(tried: Try, tries: Tries, run: Run<T>, options: RunOptions): Promise<Ended<T>> {
    const first = this.#begin(tried, tries, run, options);
    const second = this.#besides(tries, run, options);
    if (second === undefined) return await first.ended;
    const both = [first.ended, second.ended.then((ended) => ended ?? first.ended)];
    const ended = await Promise.race(both);
    if ('value' in ended) {
      first.cancel();
      second.cancel();
      return ended;
    }
    // The one failed; the other may not.
    second.giveUp();
    const [one, other] = await Promise.all(both);
    return one !== undefined && 'value' in one ? one : (other ?? ended);
  }

  #begin<T>(
    tried: Try,
    tries: Tries,
    run: Run<T>,
    { signal, isFailure = () => true }: RunOptions,
  ): Running<T> {
    const { controller, letGo } = linkedTo(signal);
    const begun = this.#clock.monotonic();
    const passed = () => this.#clock.monotonic() - begun;
    let isOver = false;
    let outrunMs: number | undefined;
    const over = () => {
      isOver = true;
      letGo();
    };
    const { instance } = tried;
    const attempt = { instance, signal: controller.signal, number: tries.count };
    const ended = (async () => await run(attempt))().then(
      (value): Ended<T> => {
        over();
        tries.took(passed());
        tried.end({ ok: true, ms: passed() });
        return { value };
      },
      (error: unknown): Ended<T> => {
        over();
        // Who was told to stop says nothing of the instance by stopping, but that it had not ended by then.
        if (outrunMs !== undefined) tried.end({ ok: undefined, ms: outrunMs });
        else if (controller.signal.aborted) tried.end();
        else tried.end({ ok: !isFailure(error) });
        return { error };
      },
    );
    const cancel = () => {
      if (isOver) return;
      // As long as that it took at least: without the slow ones, ever less would be slow.
      outrunMs = passed();
      tries.took(outrunMs);
      controller.abort();
    };
    return { ended, cancel };
  }

  /** Undefined where no second one is ever begun; resolves with undefined where none was. */
  #besides<T>(tries: Tries, run: Run<T>, options: RunOptions) {
    if ((options.isHedged ?? options.isRepeatable) !== true) return undefined;
    let running: Running<T> | undefined;
    let resolve: (ended: Ended<T> | undefined) => void = () => undefined;
    const ended = new Promise<Ended<T> | undefined>((given) => {
      resolve = given;
    });
    const stop = tries.whenSlow((beside) => {
      if (beside === undefined) return resolve(undefined);
      running = this.#begin(beside, tries, run, options);
      void running.ended.then(resolve);
    });
    if (stop === undefined) return undefined;
    const giveUp = () => {
      stop();
      if (running === undefined) resolve(undefined);
    };
    const cancel = () => {
      giveUp();
      running?.cancel();
    };
    return { ended, giveUp, cancel };
  }
}

function mayRepeat(error: unknown, { isRepeatable = isNotBegun }: RunOptions): boolean {
  return typeof isRepeatable === 'boolean' ? isRepeatable : isRepeatable(error);
}
