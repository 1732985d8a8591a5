/**
 * A service without an agent whose beats go to whichever server answers, and external nodes whose checks the
 * servers look at, while servers and Redis are killed.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Cluster, type ServerProcess } from '../servers/cluster.ts';
import { type SentinelSetup, startSentinels } from '../servers/redis.ts';
import { until } from '../until.ts';

const TTL_S = 5;
const BEAT_MS = 1000;
const WATCH_MS = 100;
const NODES = 24;
const WAIT_MS = 120_000;

export interface AgentlessVerdict {
  readonly what: string;
  /** How long a node was not looked at after that, at most. */
  readonly gapMs: number;
}

export class AgentlessRounds {
  readonly #cluster: Cluster;
  readonly #setup: SentinelSetup | undefined;
  readonly #target: Server;
  /** By path of the target: when it was last asked. */
  readonly #asked = new Map<string, number>();
  readonly #abort = new AbortController();
  #loops: Promise<void>[] = [];
  #beats = true;
  /** How often the service was seen, and how it stood where it did not pass. */
  seen = 0;
  readonly failures: string[] = [];
  taken = 0;

  private constructor(cluster: Cluster, setup: SentinelSetup | undefined, target: Server) {
    this.#cluster = cluster;
    this.#setup = setup;
    this.#target = target;
    target.on('request', ({ url = '' }, response) => {
      this.#asked.set(url, performance.now());
      response.end();
    });
  }

  static async start(servers: number, withSentinels: boolean): Promise<AgentlessRounds> {
    const setup = withSentinels ? await startSentinels() : undefined;
    const cluster = await Cluster.start({ servers, ...(setup && { redisUrl: setup.url }) });
    const target = createServer();
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const rounds = new AgentlessRounds(cluster, setup, target);
    await rounds.#begin();
    return rounds;
  }

  /** Kills the server that leads, or one that does not, and starts it again once its nodes are taken over. */
  async loseServer(who: 'leader' | 'follower'): Promise<AgentlessVerdict> {
    await until(
      async () => (await this.#looksBy()).every((looks) => looks > 0),
      undefined,
      WAIT_MS,
    );
    const leader = await this.#leader();
    const server = this.#servers.find(({ name }) => (name === leader) === (who === 'leader'));
    if (server === undefined) throw new Error(`no ${who}`);
    const at = performance.now();
    const dead = server.kill();
    const gapMs = await this.#untilLookedAt(at);
    await dead;
    server.start();
    await server.untilReady();
    return { what: `${who} killed`, gapMs };
  }

  /** Kills the master of Redis; Sentinel makes another. */
  async loseRedis(): Promise<AgentlessVerdict> {
    const at = performance.now();
    const master = await this.#setup?.master();
    await master?.kill();
    await until(() => this.#takenSince(at), undefined, WAIT_MS);
    await master?.start();
    return { what: 'Redis failed over', gapMs: await this.#untilLookedAt(at) };
  }

  /** Nobody beats any more: it is critical, so that what was seen of it meant something. */
  async endBeats(): Promise<void> {
    this.#beats = false;
    const seen = this.failures.length;
    await until(() => this.failures.length > seen, undefined, WAIT_MS);
    this.failures.length = seen;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#loops);
    this.#target.closeAllConnections();
    await new Promise((resolve) => this.#target.close(resolve));
    await this.#cluster.stop();
  }

  get #servers(): readonly ServerProcess[] {
    return this.#cluster.servers;
  }

  async #begin(): Promise<void> {
    const { port } = this.#target.address() as AddressInfo;
    await this.#register('agentless', 'beats', { TTL: `${TTL_S}s` }, {});
    for (let i = 0; i < NODES; i++) {
      const HTTP = `http://127.0.0.1:${port}/ext${i}`;
      const meta = { 'external-node': 'true' };
      await this.#register(`ext${i}`, 'web', { HTTP, Interval: '1s', Timeout: '1s' }, meta);
    }
    this.#loops = [
      this.#again(BEAT_MS, () => this.#beat()),
      this.#again(WATCH_MS, () => this.#see()),
    ];
    await until(() => this.taken > 0 && this.#asked.size === NODES, undefined, WAIT_MS);
  }

  async #register(
    Node: string,
    service: string,
    Definition: object,
    NodeMeta: object,
  ): Promise<void> {
    const Check = { CheckID: `${service}:${Node}`, Name: service, ServiceID: service };
    const { status, text } = await this.#ask('PUT', '/v1/catalog/register', {
      ...{ Node, Address: '127.0.0.1', NodeMeta, Service: { Service: service } },
      Check: { ...Check, Status: 'passing', Definition },
    });
    if (status !== 200) throw new Error(text);
  }

  /** As a client that tries one server after the other until one takes it. */
  async #beat(): Promise<void> {
    if (!this.#beats) return;
    const answer = await this.#ask('PUT', '/v1/agent/check/pass/beats:agentless');
    if (answer.status === 200) this.taken++;
  }

  /** At each server that answers. */
  async #see(): Promise<void> {
    for (const server of this.#servers) {
      const answer = await asked(server, 'GET', '/v1/health/service/beats?stale');
      if (answer?.status !== 200) continue;
      this.seen++;
      const [row] = answer.json as [{ Checks: { Status: string; Output: string }[] }?];
      const check = row?.Checks[0];
      if (check?.Status !== 'passing') this.failures.push(`${server.name}: ${check?.Output}`);
    }
  }

  #next = 0;

  async #ask(method: string, path: string, body?: object) {
    for (let tried = 0; tried < 2 * this.#servers.length; tried++) {
      const server = this.#servers[this.#next++ % this.#servers.length];
      const answer = server && (await asked(server, method, path, body));
      if (answer !== undefined && answer.status < 500) return answer;
    }
    return { status: 0, text: 'no server takes it' };
  }

  async #again(ms: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await work();
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  async #leader(): Promise<string> {
    type Known = {
      readonly Servers: readonly { readonly Node: string; readonly Leader: boolean }[];
    };
    for (const server of this.#servers) {
      const answer = await asked(server, 'GET', '/v1/operator/raft/configuration');
      const leader = (answer?.json as Known | undefined)?.Servers.find((each) => each.Leader);
      if (leader !== undefined) return leader.Node;
    }
    throw new Error('nobody leads');
  }

  /** How many checks each server looks at. */
  async #looksBy(): Promise<number[]> {
    const counts = this.#servers.map(async (server) => {
      const answer = await asked(server, 'GET', '/v1/agent/metrics');
      type Shown = {
        readonly Gauges: readonly { readonly Name: string; readonly Value: number }[];
      };
      const { Gauges = [] } = (answer?.json ?? {}) as Partial<Shown>;
      return Gauges.find(({ Name }) => Name.endsWith('external.checks'))?.Value ?? 0;
    });
    return await Promise.all(counts);
  }

  async #takenSince(at: number): Promise<boolean> {
    const before = this.taken;
    await until(() => this.taken > before + 1, undefined, WAIT_MS);
    return performance.now() > at;
  }

  /** Until each node was looked at again; how long that took at most. */
  async #untilLookedAt(at: number): Promise<number> {
    // What was on its way when it happened does not count.
    const from = at + 500;
    const first = new Map<string, number>();
    await until(
      () => {
        for (const [path, when] of this.#asked) {
          if (when > from && !first.has(path)) first.set(path, when);
        }
        return first.size === NODES;
      },
      () => `${first.size} of ${NODES} nodes are looked at`,
      WAIT_MS,
    );
    return Math.max(...first.values()) - at;
  }
}

async function asked(server: ServerProcess, method: string, path: string, body?: object) {
  const signal = AbortSignal.timeout(3000);
  return await server.ask(method, path, { signal, ...(body && { body }) }).catch(() => undefined);
}
