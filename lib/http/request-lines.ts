/**
 * What the log says of requests: at debug each one, as Consul does; at warn who was refused, and that too much is asked
 * at once; and at error what is a bug. Never what came as a query string or a token, whoever put it into an error.
 */
import type { Clock } from '../clock.ts';
import { describeChain, ProconsulError } from '../errors.ts';
import type { Fields, Logger } from '../logger.ts';
import type { LineBudget } from './line-budget.ts';
import type { Message } from './ready-exchange.ts';
import { isBug } from './respond.ts';
import { pathWithoutSecrets, withoutSecrets } from './secrets.ts';

/** Enough to know it by. */
const MAX_PATH_CHARS = 256;
/** Whoever goes on asking for what he may not have must not fill the log. */
const MAX_REFUSED = 10;
const REFUSED_MS = 60_000;
/** Of too much at once one line says it all. */
const BUSY_MS = 60_000;

export class RequestLines {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #budget: LineBudget;
  #windowBegan = Number.NEGATIVE_INFINITY;
  #refused = 0;
  #busyBegan = Number.NEGATIVE_INFINITY;
  #busy = 0;

  constructor(logger: Logger, clock: Pick<Clock, 'monotonic'>, budget: LineBudget) {
    this.#logger = logger;
    this.#clock = clock;
    this.#budget = budget;
  }

  finished(message: Message, status: number, ms: number): void {
    if (!this.#budget.take()) return;
    const latency = `${ms.toFixed(3)}ms`;
    const { method, path: url, from } = asked(message);
    this.#logger.debug('agent.http: Request finished', { method, url, from, status, latency });
  }

  /** `accessor` is who asked, where that is known; '' else. */
  failed(error: unknown, message: Message, accessor: string): void {
    const why = withoutSecrets(describeChain(error), message);
    const { method, path } = asked(message);
    if (isBug(error)) this.#logger.error(`http: ${method} ${path}: ${why}`);
    else if (isRefusal(error))
      this.#sayRefused({ ...asked(message), accessor: accessor || undefined, why });
    else if (isBusy(error)) this.#sayBusy({ ...asked(message), why });
    else this.#logger.debug(`http: ${method} ${path}: ${why}`);
  }

  #sayBusy(fields: Fields): void {
    const now = this.#clock.monotonic();
    if (now - this.#busyBegan < BUSY_MS) {
      this.#busy++;
      this.#logger.debug('http: turned away', fields);
      return;
    }
    const others = this.#busy;
    this.#busyBegan = now;
    this.#busy = 0;
    this.#logger.warn('http: too much is asked at once', {
      ...fields,
      before: others > 0 ? others : undefined,
    });
  }

  #sayRefused(fields: Fields): void {
    const now = this.#clock.monotonic();
    if (now - this.#windowBegan >= REFUSED_MS) {
      const unsaid = this.#refused - MAX_REFUSED;
      if (unsaid > 0) this.#logger.warn('http: others were refused', { count: unsaid });
      this.#windowBegan = now;
      this.#refused = 0;
    }
    this.#refused++;
    if (this.#refused <= MAX_REFUSED) this.#logger.warn('http: refused', fields);
    else this.#logger.debug('http: refused', fields);
  }
}

function asked(message: Message) {
  const { method = '', url = '', socket } = message;
  const [path = ''] = url.split('?', 1);
  return {
    method,
    path: pathWithoutSecrets(path).slice(0, MAX_PATH_CHARS),
    from: socket.remoteAddress,
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof ProconsulError && error.code === 'busy';
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof ProconsulError && (error.code === 'forbidden' || error.code === 'unauthorized')
  );
}
