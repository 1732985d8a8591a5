/** Syncs between a made-up cluster and a server of the spec's own; each may be killed, as a process is. */

import { createApiClient } from '../../../cli/api-client.ts';
import { flagsOf } from '../../../cli/flag-values.ts';
import { syncOptionsOf } from '../../../cli/k8s-flags.ts';
import { turnLock } from '../../../cli/k8s-ports.ts';
import type { ApiAccess } from '../../../kubernetes/api/access.ts';
import { ApiServer as Client } from '../../../kubernetes/api/api-server.ts';
import type { Catalog, CatalogAnswer, CatalogRequest } from '../../../kubernetes/catalog.ts';
import { KubernetesSync, type SyncOptions } from '../../../kubernetes/sync.ts';
import { systemClock } from '../../../lib/clock.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { decodeJson } from '../../../lib/json.ts';
import { systemRandom } from '../../../lib/random.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';
import { type AgentlessOptions, startAgentless } from '../servers/agentless.ts';
import { atEnd, send } from '../servers/start-server.ts';
import { until } from '../until.ts';
import { startApiServer } from './api-server.ts';
import { accessTo } from './cluster.ts';

type Started = Awaited<ReturnType<typeof startAgentless>>;

export const NODE = 'k8s-sync';

/** A server, a cluster, and as many syncs between them as are started. */
export async function startSyncWorld(options: AgentlessOptions = {}) {
  const [server, cluster] = [await startAgentless(options), await startApiServer()];
  return { ...server, cluster, objects: cluster.objects, ...syncsOf(server, accessTo(cluster)) };
}

export type FlagTexts = Readonly<Record<string, string>>;

/** Between a server and whichever cluster that is. */
export function syncsOf(
  server: Started,
  access: ApiAccess,
  always: (flags: FlagTexts) => FlagTexts = () => ({}),
) {
  const syncs: Sync[] = [];
  const sync = (
    name = 'a',
    flags: FlagTexts = {},
    token = '',
    at = access,
    instead: Instead = () => undefined,
  ) => {
    const made = new Sync(server, at, name, {
      flags: { ...always(flags), ...flags },
      token,
      instead,
    });
    syncs.push(made);
    atEnd(() => made.stop());
    return made;
  };
  const rows = () => {
    const { catalog } = server.server.state;
    return [...catalog.instancesOn(NODE)]
      .filter(({ Service }) => Service !== 'proconsul-k8s-sync')
      .map((each) => ({
        ...each,
        checks: [...catalog.checksOn(NODE)].filter(({ ServiceID }) => ServiceID === each.ID),
      }))
      .sort((a, b) => (a.ID < b.ID ? -1 : 1));
  };
  /** Each instance as `web 10.1.0.1:8080 passing`. */
  const shown = () =>
    rows()
      .map(({ Service, Address, Port, checks }) => {
        const states = checks.map(({ CheckID, Status }) =>
          CheckID.startsWith('_service_maintenance') ? 'maintenance' : Status,
        );
        return [`${Service} ${Address}:${Port}`, ...states.sort()].join(' ');
      })
      .sort();
  const untilShown = (...wanted: readonly string[]) =>
    until(
      () => shown().join('\n') === [...wanted].sort().join('\n'),
      () =>
        `${shown().join('\n')}\n${syncs.map(({ logger }) => logger.lines.join('\n')).join('\n--\n')}`,
    );
  return { sync, rows, shown, untilShown };
}

export type Instead = (request: CatalogRequest) => CatalogAnswer | undefined;

interface Over {
  readonly flags: FlagTexts;
  readonly token: string;
  readonly instead: Instead;
}

export class Sync {
  readonly logger = new RecordingLogger();
  readonly sync: KubernetesSync;
  /** Requests to the catalog that write. */
  readonly writes: CatalogRequest[] = [];
  /** Of so many transactions the answer is lost: what they write is written. */
  lostAnswers = 0;
  /** Questions to the catalog that are under way, and the most of them that there were. */
  readonly asking = { now: 0, most: 0 };
  /** What somebody between it and the catalog answers; undefined where the request goes through. */
  instead: Instead;
  /** What it sends to the catalog has no answer, and no connection ends by that. */
  isCut = false;
  /** Aborted, what it waits at has an end again, and that is no answer; until then nothing that changes reaches it that way. */
  deafness: AbortController | undefined;
  readonly #ending = new AbortController();
  readonly #killed = new AbortController();
  readonly #api: Client;
  readonly #ran: Promise<void>;

  constructor(server: Started, access: ApiAccess, name: string, over: Over) {
    this.instead = over.instead;
    const flags = flagsOf(Object.entries({ 'sync-name': name, lease: '1s', ...over.flags }));
    const options: SyncOptions = syncOptionsOf(flags);
    this.#api = new Client(access, systemClock);
    const headers = over.token === '' ? undefined : { 'X-Consul-Token': over.token };
    const client = (signal: AbortSignal) => {
      const { send: sent, ...others } = createApiClient({
        target: {
          scheme: 'http',
          address: `127.0.0.1:${server.port}`,
          headers: headers ?? {},
        },
        query: [],
        signal: AbortSignal.any([signal, this.#killed.signal]),
      });
      const send: typeof sent = async (request) =>
        this.isCut ? await silence(signal) : await sent(request);
      return { ...others, send };
    };
    const parts = { client, clock: systemClock, key: options.lockKey, signal: this.#ending.signal };
    this.sync = new KubernetesSync(
      {
        api: this.#api,
        catalog: this.#catalog(server, over.token),
        clock: systemClock,
        random: systemRandom,
        logger: this.logger,
        lock: (rest) => turnLock(parts, rest),
      },
      options,
    );
    this.#ran = this.sync.run(this.#ending.signal);
  }

  get isActive(): boolean {
    return this.logger.lines.some((line) => line.includes('holds the lock'));
  }

  /** In order, as SIGTERM ends it. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#ran;
    this.#api.close();
  }

  /** From now on nothing of it reaches anybody. */
  kill(): void {
    this.#killed.abort();
    this.#ending.abort();
    this.#api.close();
  }

  async #deaf({ query = [] }: CatalogRequest, signal: AbortSignal): Promise<void> {
    const deafness = this.deafness?.signal;
    const waits = query.some(([key]) => key === 'index');
    if (waits && deafness?.aborted === false) await silence(AbortSignal.any([signal, deafness]));
  }

  #keep(request: CatalogRequest, isBeat: boolean): void {
    if (request.method !== 'GET' && !isBeat) this.writes.push(request);
  }

  #lose(): void {
    if (this.lostAnswers === 0) return;
    this.lostAnswers--;
    throw new ProconsulError('unavailable', 'no answer');
  }

  #catalog(server: Started, token: string): Catalog {
    const killed = this.#killed.signal;
    return {
      ask: async (request, signal) => {
        if (killed.aborted) throw new ProconsulError('unavailable', 'killed');
        if (this.isCut) await silence(signal);
        await this.#deaf(request, signal);
        const { path, accept = [] } = request;
        const isBeat = /\/check\/(pass|warn)\//.test(path);
        this.#keep(request, isBeat);
        const either = AbortSignal.any([signal, killed]);
        const other = this.instead(request);
        if (other !== undefined) return taken(other, accept);
        this.asking.most = Math.max(this.asking.most, ++this.asking.now);
        const sent = isBeat
          ? beat(server, request, token)
          : asked(server.port, request, { token, signal: either });
        const answer = await sent.finally(() => this.asking.now--);
        const { status, text, index } = answer;
        if (path === '/v1/txn') this.#lose();
        const said = index === 0 ? '' : String(index);
        return taken({ status, index: said, text, json: jsonIn(text) }, accept);
      },
    };
  }
}

async function silence(signal: AbortSignal): Promise<never> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw new ProconsulError('unavailable', 'no answer');
}

function taken(answer: CatalogAnswer, accept: readonly number[]): CatalogAnswer {
  const { status, text } = answer;
  if (status === 200 || accept.includes(status)) return answer;
  throw new ProconsulError('unavailable', `${status}: ${text}`);
}

/** At the agent of the server's node. */
async function beat({ say }: Started, request: CatalogRequest, token: string) {
  const path = targetOf(request).slice('/v1/agent/'.length);
  return { ...(await say(path, { token })), index: 0 };
}

function asked(
  port: number,
  request: CatalogRequest,
  { token, signal }: { readonly token: string; readonly signal: AbortSignal },
) {
  const { method, body } = request;
  const headers = token === '' ? {} : { 'X-Consul-Token': token };
  const sent = { headers, signal, ...(body !== undefined && { body: body as object }) };
  return send(port, method, targetOf(request), sent).catch((error: unknown) => {
    throw new ProconsulError('unavailable', String(error));
  });
}

function targetOf({ path, query = [] }: CatalogRequest): string {
  const pairs = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `${path}${pairs === '' ? '' : `?${pairs}`}`;
}

function jsonIn(text: string): unknown {
  try {
    return decodeJson(text);
  } catch {
    return undefined;
  }
}
