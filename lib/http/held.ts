/**
 * Who asks for the same again and again, and keeps what it was answered, says so in the last line of its request: an
 * agent, of a server. It is told in a few bytes that it has what it would be sent, and only then keeps to that.
 */
import { createHash } from 'node:crypto';
import { LARGE_BYTES } from '../body-room.ts';
import type { Wire } from './reply.ts';

/** By this name it says which answer it has, and is told which one it got. */
export const HELD_HEADER = 'X-Proconsul-Held';
/** It has what it would be sent. */
export const HELD_STATUS = 304;
/** Of a hash; as many letters as it has, lest a request of another answer be of another length. */
const HASH_BYTES = 18;
const TAG_LENGTH = 24;
/** Who has nothing yet. */
export const NOTHING_HELD = '-'.repeat(TAG_LENGTH);

const LINE = `\r\n${HELD_HEADER}: `;
const END = '\r\n\r\n';
/** Nothing in it could end the line. */
const TAG = /^[\w-]+$/;
const REST = TAG_LENGTH + END.length;

/** The last line of a request, and its end. */
export function heldLine(tag: string): string {
  return `${HELD_HEADER}: ${tag}${END}`;
}

/** Where in the request it is said what is held; undefined where nothing is said there. */
export function heldAt(request: string): number | undefined {
  const at = request.length - REST;
  if (!request.startsWith(LINE, at - LINE.length)) return undefined;
  const isTag = request.endsWith(END) && TAG.test(tagAt(request, at));
  return isTag ? at : undefined;
}

/** Where `heldAt` says. */
export function tagAt(request: string, at: number): string {
  return request.slice(at, at + TAG_LENGTH);
}

/** Of what a request is known by: whether whoever sends it says what it holds. */
export function saysHeld(known: string): boolean {
  return known.endsWith(LINE);
}

/** What goes out is the same where this is; undefined of what is too large to be held. */
export function tagOf({ status, headers, body }: Wire): string | undefined {
  if (body.length > LARGE_BYTES) return undefined;
  const hash = createHash('sha256')
    .update(`${status}\n${headers.join('\n')}\n\n`)
    .update(body);
  return hash.digest().toString('base64url', 0, HASH_BYTES);
}

export function tagged(wire: Wire, tag: string): Wire {
  return { ...wire, headers: [...wire.headers, HELD_HEADER, tag] };
}

/** In place of all that is held already. */
export function stillHeld(tag: string): Wire {
  return { status: HELD_STATUS, headers: [HELD_HEADER, tag, 'Content-Length', '0'], body: NOTHING };
}

const NOTHING = Buffer.alloc(0);
