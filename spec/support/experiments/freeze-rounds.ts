/**
 * Agents that hold locks, while whoever keeps their leases stands still: how long a living one is
 * called critical, and which locks a living holder has lost.
 */
import type { AgentProcess } from '../servers/agent-processes.ts';
import { sleep } from '../sleep.ts';
import { until } from '../until.ts';

const POLL_MS = 250;
const TIMEOUT_MS = 2000;
const TTL = '10s';
const RENEW_EVERY_MS = 3000;

export interface Seen {
  /** The longest that any node was critical without a break. */
  readonly criticalMs: number;
  readonly locksLost: readonly string[];
  /** Locks that were held when the fault began. */
  readonly locks: number;
}

export interface FreezeOptions {
  readonly servers: readonly AgentProcess[];
  readonly agents: readonly AgentProcess[];
  readonly forMs: number;
  /** How long to look on after it. */
  readonly afterMs: number;
  readonly begin: () => void;
  readonly end: () => void;
}

interface Lock {
  readonly key: string;
  readonly session: string;
}

/** What became of a fault that begins with `begin` and is over with `end`. */
export async function freeze(options: FreezeOptions): Promise<Seen> {
  const { servers, agents, begin, end, forMs, afterMs } = options;
  const stopping = new AbortController();
  const round = Math.floor(performance.now());
  const locks: Lock[] = [];
  const renewals: Promise<void>[] = [];
  for (const agent of agents) {
    locks.push(
      await lockOn(agent, `${agent.node}/without-ttl/${round}`, { Checks: ['serfHealth'] }),
    );
    const timed = await lockOn(agent, `${agent.node}/ttl/${round}`, { Checks: [], TTL });
    locks.push(timed);
    renewals.push(renewing(agent, timed.session, stopping.signal));
  }
  const watch = new Watch(servers, locks);
  const watching = watch.run(stopping.signal);
  await sleep(2 * RENEW_EVERY_MS);
  begin();
  await sleep(forMs);
  end();
  await sleep(afterMs);
  stopping.abort();
  await Promise.all([watching, ...renewals]);
  return { criticalMs: watch.criticalMs, locksLost: [...watch.lost], locks: locks.length };
}

async function lockOn(agent: AgentProcess, key: string, session: object): Promise<Lock> {
  let id = '';
  const create = async () => {
    const answer = await call(agent, 'PUT', '/v1/session/create', JSON.stringify(session));
    id = (answer as { ID?: string } | undefined)?.ID ?? '';
    return id !== '' && (await call(agent, 'PUT', `/v1/kv/${key}?acquire=${id}`)) === true;
  };
  await until(create, () => `${key} is not locked`, 60_000);
  return { key, session: id };
}

/** As Consul's own client does: it tries again after a second when it was not heard. */
async function renewing(agent: AgentProcess, session: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const renewed = await call(agent, 'PUT', `/v1/session/renew/${session}`);
    await sleep(renewed === undefined ? 1000 : RENEW_EVERY_MS);
  }
}

class Watch {
  readonly #servers: readonly AgentProcess[];
  readonly #locks: readonly Lock[];
  readonly #criticalSince = new Map<string, number>();
  readonly lost = new Set<string>();
  criticalMs = 0;

  constructor(servers: readonly AgentProcess[], locks: readonly Lock[]) {
    this.#servers = servers;
    this.#locks = locks;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look();
      await sleep(POLL_MS);
    }
  }

  /** Through whichever server answers. Nobody is told anything while none does. */
  async #look(): Promise<void> {
    const ask = (target: string) =>
      Promise.any(
        this.#servers.map(async (server) => {
          const answer = await call(server, 'GET', target);
          if (answer === undefined) throw new Error('no answer');
          return answer;
        }),
      ).catch(() => undefined);
    this.#count((await ask('/v1/health/state/critical?stale')) as { Node: string }[] | undefined);
    for (const { key, session } of this.#locks) {
      const rows = (await ask(`/v1/kv/${key}?stale`)) as { Session?: string }[] | undefined;
      if (rows !== undefined && rows[0]?.Session !== session) this.lost.add(key);
    }
  }

  #count(checks: readonly { readonly Node: string }[] | undefined): void {
    if (checks === undefined) return;
    const now = performance.now();
    const nodes = new Set(checks.map(({ Node }) => Node));
    for (const node of this.#criticalSince.keys()) {
      if (!nodes.has(node)) this.#criticalSince.delete(node);
    }
    for (const node of nodes) {
      const since = this.#criticalSince.get(node) ?? now;
      this.#criticalSince.set(node, since);
      this.criticalMs = Math.max(this.criticalMs, now - since);
    }
  }
}

async function call(
  { ports }: AgentProcess,
  method: string,
  target: string,
  body = '',
): Promise<unknown> {
  try {
    const answer = await fetch(`http://127.0.0.1:${ports.http}${target}`, {
      method,
      ...(method === 'PUT' && { body }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    return answer.status === 200 ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
