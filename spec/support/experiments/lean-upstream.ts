/**
 * The way to servers of an agent that is played: it asks whom, and gives up when, a real one does, by a socket of
 * its own, with as little of HTTP and memory as that takes. Thousands of real ones would fill a machine with
 * themselves, and it is the servers that are to be measured.
 */
import { connect, type Socket } from 'node:net';
import type { ServerAnswer } from '../../../agent/servers/answer.ts';
import { Breaker } from '../../../agent/servers/breaker.ts';
import type { UpstreamRequest } from '../../../agent/servers/upstream.ts';
import { systemClock } from '../../../lib/clock.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { ServerInfo } from '../../../lib/membership.ts';
import { systemRandom } from '../../../lib/random.ts';
import { Ring } from '../../../lib/ring.ts';

const MAX_ATTEMPTS = 3;
const IDLE_MS = 60_000;
const SILENT_MS = 20_000;
const HEAD_END = '\r\n\r\n';

const timedOut = () => Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });

/** A ring of some servers is the same for all agents. */
const rings = new Map<string, Ring>();

function ringOf(ids: readonly string[]): Ring {
  const key = ids.join();
  const known = rings.get(key) ?? new Ring(ids);
  rings.set(key, known);
  return known;
}

/** As ServerList. */
export class LeanServers {
  readonly breaker = new Breaker(systemClock, systemRandom);
  #all: readonly ServerInfo[] = [];

  get size(): number {
    return this.#all.length;
  }

  replace(servers: readonly ServerInfo[]): void {
    if (servers.length > 0) this.#all = servers;
  }

  inOrder(key: string): readonly ServerInfo[] {
    const byId = new Map(this.#all.map((server) => [server.ID, server]));
    const ready: ServerInfo[] = [];
    const paused: ServerInfo[] = [];
    for (const id of ringOf([...byId.keys()]).successors(key)) {
      const server = byId.get(id) as ServerInfo;
      if (ready.length === 0 && this.breaker.isOpen(id)) paused.push(server);
      else ready.push(server);
    }
    return [...ready, ...paused];
  }
}

/** As Upstream, of which beats and syncs use no more. */
export class LeanUpstream {
  readonly #servers: LeanServers;
  readonly #lines = new Map<string, LeanLine>();
  readonly #node: string;
  readonly #from: string;

  /** `from`: the address that it comes from. */
  constructor(servers: LeanServers, node: string, from: string) {
    this.#servers = servers;
    this.#node = node;
    this.#from = from;
  }

  async ask(request: UpstreamRequest): Promise<ServerAnswer> {
    const tried = new Set<string>();
    let cause: unknown;
    while (tried.size < MAX_ATTEMPTS) {
      const server = this.#servers.inOrder(request.key).find(({ Url }) => !tried.has(Url));
      if (server === undefined) break;
      tried.add(server.Url);
      try {
        const answer = await this.#lineTo(request.way, server).ask(request, this.#node);
        this.#servers.breaker.succeeded(server.ID);
        if (answer.status !== 500 || answer.headers['x-proconsul-applied'] !== 'no') {
          tried.delete(server.Url);
          for (const url of tried) this.#lines.get(`beat ${url}`)?.close();
          return answer;
        }
        cause = new Error('no leader');
      } catch (error) {
        cause = error;
        this.#servers.breaker.failed(server.ID);
      }
    }
    throw new ProconsulError('unavailable', 'No cluster leader', { cause });
  }

  stop(): void {
    for (const line of this.#lines.values()) line.close();
  }

  #lineTo(way: string, { Url }: ServerInfo): LeanLine {
    const key = `${way} ${Url}`;
    const known = this.#lines.get(key);
    // A beat waits for the answer to the one before, by the same connection.
    if (known?.isFree === true || (way === 'beat' && known?.isSilent === false)) return known;
    known?.close();
    const line = new LeanLine(Url, this.#from);
    this.#lines.set(key, line);
    return line;
  }
}

/** A kept connection, on which one request is asked at a time. */
class LeanLine {
  isFree = true;
  readonly #port: number;
  readonly #from: string;
  #socket: Socket | undefined;
  #got = '';
  #askedAt = 0;
  #settle: ((error: Error | undefined, answer?: ServerAnswer) => void) | undefined;
  /** Came when nobody waited any more. */
  #missed: ServerAnswer | undefined;

  constructor(url: string, from: string) {
    this.#port = Number(new URL(url).port);
    this.#from = from;
  }

  /** Whether it was asked so long ago that nothing will come. */
  get isSilent(): boolean {
    return performance.now() - this.#askedAt >= SILENT_MS;
  }

  ask({ way, method, target, body, headers = {}, timeoutMs }: UpstreamRequest, node: string) {
    const isUnderWay = !this.isFree;
    this.isFree = false;
    return new Promise<ServerAnswer>((resolve, reject) => {
      const late = () => {
        if (way !== 'beat') this.#end(timedOut());
        this.#settle = undefined;
        const missed = this.#missed;
        this.#missed = undefined;
        if (way === 'beat' && missed !== undefined) resolve(missed);
        else reject(timedOut());
      };
      const timer = setTimeout(late, timeoutMs);
      this.#settle = (error, answer) => {
        clearTimeout(timer);
        if (answer === undefined) reject(error);
        else resolve(answer);
      };
      if (isUnderWay) return;
      this.#askedAt = performance.now();
      const named = Object.entries({ ...headers, 'X-Proconsul-Node': node });
      const lines = named.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`;
      const head = `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${lines}${length}\r\n`;
      this.#open().write(body === undefined ? head : Buffer.concat([Buffer.from(head), body]));
    });
  }

  close(): void {
    this.#end(new Error('closed'));
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const socket = connect({
      ...{ port: this.#port, host: '127.0.0.1', noDelay: true },
      localAddress: this.#from,
    });
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.once('close', () => this.#end(new Error('closed')));
    socket.setTimeout(IDLE_MS, () => this.#end(new Error('idle')));
    this.#socket = socket;
    return socket;
  }

  #take(chunk: Buffer): void {
    // Beats and nodes are of ASCII here.
    this.#got += chunk.toString('latin1');
    const end = this.#got.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#got.slice(0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const body = this.#got.slice(end + HEAD_END.length);
    if (body.length < length) return;
    this.#got = '';
    const [, applied] = /x-proconsul-applied: (\w+)/i.exec(head) ?? [];
    const settle = this.#settle;
    this.#settle = undefined;
    this.isFree = true;
    const answer: ServerAnswer = {
      status: Number(head.slice(9, 12)),
      headers: applied === undefined ? {} : { 'x-proconsul-applied': applied },
      body: Buffer.from(body, 'latin1'),
    };
    this.#missed = settle === undefined ? answer : undefined;
    settle?.(undefined, answer);
  }

  #end(error: Error): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#got = '';
    this.#missed = undefined;
    const settle = this.#settle;
    this.#settle = undefined;
    this.isFree = true;
    settle?.(error);
  }
}
