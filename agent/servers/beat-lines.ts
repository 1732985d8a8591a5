/**
 * Beats go by a kept connection to each server, past Node's HTTP, which was the largest part of what an agent costs
 * that nothing is asked of. Whatever does not go well (an answer that breaks off, or that a line cannot read) is not
 * this one's affair: a beat may be said again, and the long way knows what to do. But the connection to a server that
 * is silent is kept until another one is heard, and the next beat waits there for the same answer: where very many
 * agents come at once, each that gave its own up would stand at the end of the line again, behind what it left there.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { isHeaderText } from '../../lib/http/header-text.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import { traceHeaders } from '../../lib/tracing.ts';
import type { ServerAnswer } from './answer.ts';
import { type Head, Line } from './line.ts';
import type { Reach } from './reach.ts';
import { bytesTo, type Written } from './shown.ts';

/** An idle one is closed long before the server closes it under a beat. */
const IDLE_MS = 60_000;
/** So long after it was asked a server that is silent is taken for gone, with the connection. */
const SILENT_MS = 20_000;
/** So long an answer says something of the server that gave it. */
const MISSED_MS = 10_000;
/** What stands in between may stay there; a server that says with an answer that it ends comes back. */
const STRANGE_MS = 30_000;
/** The list of all servers is a thousandth of it. What is longer than that is no answer to a beat. */
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface BeatLinesOptions {
  readonly reach: Reach;
  readonly clock: Clock;
  /** The name of this agent's node, which servers are told. */
  readonly node: string;
}

/** As an upstream is asked. */
export interface Said extends Omit<Written, 'node'> {
  readonly timeoutMs: number;
  /** Nothing more is to be said. */
  readonly signal?: AbortSignal;
  /** Told after how long an answer began; undefined where a connection had to be opened first. */
  readonly onAnswer?: (ms: number | undefined) => void;
}

interface Kept {
  readonly line: Line;
  /** When it was last free, or asked. */
  since: number;
  underWay: UnderWay | undefined;
  /** Its answer came when nobody waited any more. */
  missed: UnderWay | undefined;
}

interface UnderWay {
  readonly target: string;
  readonly token: string;
  /** Whoever asked has been told that it is late, or was not the one who asked. */
  isLate: boolean;
  isAwaited: boolean;
  cameAt: number;
  /** Undefined where it breaks off. */
  readonly answer: Promise<ServerAnswer | undefined>;
}

function saysTheSame(one: UnderWay, { target, token }: Said): boolean {
  return one.target === target && one.token === token;
}

export class BeatLines {
  readonly #options: BeatLinesOptions;
  /** By where the server is. */
  readonly #kept = new Map<string, Kept>();
  /** Where answers came otherwise than a line knows them, and until when none is tried again. */
  readonly #strange = new Map<string, number>();

  constructor(options: BeatLinesOptions) {
    this.#options = options;
  }

  /** What the server answers, undefined where only the long way can tell, or that it is silent. */
  async ask(server: ServerInfo, said: Said): Promise<ServerAnswer | 'silent' | undefined> {
    this.#lookOver();
    const came = await this.#inTime(this.#askOne(server, said), said.timeoutMs);
    const underWay = this.#kept.get(server.Url)?.underWay;
    if (came === 'silent' && underWay !== undefined) underWay.isAwaited = false;
    return came;
  }

  /** What a server that is silent now has answered not long ago, when nobody waited any more; once. */
  missed(said: Said): Promise<ServerAnswer | undefined> | undefined {
    const now = this.#options.clock.monotonic();
    for (const kept of this.#kept.values()) {
      const { missed } = kept;
      if (missed === undefined || !saysTheSame(missed, said)) continue;
      kept.missed = undefined;
      if (now - missed.cameAt <= MISSED_MS) return missed.answer;
    }
    return undefined;
  }

  /** A server was heard. Those that are silent have files for their own agents, but not for all that once stood in their lines. */
  leaveSilent(): void {
    for (const kept of [...this.#kept.values()]) {
      kept.missed = undefined;
      if (kept.underWay?.isAwaited === false) kept.line.close();
    }
  }

  async #askOne(server: ServerInfo, request: Said): Promise<ServerAnswer | undefined> {
    if (request.signal?.aborted) return undefined;
    const { clock } = this.#options;
    const written = this.#written(request);
    if (this.#strange.has(server.Url) || !canBeWritten(written)) return undefined;
    const isNew = !this.#kept.has(server.Url);
    const kept = this.#lineTo(server);
    const before = kept.underWay;
    if (before !== undefined) {
      before.isLate = true;
      // That the agent leaves is to be heard after that it lives.
      if (!saysTheSame(before, request))
        return before.answer.then(() => this.#askOne(server, request));
      before.isAwaited = true;
      return before.answer;
    }
    const from = clock.monotonic();
    kept.since = from;
    const answer = new Promise<ServerAnswer | undefined>((resolve) => {
      const taken = new Answer();
      kept.line.ask(bytesTo(server.Url, written), request.timeoutMs, {
        wants: (head) => {
          if (!underWay.isLate) request.onAnswer?.(isNew ? undefined : clock.monotonic() - from);
          taken.begins(head);
          return true;
        },
        takes: (bytes) => {
          if (!taken.takes(bytes)) kept.line.close();
          return true;
        },
        ends: () => {
          underWay.cameAt = clock.monotonic();
          kept.missed = underWay.isAwaited ? undefined : underWay;
          resolve(taken.whole());
        },
        breaks: () => resolve(undefined),
      });
    });
    const { target, token } = request;
    const underWay: UnderWay = { target, token, isLate: false, isAwaited: true, cameAt: 0, answer };
    kept.underWay = underWay;
    return answer;
  }

  async #inTime<T>(answer: Promise<T>, ms: number): Promise<T | 'silent'> {
    let cancel: Cancel = () => undefined;
    const silence = new Promise<'silent'>((resolve) => {
      cancel = this.#options.clock.after(ms, () => resolve('silent'));
    });
    return await Promise.race([answer, silence]).finally(cancel);
  }

  /** Ends those to a server, or to all of them. */
  breakOff(serverId?: string): void {
    for (const { line } of [...this.#kept.values()]) {
      if (serverId === undefined || line.server.ID === serverId) line.close();
    }
  }

  #written(said: Said): Written {
    const headers = { ...said.headers, ...traceHeaders() };
    return { ...said, headers, node: this.#options.node };
  }

  #lineTo(server: ServerInfo): Kept {
    const { reach, clock } = this.#options;
    const { side } = reach;
    const known = this.#kept.get(server.Url);
    // After a reload TLS may be spoken otherwise; and another machine may be where this one was.
    if (known?.line.side === side && known.line.server.ID === server.ID) return known;
    known?.line.close();
    const kept: Kept = {
      since: clock.monotonic(),
      underWay: undefined,
      missed: undefined,
      line: new Line({
        socket: reach.connect(server),
        server,
        side,
        onFree: () => {
          kept.since = clock.monotonic();
          kept.underWay = undefined;
        },
        onClosed: ({ isStrange }) => {
          if (isStrange) this.#strange.set(server.Url, clock.monotonic() + STRANGE_MS);
          if (this.#kept.get(server.Url) === kept) this.#kept.delete(server.Url);
        },
      }),
    };
    this.#kept.set(server.Url, kept);
    return kept;
  }

  #lookOver(): void {
    const now = this.#options.clock.monotonic();
    for (const [url, until] of this.#strange) if (now >= until) this.#strange.delete(url);
    for (const [url, { line, since, underWay }] of [...this.#kept]) {
      if (now - since < (underWay === undefined ? IDLE_MS : SILENT_MS)) continue;
      this.#kept.delete(url);
      line.close();
    }
  }
}

/** What no header may hold Node refuses, and says so. */
function canBeWritten({ headers = {} }: Written): boolean {
  return Object.values(headers).every((value) => isHeaderText(String(value)));
}

/** Of a line, head and all. */
class Answer {
  #head: Head = { status: 0, text: '' };
  #bytes: Buffer = Buffer.alloc(0);

  begins(head: Head): void {
    this.#head = head;
  }

  /** False where it is no answer to a beat. */
  takes(bytes: Buffer): boolean {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    return this.#bytes.length <= MAX_ANSWER_BYTES;
  }

  whole(): ServerAnswer {
    const { status, text } = this.#head;
    // Nobody wants to know what else is said beside what is well.
    const headers = status === 200 ? {} : headersIn(text);
    return { status, headers, body: this.#bytes.subarray(text.length) };
  }
}

function headersIn(text: string): IncomingHttpHeaders {
  const lines = text.split('\r\n').slice(1);
  const pairs = lines.map((line) => /^([^:]+): ?(.*)$/.exec(line) ?? []);
  return Object.fromEntries(pairs.map(([, name = '', value]) => [name.toLowerCase(), value]));
}
