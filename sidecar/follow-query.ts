/**
 * Follows what a prepared query finds. Its answer has no index: it is asked again when the service that it found
 * has changed, and from time to time, for it may find another.
 */
import { pause } from '../lib/clock.ts';
import { retryMs } from '../lib/retries.ts';
import { inPath } from '../lib/well-formed.ts';
import { type Agent, type Loss, lossOf, type Question } from './follow.ts';
import { objectIn, textIn } from './said.ts';

/** As often as Consul's own proxies ask. */
const AGAIN = '30s';
/** Between two questions to an agent that does not wait. */
const PAUSE_MS = 1000;

export interface FollowedQuery {
  /** Its name, or its id. */
  readonly query: string;
  /** '' for the agent's own. */
  readonly datacenter: string;
  /** May throw for an answer that is none, or of which nothing can be made. */
  take(json: unknown): void;
  lost(loss: Loss): void;
}

/** Resolves when the signal is aborted: never before, whatever cannot be reached. */
export async function followQuery(
  agent: Agent,
  followed: FollowedQuery,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = agent;
  let seen: Seen = { service: '', index: '' };
  let failures = 0;
  while (!signal.aborted) {
    try {
      const now = await look(agent, followed, seen, signal);
      failures = 0;
      const isSame = now.service === seen.service && now.index === seen.index;
      seen = now;
      if (isSame) await pause(clock, PAUSE_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      followed.lost(lossOf(error, ++failures));
      await pause(clock, retryMs(failures, random), signal);
    }
  }
}

/** What the query found last, and since when that is as it is: '' where nothing is known. */
interface Seen {
  readonly service: string;
  readonly index: string;
}

async function look(
  agent: Agent,
  { query, datacenter, take }: FollowedQuery,
  { service, index }: Seen,
  signal: AbortSignal,
): Promise<Seen> {
  const dc = datacenter === '' ? [] : [['dc', datacenter] as const];
  // Before the query: what that says is no older than what was waited for.
  const waits = [...dc, ['index', index], ['wait', AGAIN]] as const;
  const changed = service === '' ? '' : await indexOf(agent, service, waits, signal);
  const path = `/v1/query/${inPath(query)}/execute`;
  const asked: Question = { path, query: [['connect', 'true'], ...dc] };
  const { json } = await agent.ask(asked, signal);
  if (!signal.aborted) take(json);
  const found = textIn(objectIn(json)['Service']);
  return { service: found, index: found === service ? changed : '' };
}

async function indexOf(
  agent: Agent,
  service: string,
  query: Question['query'],
  signal: AbortSignal,
): Promise<string> {
  const path = `/v1/health/connect/${inPath(service)}`;
  const said = query.filter(([, value]) => value !== '');
  return (await agent.ask({ path, query: said }, signal)).index;
}
