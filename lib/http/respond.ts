/** Reply → bytes on the wire, as Consul writes them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ErrorCode, ProconsulError } from '../errors.ts';
import { encodeJson } from '../json.ts';
import { MIN_GZIP_BYTES } from '../limits.ts';
import type { Reply } from './route.ts';

const compress = promisify(gzip);

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'too-large': 413,
  busy: 429,
  // Locks and Patroni try again on 500 only, so all that is not the client's fault is a 500.
  rejected: 500,
  unavailable: 500,
  unknown: 500,
  internal: 500,
};

export const TEXT = 'text/plain; charset=utf-8';

/** The answer to an error: one line of plain text. What is not ours is hidden, and logged. */
export function errorReply(error: unknown): Reply {
  if (!(error instanceof ProconsulError)) return { status: 500, text: 'Internal error' };
  const headers: Record<string, string> = {};
  // A client may repeat a write that certainly was not done, and must look first after the other.
  if (error.code === 'unavailable') headers['X-Proconsul-Applied'] = 'no';
  if (error.code === 'unknown') headers['X-Proconsul-Applied'] = 'unknown';
  if (error.code === 'too-large') headers['Connection'] = 'close';
  return { status: STATUS[error.code], text: error.message, headers };
}

export function isBug(error: unknown): boolean {
  return !(error instanceof ProconsulError) || error.code === 'internal';
}

export interface Sending {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly pretty: boolean;
}

/** Sends the reply; to a client that is gone it does nothing. */
export async function send(reply: Reply, { message, response, pretty }: Sending): Promise<void> {
  if (response.destroyed || response.headersSent) return;
  response.statusCode = reply.status ?? 200;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.stream !== undefined) {
    response.flushHeaders();
    // A client that goes away ends the stream: that is how a log monitor always ends.
    await pipeline(reply.stream, response).catch(() => undefined);
    return;
  }
  const bytes = body(reply, response, pretty);
  if (bytes.length >= MIN_GZIP_BYTES && acceptsGzip(message)) {
    response.setHeader('Content-Encoding', 'gzip');
    end(response, await compress(bytes));
  } else end(response, bytes);
}

function end(response: ServerResponse, bytes: Buffer): void {
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}

function body(reply: Reply, response: ServerResponse, pretty: boolean): Buffer {
  if (reply.bytes !== undefined) return reply.bytes;
  if (reply.text !== undefined) {
    if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', TEXT);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    return Buffer.from(reply.text);
  }
  if (reply.json === undefined) return Buffer.alloc(0);
  response.setHeader('Content-Type', 'application/json');
  return Buffer.from(pretty ? `${encodeJson(reply.json, true)}\n` : encodeJson(reply.json));
}

/** Whether the client takes gzip; 'gzip;q=0' says that it does not. */
export function acceptsGzip(message: IncomingMessage): boolean {
  const accepted = message.headers['accept-encoding'];
  return (
    typeof accepted === 'string' && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(accepted)
  );
}
