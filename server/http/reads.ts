/** Rows that read: from a request to a query, and from its answer to the wire with all headers. */

import { NS_PER_MS } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import type { Params } from '../../lib/http/params.ts';
import type { Reply } from '../../lib/http/reply.ts';
import { type Need, type Right, shows } from '../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../lib/http/route.ts';
import { CACHED, READING, type Takes } from '../../lib/http/takes.ts';
import { DEFAULT_WAIT_MS, MAX_WAIT_MS } from '../../lib/limits.ts';
import { inLine } from '../../lib/looking.ts';
import type { Wait } from '../query/live-answer.ts';
import type { Query } from '../query/query.ts';
import type { Consistency, Demand } from '../readiness.ts';
import { type ReadDeps, readFor } from './deps.ts';
import { PendingRead, SharedRead } from './shared-read.ts';

export interface Read extends Pick<Takes, 'rest' | 'params' | 'answers'> {
  readonly path: string;
  /** What the Reader shows it by, or what the row itself asks for. */
  readonly right: Need | Right;
  readonly does: string;
  readonly query: (request: HttpRequest) => Query;
  /** Only some of Consul's endpoints say X-Consul-Effective-Consistency. */
  readonly saysConsistency?: boolean;
  /** Where Consul forgets to say that it knows a leader. */
  readonly neverSaysLeader?: boolean;
  /** Those that a later Consul may answer from a stream say that this one does not. */
  readonly saysBackend?: boolean;
  /** Nearly all say X-Consul-Index and the like beside a refusal, as if nothing were known. */
  readonly bareErrors?: boolean;
  /** Whether `?cached` is heeded; it then says X-Cache, for every answer here is shared anyway. */
  readonly cacheable?: boolean;
  /** An answer without a body that has no index either. */
  readonly bareMissing?: boolean;
}

/** A row that can be hot: what it answers depends on nothing but the query's topics. */
export interface ReadRoute extends Route {
  readonly read: Read;
}

export function readRoute(deps: ReadDeps, read: Read): ReadRoute {
  return {
    method: 'GET',
    path: read.path,
    ...(read.rest !== undefined && { rest: read.rest }),
    ...(read.answers !== undefined && { answers: read.answers }),
    params: { ...read.params, ...READING, ...(read.cacheable === true && { cached: CACHED }) },
    right: typeof read.right === 'string' ? shows(read.right) : read.right,
    does: read.does,
    read,
    indexedErrors: read.bareErrors !== true,
    handle: (request) => answerRead(deps, read, request),
  };
}

async function answerRead(deps: ReadDeps, read: Read, request: HttpRequest): Promise<Reply> {
  const { params } = request;
  const options = { wait: waitOf(params), demand: demandOf(params) };
  const { demand, wait } = options;
  let shared = sharedRead(deps, read, request, options);
  const renew = () => {
    if (shared.caller !== request.caller) shared = sharedRead(deps, read, request, options);
  };
  const evaluate = (): Reply | Promise<Reply> => {
    renew();
    return shared.isAtHand ? evaluateNow() : inLine(request, evaluateNow);
  };
  const evaluateNow = (): Reply => {
    renew();
    // Another index is news, a lower one too: the client has seen what was lost with its log.
    if (wait.seenIndex === 0 || shared.current().index !== wait.seenIndex) {
      const cached = read.cacheable === true && params.has('cached');
      return cached ? shared.cachedReply() : shared.reply();
    }
    return { pending: new PendingRead(shared) };
  };
  return await readFor(deps, request, deps.readiness.consistency(demand), evaluate, wait);
}

/** As the caller has it, by what he may see now. */
function sharedRead(
  deps: ReadDeps,
  read: Read,
  request: HttpRequest,
  { demand, wait }: { readonly demand: Demand; readonly wait: Wait },
): SharedRead {
  const { params, callerNow, caller } = request;
  const query = read.query(request);
  const shaped = request.pretty ? { ...query, key: `pretty ${query.key}`, pretty: true } : query;
  const asked = { read, params, callerNow, demand, query: shaped, wait };
  return new SharedRead(deps, asked, caller);
}

/**
 * What a row makes of the state by itself, which is as new as the request wants it. `evaluate` is told how it wants that,
 * and only looks: it may be called more than once.
 */
export async function fresh<T>(
  deps: Pick<ReadDeps, 'readiness'>,
  request: HttpRequest,
  evaluate: (consistency: Consistency) => T | Promise<T>,
): Promise<T> {
  const consistency = deps.readiness.consistency(demandOf(request.params));
  return await readFor(deps, request, consistency, () => evaluate(consistency));
}

/** As `fresh`, of what takes its time to look up: in line where a turn has no room for it. */
export async function freshLook<T>(
  deps: Pick<ReadDeps, 'readiness' | 'answers'>,
  request: HttpRequest,
  look: () => T,
): Promise<T> {
  return await fresh(deps, request, () => deps.answers.inRoom(request, look));
}

/** Consul checks these also where it makes no use of them. */
export function refuseReadOptions(params: Params): void {
  demandOf(params);
  waitOf(params);
}

export function demandOf(params: Params): Demand {
  const sent = params.get('max_stale');
  // Nearly nobody sends it: the complaint is made where there may be one.
  const maxStaleNs =
    sent === '' ? 0 : (params.duration('max_stale', `Invalid max_stale value ${quote(sent)}`) ?? 0);
  const stale = params.has('stale') || maxStaleNs > 0;
  const consistent = params.has('consistent');
  if (consistent && (stale || params.has('cached'))) {
    const other = stale ? 'stale' : 'cached';
    throw new ProconsulError(
      'invalid',
      `Cannot specify ?${other} with ?consistent, conflicting semantics.`,
    );
  }
  const maxStaleMs = maxStaleNs > 0 ? maxStaleNs / NS_PER_MS : Number.POSITIVE_INFINITY;
  if (stale) return { consistency: 'stale', maxStaleMs };
  return { consistency: consistent ? 'consistent' : 'leader', maxStaleMs };
}

export function waitOf(params: Params): Wait {
  const ns = params.duration('wait', 'Invalid wait time') ?? 0;
  const sent = params.get('index');
  const index = params.uint64('index');
  if (sent !== '' && index === undefined) throw new ProconsulError('invalid', 'Invalid index');
  const asked = ns > 0 ? ns / NS_PER_MS : DEFAULT_WAIT_MS;
  const waitMs = Math.min(asked, MAX_WAIT_MS);
  // Ours are far below 2^53, so that whatever is beyond it can only be waited for in vain.
  const seenIndex = Math.min(Number(index ?? 0n), Number.MAX_SAFE_INTEGER);
  return { seenIndex, waitMs };
}
