/** Reply → bytes on the wire, as Consul writes them. */
import { pipeline } from 'node:stream/promises';
import { LARGE_BYTES } from '../body-room.ts';
import { type ErrorCode, ProconsulError } from '../errors.ts';
import { encodeJsonBytes } from '../json-bytes.ts';
import { MIN_GZIP_BYTES } from '../limits.ts';
import { Work } from '../slices.ts';
import { letGoOfStalled, sendBody } from './delivery.ts';
import { compressed } from './gzip.ts';
import { type Message, ReadyResponse, type Response } from './ready-exchange.ts';
import type { Reply, Wire } from './reply.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'too-slow': 408,
  'too-large': 413,
  busy: 429,
  // Locks and Patroni try again on 500 only, so all that is not the client's fault is a 500.
  rejected: 500,
  unavailable: 500,
  unknown: 500,
  internal: 500,
};

const TEXT = 'text/plain; charset=utf-8';

/** The answer to an error: one line of plain text. What is not ours is hidden, and logged. */
export function errorReply(error: unknown): Reply {
  if (!(error instanceof ProconsulError)) return { status: 500, text: 'Internal error' };
  const headers: Record<string, string> = {};
  // A client may repeat a write that certainly was not done, and must look first after the other.
  if (error.code === 'unavailable') headers['X-Proconsul-Applied'] = 'no';
  if (error.code === 'unknown') headers['X-Proconsul-Applied'] = 'unknown';
  // Nobody reads the rest of it.
  const isCutOff = error.code === 'too-large' || error.code === 'too-slow';
  if (isCutOff) headers['Connection'] = 'close';
  return { status: STATUS[error.code], text: error.message, headers };
}

/** Beside a refusal that comes where an answer would say an index: that nothing is known. */
export const NOTHING_KNOWN: Readonly<Record<string, string>> = {
  'X-Consul-Index': '1',
  'X-Consul-Knownleader': 'false',
  'X-Consul-Lastcontact': '0',
};

/** The same, but that there is a leader: one was asked. */
export const LEADER_KNOWN = { ...NOTHING_KNOWN, 'X-Consul-Knownleader': 'true' };

/** The answer to an error where others say their index: a refusal says it too. */
export function indexedErrorReply(error: unknown, said = NOTHING_KNOWN): Reply {
  const reply = errorReply(error);
  if (!(error instanceof ProconsulError) || !REFUSALS.has(error.code)) return reply;
  return { ...reply, headers: { ...reply.headers, ...said } };
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set(['rejected', 'forbidden']);

export function isBug(error: unknown): boolean {
  return !(error instanceof ProconsulError) || error.code === 'internal';
}

export interface Writing {
  /** Set on every answer, unless the reply says otherwise. */
  readonly common: Readonly<Record<string, string>>;
  readonly pretty: boolean;
  readonly gzip: boolean;
}

/**
 * What goes out for a reply that is no stream; a promise where it is large, or must be compressed. What is
 * large is made for as long as it is wanted: `wants` is given it once, and says so.
 */
export function wireOf(
  reply: Reply,
  writing: Writing,
  wants: (body: Work<Buffer>) => void,
): Wire | Promise<Wire> {
  if (isUsual(reply)) return usualWire(reply, writing);
  const { common, pretty, gzip } = writing;
  const headers = new Headers(common, reply.headers);
  const body = bodyOf(reply, headers, pretty);
  if (!(body instanceof Work)) return wireWith(body, reply, headers, gzip);
  wants(body);
  return body.result.then((bytes) => wireWith(bytes, reply, headers, gzip));
}

/** Whether it says no more than nearly all writes are answered: `true`, or nothing. */
function isUsual({ status, headers, json, text, bytes }: Reply): boolean {
  if (status !== undefined || headers !== undefined) return false;
  return (json === true || json === undefined) && text === undefined && bytes === undefined;
}

/** By what is set on every answer, then by the body. */
const USUAL = new WeakMap<Writing['common'], Map<Buffer, Wire>>();

function usualWire(reply: Reply, { common, pretty }: Writing): Wire {
  const usual = USUAL.get(common) ?? new Map<Buffer, Wire>();
  USUAL.set(common, usual);
  const body = usualBody(reply, pretty);
  let wire = usual.get(body);
  if (wire === undefined) {
    const headers = new Headers(common);
    if (reply.json === true) headers.set('Content-Type', 'application/json');
    wire = { ...wholeWire(body, reply, headers), isUsual: true };
    usual.set(body, wire);
  }
  return wire;
}

function usualBody({ json }: Reply, pretty: boolean): Buffer {
  if (json !== true) return EMPTY;
  return pretty ? TRUE_LINE : TRUE;
}

function wireWith(
  body: Buffer,
  reply: Reply,
  headers: Headers,
  gzip: boolean,
): Wire | Promise<Wire> {
  const smaller = gzip && body.length >= MIN_GZIP_BYTES ? compressed(body) : undefined;
  if (smaller === undefined) return wholeWire(body, reply, headers);
  headers.set('Content-Encoding', 'gzip');
  return smaller.then((bytes) => wholeWire(bytes, reply, headers));
}

function wholeWire(body: Buffer, { status = 200 }: Reply, headers: Headers): Wire {
  headers.set('Content-Length', String(body.length));
  return { status, headers: headers.flat(), body };
}

/** Of the answer to an error. */
export function errorWire(reply: Reply, { common }: Pick<Writing, 'common'>): Wire {
  const headers = new Headers(common, reply.headers);
  return wholeWire(textOf(reply.text ?? '', headers), reply, headers);
}

/** Header names are told apart without regard to case; the last value given counts. There are few. */
class Headers {
  readonly #keys: string[] = [];
  /** Names and values in turn. */
  readonly #flat: string[] = [];

  constructor(...sets: (Readonly<Record<string, string>> | undefined)[]) {
    for (const set of sets) for (const name in set) this.set(name, set[name] as string);
  }

  set(name: string, value: string): void {
    const key = name.toLowerCase();
    const known = this.#keys.indexOf(key);
    const at = known < 0 ? this.#keys.push(key) - 1 : known;
    this.#flat[2 * at] = name;
    this.#flat[2 * at + 1] = headerValue(value);
  }

  has(name: string): boolean {
    return this.#keys.includes(name.toLowerCase());
  }

  /** Whoever sets more sets it here too. */
  flat(): string[] {
    return this.#flat;
  }
}

/**
 * As Go sends it: in UTF-8, and a line break is a space. Values may hold what users named, which must
 * neither end a header nor the answer.
 */
export function headerValue(text: string): string {
  if (!/[^\t -~]/.test(text)) return text;
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\t -~\u0080-\u00ff]/g, ' ');
}

function bodyOf(reply: Reply, headers: Headers, pretty: boolean): Buffer | Work<Buffer> {
  if (reply.bytes !== undefined) return reply.bytes;
  if (reply.text !== undefined) return textOf(reply.text, headers);
  if (reply.json === undefined) return EMPTY;
  headers.set('Content-Type', 'application/json');
  return encodeJsonBytes(reply.json, pretty);
}

function textOf(text: string, headers: Headers): Buffer {
  if (!headers.has('Content-Type')) headers.set('Content-Type', TEXT);
  headers.set('X-Content-Type-Options', 'nosniff');
  return Buffer.from(text);
}

const EMPTY = Buffer.alloc(0);
const TRUE = Buffer.from('true');
const TRUE_LINE = Buffer.from('true\n');

/** Sends it; to a client that is gone it does nothing. Throws where a large one finds no room. */
export function sendWire(wire: Wire, response: Response): void {
  if (response.destroyed || response.headersSent) return;
  if (response instanceof ReadyResponse) {
    response.send(wire);
    return;
  }
  const { status, headers, body } = wire;
  const begin = () => response.writeHead(status, headers as string[]);
  if (body.length <= LARGE_BYTES) {
    begin().end(body);
    return;
  }
  const beginLarge = () => {
    begin();
    letGoOfStalled(response);
  };
  sendBody(response, body, beginLarge, () => response.end());
}

/** Sends what comes, until it ends or the client goes away. */
export async function sendStream(
  reply: Reply & Pick<Required<Reply>, 'stream'>,
  common: Writing['common'],
  response: Response,
): Promise<void> {
  if (response.destroyed || response.headersSent) return;
  const { status = 200, stream } = reply;
  const headers = new Headers(common, reply.headers).flat();
  if (response instanceof ReadyResponse) {
    await response.stream({ status, headers }, stream);
    return;
  }
  response.writeHead(status, headers);
  response.flushHeaders();
  letGoOfStalled(response);
  // A client that goes away ends the stream: that is how a log monitor always ends.
  await pipeline(stream, response).catch(() => undefined);
}

/** Whether the client takes gzip; 'gzip;q=0' says that it does not. */
export function acceptsGzip(message: Message): boolean {
  const accepted = message.headers['accept-encoding'];
  return (
    typeof accepted === 'string' && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(accepted)
  );
}
