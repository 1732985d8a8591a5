/** One request of undici and its answer, by one instance or, where that fails, another. */
import { DecoratorHandler, type Dispatcher } from 'undici';
import type { Outcome } from '../lib/balance/balancer.ts';
import type { Cancel } from '../lib/clock.ts';
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

interface Sent {
  readonly tried: Try;
  readonly begun: number;
  /** Another was faster: what comes of it is nobody's. */
  isLost: boolean;
  /** Undefined before it is on its way. */
  controller: Controller | undefined;
}

const FASTER = new Error('another instance was faster');

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
  /** Those who may still answer: one, or two beside each other. */
  readonly #underWay = new Set<Sent>();
  #isTold = false;
  #callOff: Cancel = () => undefined;

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
        if (first === undefined) {
          this.#failed(tries, tries.why());
          return;
        }
        this.#send(tries, first);
        if (!this.#canRepeat || !tries.isHedged(options.method) || this.#isOver) return;
        const beside = (second: Try | undefined) => second && this.#send(tries, second);
        this.#callOff = tries.whenSlow(beside) ?? this.#callOff;
      },
      (error: Error) => this.#to.onResponseError(this.#control, error),
    );
  }

  get #isOver(): boolean {
    return this.#isTold || this.#control.aborted;
  }

  #send(tries: Tries, tried: Try): void {
    const { options, send, rules } = this.#parts;
    const { address, port } = tried.instance;
    const scheme = /^https:/.test(String(options.origin)) ? 'https' : 'http';
    const origin = `${scheme}://${hostPort(address, port)}`;
    const sent: Sent = { tried, begun: rules.now(), isLost: false, controller: undefined };
    this.#underWay.add(sent);
    try {
      send({ ...options, origin }, this.#taking(tries, sent));
    } catch (error) {
      // It is wrong in itself, wherever it is sent.
      tried.end();
      this.#underWay.delete(sent);
      this.#failed(tries, error as Error);
    }
  }

  /** Of one try. */
  #taking(tries: Tries, sent: Sent): Handler {
    const { now, statuses } = this.#parts.rules;
    const { tried, begun } = sent;
    let passedOver = 0;
    /** In place of an answer that is not passed on; where it is `elsewhere` one is under way. */
    let next: Try | 'elsewhere' | undefined;
    let outcome: Outcome = { ok: false };
    const over = () => {
      tried.end(outcome);
      this.#leave(sent);
      if (next === undefined) tries.close();
      else if (next !== 'elsewhere') this.#instead(tries, next);
    };
    return {
      onRequestStart: (controller) => {
        sent.controller = controller;
        if (sent.isLost) controller.abort(FASTER);
        else this.#control.take(controller);
      },
      onRequestUpgrade: (controller, status, headers, socket) => {
        this.#control.take(controller);
        tried.end({ ok: true, ms: now() - begun });
        // What it is for from now on is nobody's to balance.
        tries.close();
        this.#to.onRequestUpgrade(this.#control, status, headers, socket);
      },
      onResponseStart: (controller, status, headers, message) => {
        // Of what is still to come: the answer itself follows.
        if (status < 200 || sent.isLost) return;
        const ms = now() - begun;
        outcome = status < 500 ? { ok: true, ms } : { ok: false };
        if (statuses.has(status)) next = this.#besides(sent) ?? this.#again(tries);
        if (next !== undefined) return;
        this.#tellBy(tries, sent, outcome);
        this.#control.take(controller);
        this.#to.onResponseStart(this.#control, status, headers, message);
      },
      onResponseData: (controller, part) => {
        if (sent.isLost) return;
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
        if (sent.isLost) return;
        const isLast = next === undefined;
        over();
        if (isLast) this.#to.onResponseEnd(this.#control, trailers);
      },
      onResponseError: (_, error) => {
        if (sent.isLost) return;
        if (this.#control.aborted) {
          tried.end();
          if (typeof next === 'object') next.end();
          this.#givenUp(tries, sent, error);
          return;
        }
        outcome = next === undefined ? { ok: false } : outcome;
        if (!this.#isTold && next === undefined) {
          next = this.#besides(sent) ?? this.#again(tries, error);
        }
        const isLast = next === undefined;
        over();
        if (!isLast) return;
        this.#callOff();
        this.#to.onResponseError(this.#control, error);
      },
    };
  }

  /** Another is under way, and may answer. */
  #besides(sent: Sent): 'elsewhere' | undefined {
    this.#underWay.delete(sent);
    return this.#underWay.size > 0 ? 'elsewhere' : undefined;
  }

  #again(tries: Tries, error?: Error): Try | undefined {
    return this.#mayRepeat(error) ? tries.next() : undefined;
  }

  /** After an answer that was not passed on. */
  #instead(tries: Tries, next: Try): void {
    if (this.#isTold) next.end();
    else this.#send(tries, next);
  }

  /** That one's answer is the one: whoever else is under way is told to stop. */
  #tellBy(tries: Tries, sent: Sent, { ok }: Outcome): void {
    this.#isTold = true;
    this.#callOff();
    const now = this.#parts.rules.now();
    if (ok) tries.took(now - sent.begun);
    this.#underWay.delete(sent);
    for (const other of this.#underWay) {
      other.isLost = true;
      // As long as that it took at least.
      const ms = now - other.begun;
      if (ok) tries.took(ms);
      other.tried.end(ok ? { ok: undefined, ms } : undefined);
      this.#leave(other);
      other.controller?.abort(FASTER);
    }
  }

  /** Told once, whether one was under way or two. */
  #givenUp(tries: Tries, sent: Sent, error: Error): void {
    this.#leave(sent);
    if (this.#underWay.size === 0) this.#failed(tries, error);
  }

  #leave(sent: Sent): void {
    this.#underWay.delete(sent);
    if (sent.controller !== undefined) this.#control.leave(sent.controller);
  }

  #failed(tries: Tries, error: Error): void {
    this.#isTold = true;
    this.#callOff();
    tries.close();
    this.#to.onResponseError(this.#control, error);
  }

  /** Whether it can be sent once more. */
  get #canRepeat(): boolean {
    const { body, upgrade } = this.#parts.options;
    if (this.#control.aborted || upgrade) return false;
    return (
      body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array
    );
  }

  /** And whether it does no more then than once. */
  #mayRepeat(error?: Error): boolean {
    const { method, idempotent } = this.#parts.options;
    const isHarmless = idempotent === true || IDEMPOTENT.has(method) || isNotBegun(error);
    return this.#canRepeat && isHarmless;
  }
}

/** One for all tries of a request: whoever sent it holds it, whichever is under way. */
class Control implements Controller {
  readonly #ending = new AbortController();
  /** Of the last that was taken. */
  #of: Controller | undefined;
  readonly #all = new Set<Controller>();
  #isPaused = false;

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  take(controller: Controller): void {
    this.#of = controller;
    this.#all.add(controller);
    if (this.aborted) controller.abort(this.reason as Error);
    else if (this.#isPaused) controller.pause();
  }

  /** It is heard, and told, no more. */
  leave(controller: Controller): void {
    this.#all.delete(controller);
  }

  pause(): void {
    this.#isPaused = true;
    for (const each of this.#all) each.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const each of this.#all) each.resume();
  }

  abort(reason: Error): void {
    this.#ending.abort(reason);
    for (const each of this.#all) each.abort(reason);
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
