/** When a request is tried again: what nobody has to say, and what a route says of it. */
import { countIn, type Said, textsIn } from '../said.ts';
import type { Head } from './head.ts';

/** How a try ended without an answer that is passed on. */
export interface Failure {
  /**
   * `connect`: the host took no connection; `refused`: it said that it has done nothing; `reset`: the connection
   * broke before an answer; `overflow`: over a limit of this process.
   */
  readonly kind: 'connect' | 'refused' | 'reset' | 'overflow';
  readonly message: string;
  /** It is about the connection, which goes, and not about the host: it may have been gone before this request came. */
  readonly isStale?: boolean;
  /** The host has too much to do: it may have room for it later. */
  readonly isBusy?: boolean;
}

export interface RetryRules {
  /** Beside what may be tried again in any case. */
  readonly times: number;
  readonly conditions: ReadonlySet<string>;
  readonly statuses: ReadonlySet<number>;
}

export const NO_RETRIES: RetryRules = { times: 0, conditions: new Set(), statuses: new Set() };

const MAX_TIMES = 100;

/** Of a route's destination. Any of them asks for one try more, as in Consul. */
export function retriesIn(said: Said): RetryRules {
  const conditions = new Set(textsIn(said['RetryOn']).map((each) => each.toLowerCase()));
  if (said['RetryOnConnectFailure'] === true) conditions.add('connect-failure');
  const listed = said['RetryOnStatusCodes'];
  const statuses = new Set((Array.isArray(listed) ? listed : []).map(Number));
  if (statuses.size > 0) conditions.add('retriable-status-codes');
  const times = Math.min(MAX_TIMES, countIn(said['NumRetries']));
  if (times === 0 && conditions.size === 0) return NO_RETRIES;
  return { times: Math.max(1, times), conditions, statuses };
}

/** RFC 9110, 9.2.2: to have them twice is to have them once. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'],
]);

/** Whatever the request is: the program has not seen it. */
export function isUntouched({ kind }: Failure): boolean {
  return kind === 'connect' || kind === 'refused';
}

/** Without anybody asking for it, as RFC 9110 lets whoever passes a request on. */
export function mayRepeat({ method }: Pick<Head, 'method'>, { kind }: Failure): boolean {
  return kind === 'reset' && IDEMPOTENT.has(method);
}

/** Whether the route asks for it. */
export function retriesFailure({ conditions }: RetryRules, { kind }: Failure): boolean {
  if (conditions.has('5xx') || conditions.has('gateway-error')) return kind !== 'overflow';
  switch (kind) {
    case 'connect':
      return conditions.has('connect-failure') || conditions.has('reset');
    case 'refused':
      return conditions.has('refused-stream') || conditions.has('reset');
    case 'reset':
      return conditions.has('reset') || conditions.has('reset-before-request');
    case 'overflow':
      return false;
  }
}

const GATEWAY: ReadonlySet<number> = new Set([502, 503, 504]);
const CONFLICT = 409;
/** Of gRPC's, by the names that Envoy has for them. */
const GRPC: ReadonlyMap<string, string> = new Map([
  ...([
    ['1', 'cancelled'],
    ['4', 'deadline-exceeded'],
    ['8', 'resource-exhausted'],
    ['13', 'internal'],
    ['14', 'unavailable'],
  ] as const),
]);

/** `grpcStatus`: undefined where the answer's head says none. */
export function retriesStatus(
  { conditions, statuses }: RetryRules,
  status: number,
  grpcStatus: string | undefined,
): boolean {
  if (conditions.size === 0) return false;
  if (conditions.has('5xx') && status >= 500) return true;
  if (conditions.has('gateway-error') && GATEWAY.has(status)) return true;
  if (conditions.has('retriable-4xx') && status === CONFLICT) return true;
  if (conditions.has('retriable-status-codes') && statuses.has(status)) return true;
  return grpcStatus !== undefined && conditions.has(GRPC.get(grpcStatus) ?? '');
}
