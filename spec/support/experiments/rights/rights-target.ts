/** Where requests under tokens go, and what must be true of every answer. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { FuzzClient } from '../fuzz-client.ts';
import type { Bearers } from './bearers.ts';
import { tellsMarker } from './planted-world.ts';
import type { Drawn } from './rights-fuzzer.ts';

/** A listener that requests are sent to. */
export interface Place {
  readonly name: string;
  readonly open: number | (() => Socket);
  /** How long a token is believed in after it has fallen. */
  readonly believedMs: number;
  /** Moves a clock that stands, for requests that wait. */
  readonly advance?: () => Promise<void>;
}

/** What came, and how often. */
export interface Seen {
  readonly statuses: Map<number, number>;
  /** Errors of the server's. */
  readonly said: Map<string, number>;
}

function count<T>(counts: Map<T, number>, what: T): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

export class RightsTarget {
  readonly #place: Place;
  readonly #bearers: Bearers;
  readonly #client: FuzzClient;
  readonly #seen: Seen;

  constructor(place: Place, bearers: Bearers, seen: Seen) {
    this.#place = place;
    this.#bearers = bearers;
    this.#client = new FuzzClient(place.open);
    this.#seen = seen;
  }

  /** Sends it, and fails on a crash, a hang, an error that is none on purpose, and a word too much. */
  async take({ bytes, isHead, bearer }: Drawn): Promise<void> {
    const { name, believedMs } = this.#place;
    const maySee = this.#bearers.maySee(bearer, believedMs);
    const shown = () =>
      `${name}, as ${bearer.kind}: ${JSON.stringify(bytes.toString('latin1').slice(0, 3000))}`;
    const answer = await this.#ask(bytes, isHead).catch((error: Error) => {
      assert.fail(`${error.message}: ${shown()}`);
    });
    const { status, head, body } = answer;
    // Whoever goes on sending what was refused at its head may lose the answer.
    assert(status > 0 || bearer.kind === 'huge', `closed without an answer: ${shown()}`);
    assert(
      status < 500 || status === 503 || isMeant(status, body, isHead),
      `${head}\n${body}\n${shown()}`,
    );
    assert(
      maySee || !tellsMarker(head + body),
      `gives away: ${head}\n${body.slice(0, 3000)}\n${shown()}`,
    );
    count(this.#seen.statuses, status);
    if (status >= 500) count(this.#seen.said, kindOf(status, body));
  }

  close(): void {
    this.#client.close();
  }

  async #ask(bytes: Buffer, isHead: boolean) {
    const asking = this.#client.ask(bytes, isHead);
    const { advance } = this.#place;
    if (advance === undefined || !bytes.includes('wait=')) return await asking;
    let waiting = true;
    const done = () => {
      waiting = false;
    };
    asking.then(done, done);
    while (waiting) await advance();
    return await asking;
  }
}

/** A bug says no more than that it is one; Consul's own refusals with 500 say what they refuse. */
function isMeant(status: number, body: string, isHead: boolean): boolean {
  if (body === 'Internal error') return false;
  return (status === 500 || status === 501) && (isHead || body !== '');
}

/** An error without what differs from one to the next. */
function kindOf(status: number, body: string): string {
  const plain = body.replace(/[0-9a-f]{8}-[-0-9a-f]{27}/g, 'ID').replace(/"[^"]*"?/g, '"…"');
  return `${status} ${plain.replaceAll('\n', ' ').slice(0, MAX_KIND)}`;
}

const MAX_KIND = 60;
