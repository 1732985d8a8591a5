/** One request of undici and its answer, by one instance or, where that fails, another. */
import { DecoratorHandler, type Dispatcher } from 'undici';
import type { Outcome } from '../lib/balance/balancer.ts';
import { hostPort } from '../lib/ip.ts';
import { isNotBegun } from './calling.ts';
import type { ServiceBalancer } from './service-balancer.ts';
import type { CallOptions, Tries, Try } from './tries.ts';

export interface ExchangeRules {
  readonly statuses: ReadonlySet<number>;
  readonly call: (request: Dispatcher.DispatchOptions) => CallOptions;
  readonly now: () => number;
}

export interface ExchangeParts {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
  readonly send: Dispatcher['dispatch'];
  readonly rules: ExchangeRules;
}

type Controller = Dispatcher.DispatchController;
type Handler = Required<
  Pick<
    Dispatcher.DispatchHandler,
    | 'onRequestStart'
    | 'onRequestUpgrade'
    | 'onResponseStart'
    | 'onResponseData'
    | 'onResponseEnd'
    | 'onResponseError'
  >
>;

/** By RFC 9110: done twice they come to the same. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'],
]);
/** Of an answer in whose place another is asked for: of a longer one the connection is closed. */
const MAX_PASSED_OVER_BYTES = 64 * 1024;

export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #to: Handler;
  readonly #control = new Control();

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#to = new DecoratorHandler(parts.handler) as unknown as Handler;
  }

  /** Never throws: whatever goes wrong is told to the handler. */
  begin(balancer: ServiceBalancer): void {
    // Whoever gives up while nothing has been sent yet is to be heard too.
    this.#to.onRequestStart(this.#control, {});
    const { options, rules } = this.#parts;
    (async () => await balancer.tries(rules.call(options), this.#control.signal))().then(
      (tries) => {
        const first = tries.next();
        if (first === undefined) this.#failed(tries, tries.why());
        else this.#send(tries, first);
      },
      (error: Error) => this.#to.onResponseError(this.#control, error),
    );
  }

  #send(tries: Tries, tried: Try): void {
    const { options, send } = this.#parts;
    const { address, port } = tried.instance;
    const scheme = /^https:/.test(String(options.origin)) ? 'https' : 'http';
    const origin = `${scheme}://${hostPort(address, port)}`;
    try {
      send({ ...options, origin }, this.#taking(tries, tried));
    } catch (error) {
      // It is wrong in itself, wherever it is sent.
      tried.end();
      this.#failed(tries, error as Error);
    }
  }

  /** Of one try. */
  #taking(tries: Tries, tried: Try): Handler {
    const { now, statuses } = this.#parts.rules;
    const begun = now();
    let [isTold, passedOver, ms] = [false, 0, 0];
    let next: Try | undefined;
    let outcome: Outcome = { ok: false };
    const over = () => {
      tried.end(outcome);
      if (next === undefined) tries.close();
      else this.#send(tries, next);
    };
    return {
      onRequestStart: (controller) => this.#control.take(controller),
      onRequestUpgrade: (controller, status, headers, socket) => {
        this.#control.take(controller);
        tried.end({ ok: true, ms: now() - begun });
        // What it is for from now on is nobody's to balance.
        tries.close();
        this.#to.onRequestUpgrade(this.#control, status, headers, socket);
      },
      onResponseStart: (controller, status, headers, message) => {
        // Of what is still to come: the answer itself follows.
        if (status < 200) return;
        ms = now() - begun;
        outcome = status < 500 ? { ok: true, ms } : { ok: false };
        if (statuses.has(status) && this.#mayRepeat()) next = tries.next();
        if (next !== undefined) return;
        isTold = true;
        this.#control.take(controller);
        this.#to.onResponseStart(this.#control, status, headers, message);
      },
      onResponseData: (controller, part) => {
        if (next === undefined) {
          this.#to.onResponseData(this.#control, part);
          return;
        }
        passedOver += part.length;
        if (passedOver > MAX_PASSED_OVER_BYTES) {
          controller.abort(new Error('another instance is asked'));
        }
      },
      onResponseEnd: (_, trailers) => {
        const isLast = next === undefined;
        over();
        if (isLast) this.#to.onResponseEnd(this.#control, trailers);
      },
      onResponseError: (_, error) => {
        if (this.#control.aborted) {
          tried.end();
          next?.end();
          this.#failed(tries, error);
          return;
        }
        outcome = next === undefined ? { ok: false } : outcome;
        if (!isTold && next === undefined && this.#mayRepeat(error)) next = tries.next();
        const isLast = next === undefined;
        over();
        if (isLast) this.#to.onResponseError(this.#control, error);
      },
    };
  }

  #failed(tries: Tries, error: Error): void {
    tries.close();
    this.#to.onResponseError(this.#control, error);
  }

  /** Whether it can be sent once more, and does no more then than once. */
  #mayRepeat(error?: Error): boolean {
    const { method, body, idempotent, upgrade } = this.#parts.options;
    if (this.#control.aborted || upgrade) return false;
    const isKept =
      body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array;
    return isKept && (idempotent === true || IDEMPOTENT.has(method) || isNotBegun(error));
  }
}

/** One for all tries of a request: whoever sent it holds it, whichever is under way. */
class Control implements Controller {
  readonly #ending = new AbortController();
  #of: Controller | undefined;
  #isPaused = false;

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  take(controller: Controller): void {
    this.#of = controller;
    if (this.aborted) controller.abort(this.reason as Error);
    else if (this.#isPaused) controller.pause();
  }

  pause(): void {
    this.#isPaused = true;
    this.#of?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#of?.resume();
  }

  abort(reason: Error): void {
    this.#ending.abort(reason);
    this.#of?.abort(reason);
  }

  get aborted(): boolean {
    return this.#ending.signal.aborted;
  }

  get reason(): Error | null {
    return this.aborted ? this.#ending.signal.reason : null;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get rawHeaders() {
    return this.#of?.rawHeaders ?? null;
  }

  get rawTrailers() {
    return this.#of?.rawTrailers ?? null;
  }
}
