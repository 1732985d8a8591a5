/** A client's read that is passed on to a server, and its answer back, without a look at either. */
import type { Socket } from 'node:net';
import type { PassedOn } from '../../lib/http/reply.ts';
import { headerValue } from '../../lib/http/respond.ts';
import type { AtWork } from '../../lib/http/shortcut.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import type { Head } from './line.ts';
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
  readonly bytes: Buffer;
}

export class PassedRead implements PassedOn {
  readonly bytes = KEPT_BYTES;
  readonly #deps: PassedReadDeps;
  readonly #asking: Asking;
  readonly #key: string;
  #made: Made | undefined;

  /** `key`: by which the ring chooses the server. A token of '' is the agent's. */
  constructor(asking: Asking, key: string, deps: PassedReadDeps) {
    this.#asking = asking;
    this.#key = key;
    this.#deps = deps;
  }

  pass(to: Socket, common: Common, over: (status?: number) => void): AtWork | undefined {
    let status: number | undefined;
    let lines = '';
    const relaying: Relaying | undefined = this.#deps.relay.begin(
      {
        ...{ way: 'client', client: to.remoteAddress, key: this.#key },
        ...{ beginMs: BEGIN_MS, request: this.#request, admits: this.#deps.admits },
      },
      {
        wants: (head) => {
          if (!PASSED_STATUS.has(head.status)) return false;
          status = head.status;
          lines = missing(common, head);
          return true;
        },
        takes: (bytes) => {
          const takes = to.write(lines === '' ? bytes : withLines(bytes, lines));
          lines = '';
          if (!takes) to.once('drain', () => relaying?.resume());
          return takes;
        },
        ends: () => over(status),
        breaks: () => {
          if (status === undefined) over();
          else to.destroy();
        },
        drops: () => undefined,
      },
    );
    if (relaying === undefined) return undefined;
    return {
      withdraw() {
        if (status !== undefined && !to.destroyed) return false;
        relaying.cancel();
        return true;
      },
    };
  }

  readonly #request = (server: ServerInfo): Buffer => {
    const token = this.#asking.token || this.#deps.token();
    const made = this.#made;
    const { Url: url } = server;
    if (made?.url === url && made.token === token) return made.bytes;
    const bytes = bytesTo(url, { ...this.#asking, token });
    this.#made = { url, token, bytes };
    return bytes;
  };
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
