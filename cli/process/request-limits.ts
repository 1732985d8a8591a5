/** limits.request_limits: how much a server answers and takes in a second, whoever asks. */
import type { Clock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { HttpRequest } from '../../lib/http/route.ts';
import type { Logger } from '../../lib/logger.ts';
import { Rate } from '../../lib/rate.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What an agent answers of itself, and what keeps a cluster together. */
const FREE = ['/v1/agent/', '/v1/internal/agent/', '/v1/internal/members', '/v1/status/'];
/** So many requests may exceed a rate: the log says it once in a while. */
const QUIET_MS = 10_000;

type Limits = Config['limits']['requests'];

export interface RequestLimitsOptions {
  /** Asked each time: a reload may change them. */
  readonly limits: () => Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class RequestLimits {
  readonly #options: RequestLimitsOptions;
  #limits: Limits | undefined;
  #read: Rate | undefined;
  #write: Rate | undefined;
  #silentUntil = Number.NEGATIVE_INFINITY;

  constructor(options: RequestLimitsOptions) {
    this.#options = options;
  }

  /** For a request that is answered without being read: whether it may be. */
  readonly admitRead = (): boolean => this.#takes('read') || this.#isLogged('read');

  /** A guard of a surface. */
  readonly admit = ({ method, path }: HttpRequest): void => {
    if (FREE.some((prefix) => path.startsWith(prefix))) return;
    const kind = READS.has(method) ? 'read' : 'write';
    if (this.#takes(kind) || this.#isLogged(kind)) return;
    throw new ProconsulError(
      'busy',
      'rate limit exceeded, try again later or against a different server',
    );
  };

  #takes(kind: 'read' | 'write'): boolean {
    const limits = this.#options.limits();
    if (limits.mode === 'disabled') return true;
    if (limits !== this.#limits) {
      this.#limits = limits;
      this.#read = new Rate(limits.read, this.#options.clock);
      this.#write = new Rate(limits.write, this.#options.clock);
    }
    return (kind === 'read' ? this.#read : this.#write)?.take() !== false;
  }

  /** Whether that is all that becomes of it. */
  #isLogged(kind: 'read' | 'write'): boolean {
    const { clock, logger } = this.#options;
    const isPermitted = this.#limits?.mode === 'permissive';
    const now = clock.monotonic();
    if (now >= this.#silentUntil) {
      this.#silentUntil = now + QUIET_MS;
      const fate = isPermitted ? 'and answered all the same' : 'and refused';
      logger.warn(`http: more ${kind}s than limits.request_limits.${kind}_rate, ${fate}`);
    }
    return isPermitted;
  }
}
