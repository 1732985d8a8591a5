/** Rows that read: from a request to a query, and from its answer to the wire with all headers. */

import { NS_PER_MS } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Params } from '../../lib/http/params.ts';
import { errorReply } from '../../lib/http/respond.ts';
import type { HttpRequest, Reply, Right, Route } from '../../lib/http/route.ts';
import { DEFAULT_WAIT_MS, MAX_WAIT_MS, WAIT_JITTER_FRACTION } from '../../lib/limits.ts';
import type { Answer } from '../query/answers.ts';
import type { Query } from '../query/query.ts';
import { type Consistency, checkDatacenter, type ServerDeps } from './deps.ts';

export interface Read {
  readonly path: string;
  readonly right: Right;
  readonly does: string;
  readonly query: (request: HttpRequest) => Query;
  /** Only some of Consul's endpoints say X-Consul-Effective-Consistency. */
  readonly saysConsistency?: boolean;
  /** Some say X-Consul-Index and the like beside an error, as if nothing were known. */
  readonly indexedErrors?: boolean;
  /** Whether `?cached` is heeded; it then says X-Cache, for every answer here is shared anyway. */
  readonly cacheable?: boolean;
  /** An answer without a body that has no index either. */
  readonly bareMissing?: boolean;
}

/** A row that can be hot: what it answers depends on nothing but the query's topics. */
export interface ReadRoute extends Route {
  readonly read: Read;
}

export function readRoute(deps: ServerDeps, read: Read): ReadRoute {
  return {
    method: 'GET',
    path: read.path,
    right: read.right,
    does: read.does,
    read,
    handle: async (request) => {
      try {
        return await answerRead(deps, read, request);
      } catch (error) {
        if (read.indexedErrors !== true || !isRejection(error)) throw error;
        return { ...errorReply(error), headers: UNKNOWN };
      }
    },
  };
}

function isRejection(error: unknown): boolean {
  return error instanceof ProconsulError && error.code === 'rejected';
}

const UNKNOWN = {
  'X-Consul-Index': '1',
  'X-Consul-Knownleader': 'false',
  'X-Consul-Lastcontact': '0',
};

async function answerRead(deps: ServerDeps, read: Read, request: HttpRequest): Promise<Reply> {
  const { params } = request;
  const consistency = consistencyOf(params);
  const wait = waitOf(params, deps.random.next());
  checkDatacenter(deps, params.get('dc'));
  const query = read.query(request);
  const ready = deps.freshness.ready(consistency);
  if (ready !== undefined) await ready;
  const shaped = params.has('pretty')
    ? { ...query, key: `pretty ${query.key}`, pretty: true }
    : query;
  const answer =
    wait.minIndex === 0
      ? deps.answers.read(shaped)
      : await deps.answers.wait(shaped, { ...wait, signal: request.signal });
  return replyTo(answer, read, headersOf(deps, read, { params, consistency, answer }));
}

function replyTo(answer: Answer, read: Read, headers: Record<string, string>): Reply {
  if (answer.status === 404 && read.bareMissing === true) return { status: 404 };
  return { status: answer.status, bytes: answer.body, headers };
}

interface Shown {
  readonly params: Params;
  readonly consistency: Consistency;
  readonly answer: Answer;
}

/** In the order in which Consul's look best to a person; clients don't mind. */
export function headersOf(
  deps: ServerDeps,
  read: Read,
  { params, consistency, answer }: Shown,
): Record<string, string> {
  const { knownLeader, lastContactMs } = deps.freshness;
  const headers: Record<string, string> = {};
  if (answer.contentType !== '') headers['Content-Type'] = answer.contentType;
  if (answer.contentType === 'text/plain') Object.assign(headers, RAW_GUARD);
  headers['X-Consul-Index'] = String(answer.index);
  headers['X-Consul-Knownleader'] = String(knownLeader);
  // Any other read has just made sure that it is up to date.
  const ageMs = consistency === 'stale' ? Math.round(lastContactMs) : 0;
  headers['X-Consul-Lastcontact'] = String(ageMs);
  if (read.saysConsistency === true) headers['X-Consul-Effective-Consistency'] = consistency;
  if (read.cacheable === true && params.has('cached')) headers['X-Cache'] = 'MISS';
  return headers;
}

/** A value is whatever someone wrote: a browser must not take it for a page of ours. */
const RAW_GUARD = { 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': 'sandbox' };

export function consistencyOf(params: Params): Consistency {
  const stale = params.has('stale');
  const consistent = params.has('consistent');
  if (stale && consistent) {
    throw new ProconsulError(
      'invalid',
      'Cannot specify ?stale with ?consistent, conflicting semantics.',
    );
  }
  if (stale) return 'stale';
  return consistent ? 'consistent' : 'leader';
}

/** `chance` in [0, 1) stretches the wait, lest many end at once. */
export function waitOf(params: Params, chance: number): { minIndex: number; waitMs: number } {
  const sent = params.get('index');
  const index = params.uint64('index');
  if (sent !== '' && index === undefined) throw new ProconsulError('invalid', 'Invalid index');
  const ns = params.duration('wait', 'Invalid wait time') ?? 0;
  const asked = ns > 0 ? ns / NS_PER_MS : DEFAULT_WAIT_MS;
  const waitMs = Math.min(asked, MAX_WAIT_MS);
  // Ours are far below 2^53, so that whatever is beyond it can only be waited for in vain.
  const minIndex = Math.min(Number(index ?? 0n), Number.MAX_SAFE_INTEGER);
  return { minIndex, waitMs: waitMs * (1 + chance * WAIT_JITTER_FRACTION) };
}
