/**
 * Which servers hear that this agent lives. Anything may answer where a server once was, and any number of servers
 * may be silent: one that lives is to hear of the agent, and before its lease is over where no more than three are silent.
 */
import type { Clock } from '../../lib/clock.ts';
import { NO_LEADER, noLeader, ProconsulError } from '../../lib/errors.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import { within } from '../../lib/within.ts';
import { isOfNoUse, type ServerAnswer } from './answer.ts';
import type { BeatLines, Said } from './beat-lines.ts';
import type { ServerList } from './server-list.ts';

/** How many servers a beat tries at most: three that are silent leave time for a fourth, within the shortest lease. */
const MAX_ATTEMPTS = 4;
/** How long those that come after the first have for their answers. */
const NEXT_MS = 1000;
/** The long way opens a connection, and may ask once more by another. */
const LONG = 2;
const NEVER = new AbortController().signal;
/** A server that was asked in vain comes after all others for so long. */
const VAIN_MS = 10_000;

export interface Beating extends Said {
  /** By which the ring chooses the server. */
  readonly key: string;
  /** Whether it is the answer of a server that has taken it; without this any 200 is. */
  readonly isTaken?: (answer: ServerAnswer) => boolean;
}

export interface BeatsOptions<Request> {
  readonly servers: ServerList;
  readonly clock: Clock;
  readonly lines: BeatLines;
  /** Asks one server in the way that knows all of HTTP. */
  readonly askLong: (server: ServerInfo, request: Request) => Promise<ServerAnswer>;
}

export class Beats<Request extends Beating> {
  readonly #options: BeatsOptions<Request>;
  /** Until when each of those that were asked in vain comes last, by where it is. */
  readonly #vain = new Map<string, number>();

  constructor(options: BeatsOptions<Request>) {
    this.#options = options;
  }

  /**
   * The answer of the first server that takes it. That it is refused is believed where all say so that were asked: one
   * may be another cluster's by now, or no server at all. Rejects with 'unavailable' where that is not so.
   */
  async ask(beating: Request): Promise<ServerAnswer> {
    const tried = new Set<string>();
    const refusers: ServerInfo[] = [];
    let refusal: ServerAnswer | undefined;
    let cause: unknown;
    while (tried.size < MAX_ATTEMPTS && beating.signal?.aborted !== true) {
      const order = this.#inOrder(beating.key, tried.size === 0);
      const server = order.find(({ Url }) => !tried.has(Url));
      if (server === undefined) break;
      const timeoutMs = tried.size === 0 ? beating.timeoutMs : Math.min(NEXT_MS, beating.timeoutMs);
      tried.add(server.Url);
      const came = await this.#tryOne(server, { ...beating, timeoutMs });
      if (came instanceof Error) {
        cause = came;
        continue;
      }
      if (came.status === 200 && beating.isTaken?.(came) !== false) {
        this.#taken(server, refusers);
        return came;
      }
      refusal ??= came;
      refusers.push(server);
    }
    if (refusal !== undefined && cause === undefined) return refusal;
    const missed = await this.#missed(beating);
    if (missed !== undefined) return missed;
    throw noLeader(cause ?? new ProconsulError('unavailable', 'no server is known'));
  }

  /** Servers that are slower than a beat waits take beats all the same. */
  async #missed(beating: Request): Promise<ServerAnswer | undefined> {
    const answer = await this.#options.lines.missed(beating);
    const isTaken = answer?.status === 200 && beating.isTaken?.(answer) !== false;
    return isTaken ? answer : undefined;
  }

  /** What it says, or why that is of no use. */
  async #tryOne(server: ServerInfo, beating: Request): Promise<ServerAnswer | Error> {
    try {
      const answer = await this.#askOne(server, beating);
      const isOfUse = !isOfNoUse(answer.status, answer.headers);
      return isOfUse ? answer : new ProconsulError('unavailable', NO_LEADER);
    } catch (error) {
      if (isOurs(error)) throw error;
      this.#inVain(server);
      return error as Error;
    }
  }

  async #askOne(server: ServerInfo, beating: Request): Promise<ServerAnswer> {
    const { lines, askLong, clock } = this.#options;
    const answer = await lines.ask(server, beating);
    if (answer === undefined) {
      // From the connection to the end of the answer: what answers may never come to one.
      return await within(clock, LONG * beating.timeoutMs, beating.signal ?? NEVER, (signal) =>
        askLong(server, { ...beating, signal }),
      );
    }
    if (answer !== 'silent') return answer;
    const why = `the server did not answer in ${beating.timeoutMs} ms`;
    throw Object.assign(new Error(why), { code: 'ETIMEDOUT' });
  }

  #taken(by: ServerInfo, refusers: readonly ServerInfo[]): void {
    this.#vain.delete(by.Url);
    this.#options.servers.breaker.succeeded(by.ID);
    for (const refuser of refusers) this.#inVain(refuser);
    this.#options.lines.leaveSilent();
  }

  #inVain({ ID, Url }: ServerInfo): void {
    const { servers, clock } = this.#options;
    servers.breaker.failed(ID);
    this.#vain.set(Url, clock.monotonic() + VAIN_MS);
  }

  /**
   * Those that were asked in vain come last, the longest ago first. But where it is the first of all it is tried again after
   * a time: one of a beat, for it may be silent still.
   */
  #inOrder(key: string, triesAgain: boolean): readonly ServerInfo[] {
    const { servers, clock } = this.#options;
    const all = servers.inOrder(key);
    const known = new Set(all.map(({ Url }) => Url));
    for (const url of this.#vain.keys()) if (!known.has(url)) this.#vain.delete(url);
    const untilOf = ({ Url }: ServerInfo) => this.#vain.get(Url) ?? 0;
    const isTried = ({ Url }: ServerInfo) => this.#vain.has(Url);
    const [first] = all;
    const isDue = first !== undefined && clock.monotonic() >= untilOf(first);
    const again = triesAgain && isDue ? [first] : [];
    const others = all.filter((server) => server !== again[0]);
    const vain = others.filter(isTried).sort((one, other) => untilOf(one) - untilOf(other));
    return [...again, ...others.filter((server) => !isTried(server)), ...vain];
  }
}

/** It would be the same with every server. */
function isOurs(error: unknown): boolean {
  return error instanceof ProconsulError && (error.code === 'invalid' || error.code === 'busy');
}
