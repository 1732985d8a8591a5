/**
 * Beats go by a kept connection to each server, past Node's HTTP, which was the largest part of what an agent costs
 * that nothing is asked of. Whatever does not go well (a server that gave no answer the last time, or has no
 * leader, silence) is not this one's affair: a beat may be said again, and the long way knows what to do.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { isHeaderText } from '../../lib/http/header-text.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import { traceHeaders } from '../../lib/tracing.ts';
import { isOfNoUse, type ServerAnswer } from './answer.ts';
import { type Head, Line } from './line.ts';
import type { Reach } from './reach.ts';
import type { ServerList } from './server-list.ts';
import { bytesTo, type Written } from './shown.ts';

/** An idle one is closed long before the server closes it under a beat. */
const IDLE_MS = 60_000;
/** What stands in between may stay there; a server that says with an answer that it ends comes back. */
const STRANGE_MS = 30_000;
/** The list of all servers is a thousandth of it. What is longer than that is no answer to a beat. */
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface BeatLinesOptions {
  readonly servers: ServerList;
  readonly reach: Reach;
  readonly clock: Clock;
  /** The name of this agent's node, which servers are told. */
  readonly node: string;
}

/** As an upstream is asked. */
export interface Asked extends Omit<Written, 'node'> {
  /** By which the ring chooses the server. */
  readonly key: string;
  readonly timeoutMs: number;
  /** Told after how long an answer began; undefined where a connection had to be opened first. */
  readonly onAnswer?: (ms: number | undefined) => void;
}

/** That it was asked once: whoever asks it again at once stands in a line that is too long already. */
export class Late {
  readonly server: ServerInfo;
  readonly error: Error;

  constructor(server: ServerInfo, ms: number) {
    this.server = server;
    const why = `the server did not answer in ${ms} ms`;
    this.error = Object.assign(new Error(why), { code: 'ETIMEDOUT' });
  }
}

interface Kept {
  readonly line: Line;
  /** When it was last free; undefined while something is under way. */
  freeAt: number | undefined;
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

  /** What a server has answered, or that it was silent for too long; undefined where it is to go the long way. */
  ask(request: Asked): Promise<ServerAnswer | Late | undefined> | undefined {
    const { servers, clock } = this.#options;
    this.#lookOver();
    const server = servers.first(request.key);
    const written = this.#written(request);
    if (server === undefined || this.#strange.has(server.Url) || !canBeWritten(written)) {
      return undefined;
    }
    const isNew = !this.#kept.has(server.Url);
    const kept = this.#lineTo(server);
    if (kept.freeAt === undefined) return undefined;
    kept.freeAt = undefined;
    const from = clock.monotonic();
    return new Promise((resolve) => {
      const answer = new Answer();
      const cancel = clock.after(request.timeoutMs, () => {
        servers.breaker.failed(server.ID);
        resolve(new Late(server, request.timeoutMs));
        kept.line.close();
      });
      kept.line.ask(bytesTo(server.Url, written), request.timeoutMs, {
        wants: (head) => {
          request.onAnswer?.(isNew ? undefined : clock.monotonic() - from);
          answer.begins(head);
          return true;
        },
        takes: (bytes) => {
          if (!answer.takes(bytes)) kept.line.close();
          return true;
        },
        ends: () => {
          cancel();
          servers.breaker.succeeded(server.ID);
          resolve(answer.whole());
        },
        breaks: () => {
          cancel();
          resolve(undefined);
        },
      });
    });
  }

  /** Ends those to a server, or to all of them. */
  breakOff(serverId?: string): void {
    for (const { line } of [...this.#kept.values()]) {
      if (serverId === undefined || line.server.ID === serverId) line.close();
    }
  }

  #written(asked: Asked): Written {
    const headers = { ...asked.headers, ...traceHeaders() };
    return { ...asked, headers, node: this.#options.node };
  }

  #lineTo(server: ServerInfo): Kept {
    const { reach, clock } = this.#options;
    const { side } = reach;
    const known = this.#kept.get(server.Url);
    // After a reload TLS may be spoken otherwise; and another machine may be where this one was.
    if (known?.line.side === side && known.line.server.ID === server.ID) return known;
    known?.line.close();
    const kept: Kept = {
      freeAt: clock.monotonic(),
      line: new Line({
        socket: reach.connect(server),
        server,
        side,
        onFree: () => {
          kept.freeAt = clock.monotonic();
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
    for (const { line, freeAt = now } of [...this.#kept.values()]) {
      if (now - freeAt >= IDLE_MS) line.close();
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

  /** Undefined where another server may be better off. */
  whole(): ServerAnswer | undefined {
    const { status, text } = this.#head;
    // Nobody wants to know what else is said beside what is well.
    const headers = status === 200 ? {} : headersIn(text);
    if (isOfNoUse(status, headers)) return undefined;
    return { status, headers, body: this.#bytes.subarray(text.length) };
  }
}

function headersIn(text: string): IncomingHttpHeaders {
  const lines = text.split('\r\n').slice(1);
  const pairs = lines.map((line) => /^([^:]+): ?(.*)$/.exec(line) ?? []);
  return Object.fromEntries(pairs.map(([, name = '', value]) => [name.toLowerCase(), value]));
}
