/**
 * A client's read that is passed on to a server, and its answer back, without a look at either. What a server says by a
 * tag is kept, and asked by that tag: while it stands the server says no more than that.
 */
import type { Socket } from 'node:net';
import { LARGE_BYTES } from '../../lib/body-room.ts';
import { HELD_HEADER, HELD_STATUS, NOTHING_HELD } from '../../lib/http/held.ts';
import type { PassedOn, Wire } from '../../lib/http/reply.ts';
import { headerValue } from '../../lib/http/respond.ts';
import type { AtWork } from '../../lib/http/shortcut.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import type { Head, Taker } from './line.ts';
import type { Relay, Relaying } from './relay.ts';
import { type Asking, bytesTo } from './shown.ts';

/** So long a server may take, before another one is asked. */
const BEGIN_MS = 5000;
/** The request, twice, and what it is asked by. */
const KEPT_BYTES = 4096;
/** Others are looked at: refusals are said otherwise, and of what a server did not do another is asked. */
export const PASSED_STATUS: ReadonlySet<number> = new Set([200, 404]);

type Common = Readonly<Record<string, string>>;

export interface PassedReadDeps {
  readonly relay: Relay;
  /** Whether one more may be passed on. */
  readonly admits: () => boolean;
  /** The token of requests that bring none, by now. */
  readonly token: () => string;
}

/** What the server is sent, for as long as it is the same. */
interface Made {
  readonly url: string;
  readonly token: string;
  readonly tag: string;
  readonly bytes: Buffer;
}

/** An answer, whole, and by what the server knows it. */
interface Held {
  readonly tag: string;
  readonly wire: Wire;
}

export class PassedRead implements PassedOn {
  readonly #deps: PassedReadDeps;
  readonly #asking: Asking;
  readonly #key: string;
  #made: Made | undefined;
  #held: Held | undefined;

  /** `key`: by which the ring chooses the server. A token of '' is the agent's. */
  constructor(asking: Asking, key: string, deps: PassedReadDeps) {
    this.#asking = asking;
    this.#key = key;
    this.#deps = deps;
  }

  get bytes(): number {
    // As it came, and as it goes out.
    return KEPT_BYTES + 2 * (this.#held?.wire.body.length ?? 0);
  }

  pass(to: Socket, common: Common, over: (told?: number | Wire) => void): AtWork | undefined {
    const holds = (held: Held) => {
      this.#held = held;
    };
    const passing = new Passing({ to, common, over, held: this.#held, holds });
    const relaying = this.#deps.relay.begin(
      {
        ...{ way: 'client', client: to.remoteAddress, key: this.#key },
        ...{ beginMs: BEGIN_MS, request: this.#request, admits: this.#deps.admits },
      },
      passing,
    );
    if (relaying === undefined) return undefined;
    passing.relaying = relaying;
    return passing;
  }

  readonly #request = (server: ServerInfo): Buffer => {
    const token = this.#asking.token || this.#deps.token();
    const tag = this.#held?.tag ?? NOTHING_HELD;
    const made = this.#made;
    const { Url: url } = server;
    if (made?.url === url && made.token === token && made.tag === tag) return made.bytes;
    const bytes = bytesTo(url, { ...this.#asking, token }, tag);
    this.#made = { url, token, tag, bytes };
    return bytes;
  };
}

interface PassingOptions {
  readonly to: Socket;
  readonly common: Common;
  readonly over: (told?: number | Wire) => void;
  /** What the server was told that is held here. */
  readonly held: Held | undefined;
  readonly holds: (held: Held) => void;
}

/** One that is under way. */
class Passing implements Taker, AtWork {
  relaying: Relaying | undefined;
  readonly #options: PassingOptions;
  /** Of an answer that goes to the client as it comes. */
  #status: number | undefined;
  #lines = '';
  /** Of one that goes to him whole. */
  #whole: ((bytes: Buffer) => Held | undefined) | undefined;
  #held: Held | undefined;

  constructor(options: PassingOptions) {
    this.#options = options;
  }

  wants(head: Head): boolean {
    const { common, held } = this.#options;
    if (head.status === HELD_STATUS) {
      // A proxy in between may say it too, of what a client has.
      this.#held = held?.tag === tagIn(head) ? held : undefined;
      return this.#held !== undefined;
    }
    if (!PASSED_STATUS.has(head.status)) return false;
    const tag = tagIn(head);
    if (tag !== undefined) return this.#collect(head, tag);
    this.#status = head.status;
    this.#lines = missing(common, head);
    return true;
  }

  takes(bytes: Buffer): boolean {
    if (this.#held !== undefined) return true;
    if (this.#whole !== undefined) {
      this.#held = this.#whole(bytes);
      return true;
    }
    const { to } = this.#options;
    const takes = to.write(this.#lines === '' ? bytes : withLines(bytes, this.#lines));
    this.#lines = '';
    if (!takes) to.once('drain', () => this.relaying?.resume());
    return takes;
  }

  ends(): void {
    const { over, holds } = this.#options;
    const held = this.#held;
    if (held !== undefined && this.#whole !== undefined) holds(held);
    over(held?.wire ?? this.#status);
  }

  breaks(): void {
    if (this.#status === undefined) this.#options.over();
    else this.#options.to.destroy();
  }

  drops(): void {
    // Nothing was taken for it that would have to be given back.
  }

  withdraw(): boolean {
    if (this.#status !== undefined && !this.#options.to.destroyed) return false;
    this.relaying?.cancel();
    return true;
  }

  /** False where it is larger than any that is held. */
  #collect({ status, text }: Head, tag: string): boolean {
    const { common } = this.#options;
    const headers = headersIn(text, common);
    const length = Number(LENGTH.exec(text)?.[1]);
    if (!(length <= LARGE_BYTES)) return false;
    const body = Buffer.allocUnsafeSlow(length);
    // The head comes first, and whole, with whatever follows it.
    let at = -text.length;
    this.#whole = (bytes) => {
      bytes.copy(body, Math.max(at, 0), Math.max(-at, 0));
      at += bytes.length;
      return at < length ? undefined : { tag, wire: { status, headers, body } };
    };
    return true;
  }
}

const LENGTH = /\r\ncontent-length: ?(\d+)\r\n/i;
const TAG = new RegExp(`\r\n${HELD_HEADER}: ?([\\w-]+)\r\n`, 'i');
/** They are of one connection, or of one moment. */
const NOT_HELD: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'date'],
  HELD_HEADER.toLowerCase(),
]);

function tagIn({ text }: Head): string | undefined {
  return TAG.exec(text)?.[1];
}

/** Names and values in turn, as they came. */
function headersIn(text: string, common: Common): string[] {
  const lines = text.split('\r\n').slice(1, -2);
  const known = new Set<string>();
  const headers: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    known.add(name.toLowerCase());
    if (!NOT_HELD.has(name.toLowerCase())) headers.push(name, line.slice(colon + 1).trim());
  }
  for (const name of Object.keys(common)) {
    if (!known.has(name.toLowerCase())) headers.push(name, headerValue(common[name] ?? ''));
  }
  return headers;
}

/** Lines of headers that an answer does not have by itself. */
function missing(common: Common, { text }: Head): string {
  const names = Object.keys(common);
  if (names.length === 0) return '';
  const known = text.toLowerCase();
  return names
    .filter((name) => !known.includes(`\r\n${name.toLowerCase()}:`))
    .map((name) => `${name}: ${headerValue(common[name] ?? '')}\r\n`)
    .join('');
}

/** Behind the first line of an answer. */
function withLines(answer: Buffer, lines: string): Buffer {
  const at = answer.indexOf('\r\n') + 2;
  return Buffer.concat([answer.subarray(0, at), Buffer.from(lines, 'latin1'), answer.subarray(at)]);
}
