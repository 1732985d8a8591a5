/** grpc.health.v1: whether this port's services may be called. */
import type { Logger } from '../../lib/logger.ts';
import { type Call, framed, STATUS } from './grpc-call.ts';
import type { Answers } from './grpc-server.ts';
import { Shares } from './shares.ts';
import { HEALTH, read, type Wire } from './wire.ts';

interface Asked {
  readonly service: string;
}

type Said = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

interface Watching {
  /** Undefined for one that is not known, and never will be: its name may be a megabyte. */
  readonly service: string | undefined;
  readonly tell: (said: Said) => void;
  told: Said;
}

/** At once: their own, for whoever calls it at every turn takes nothing from clients of xDS, nor those from him. */
const MAX_CALLS = 2000;
/** Who watches costs a stream each. */
const MAX_WATCHING = 1000;
/** Who asks says it with the call. */
const SILENT_MS = 10_000;

export interface HealthOptions {
  readonly logger: Pick<Logger, 'warn'>;
  readonly isReady: () => boolean;
  /** By their names; '' is all of them. */
  readonly services: readonly string[];
  readonly wire: Pick<Wire, 'method'>;
}

export class Health {
  readonly #options: HealthOptions;
  readonly #services: ReadonlySet<string>;
  readonly #calls: Shares;
  readonly #watches: Shares;
  readonly #watching = new Map<Call, Watching>();

  constructor(options: HealthOptions) {
    this.#options = options;
    const { logger } = options;
    this.#calls = new Shares({ most: MAX_CALLS, of: 'calls for health', logger });
    this.#watches = new Shares({ most: MAX_WATCHING, of: 'that watch health', logger });
    this.#services = new Set(['', ...options.services]);
  }

  get methods(): ReadonlyMap<string, Answers> {
    return new Map([
      this.#method('Check', (call, { service }, answer) => {
        const status = this.#of(service);
        if (status === 'SERVICE_UNKNOWN') return call.end(STATUS.notFound, 'unknown service');
        answer({ status });
        call.end(STATUS.ok);
      }),
      this.#method('List', (call, _, answer) => {
        const all = [...this.#services].map((name) => [name, { status: this.#of(name) }]);
        answer({ statuses: Object.fromEntries(all) });
        call.end(STATUS.ok);
      }),
      this.#method('Watch', (call, { service }, answer) =>
        this.#watch(call, this.#known(service), answer),
      ),
    ]);
  }

  /** Tells those who watch what has changed. To be called once in a second. */
  review(): void {
    this.#calls.review();
    this.#watches.review();
    for (const [call, watching] of this.#watching) {
      const said = this.#of(watching.service);
      // Who reads slowly is told later what it is then.
      if (said === watching.told || call.isBusy) continue;
      watching.told = said;
      watching.tell(said);
    }
  }

  /** Of those each call asks once. */
  #method(
    name: string,
    asked: (call: Call, asked: Asked, answer: (said: object) => void) => void,
  ): [string, Answers] {
    const method = this.#options.wire.method(HEALTH, name);
    const answers: Answers = (call) => {
      const giveBack = this.#calls.take(call.address, () => call.giveWay());
      if (giveBack === undefined) {
        call.end(STATUS.busy, `more than ${MAX_CALLS} ask, or than half of that from one address`);
        return;
      }
      call.onceGone(giveBack);
      call.expect(SILENT_MS);
      let isAsked = false;
      call.taker = {
        message: (bytes) => {
          const request = isAsked ? undefined : (read(bytes, method) as Asked | undefined);
          isAsked = true;
          if (request === undefined) call.end(STATUS.internal, 'the request cannot be read');
          else asked(call, request, (said) => call.write(framed([method.responseSerialize(said)])));
        },
        ended: () => {
          if (!isAsked) call.end(STATUS.internal, 'nothing was asked');
        },
        over: () => undefined,
      };
    };
    return [method.path, answers];
  }

  /** Its own text, not the one that was asked with. */
  #known(service: string): string | undefined {
    return [...this.#services].find((each) => each === service);
  }

  #watch(call: Call, service: string | undefined, answer: (said: object) => void): void {
    const giveBack = this.#watches.take(call.address, () => call.giveWay());
    if (giveBack === undefined) {
      const why = `more than ${MAX_WATCHING} watch already, or than half of that from one address`;
      call.end(STATUS.busy, why);
      return;
    }
    const told = this.#of(service);
    const watching = { service, told, tell: (status: Said) => answer({ status }) };
    this.#watching.set(call, watching);
    call.taker = {
      ...call.taker,
      over: () => {
        this.#watching.delete(call);
        giveBack();
      },
    };
    watching.tell(told);
  }

  #of(service: string | undefined): Said {
    if (service === undefined || !this.#services.has(service)) return 'SERVICE_UNKNOWN';
    return this.#options.isReady() ? 'SERVING' : 'NOT_SERVING';
  }
}
