import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import { ProconsulError } from '../errors.ts';
import { type Message, ReadyMessage } from './ready-exchange.ts';
import type { Limit } from './route.ts';
import { whoStays } from './standstill.ts';

/** A body that is sent byte by byte ends here; a large one has longer, as long as it comes this fast. */
const BODY_MS = 30_000;
const LEAST_BYTES_PER_MS = 64;

export interface Reading {
  readonly maxBytes: number;
  /** What the bound is called, for whoever wants another. */
  readonly limit?: Limit | undefined;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
}

/**
 * Reads a body, whatever its Content-Type. Refuses one that is too large by what its head says, or
 * else while it still streams, and one that is too slow; what follows is not read any more.
 */
export function readBody(message: IncomingMessage, reading: Reading): Promise<Buffer> {
  const { maxBytes, clock } = reading;
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const began = clock.monotonic();
    const look = () => {
      const leftMs = BODY_MS + bytes / LEAST_BYTES_PER_MS - (clock.monotonic() - began);
      if (leftMs > 0) cancel = clock.after(Math.ceil(leftMs), look);
      else refuse(new ProconsulError('too-slow', `Request body too slow (${bytes} bytes)`));
    };
    let cancel = clock.after(BODY_MS, look);
    const fail = (error: ProconsulError) => {
      cancel();
      reject(error);
    };
    const refuse = (error: ProconsulError) => {
      message.off('data', take).pause();
      parts.length = 0;
      fail(error);
    };
    const take = (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) refuse(tooLarge(bytes, reading));
      else parts.push(part);
    };
    const claimed = Number(message.headers['content-length'] ?? 0);
    if (claimed > maxBytes) {
      refuse(tooLarge(claimed, reading));
      return;
    }
    message.on('data', take);
    message.once('end', () => {
      cancel();
      const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      resolve(whoStays(message, body));
    });
    message.once('error', (cause) =>
      fail(new ProconsulError('invalid', 'request body broke off', { cause })),
    );
    message.once('close', () => {
      if (!message.complete) fail(new ProconsulError('invalid', 'request body broke off'));
    });
  });
}

/** The same, of a message whose body may have come already. */
export function bodyOf(message: Message, reading: Reading): Buffer | Promise<Buffer> {
  if (!(message instanceof ReadyMessage)) return readBody(message, reading);
  const { whole } = message;
  if (whole.length > reading.maxBytes) throw tooLarge(whole.length, reading);
  return whole;
}

function tooLarge(size: number, { maxBytes, limit }: Reading): ProconsulError {
  return new ProconsulError(
    'too-large',
    `Request body(${size} bytes) too large, max size: ${maxBytes} bytes.${see(limit)}`,
  );
}

/** Clients of Consul know this text, and its operators where to look. */
function see(limit: Limit | undefined): string {
  if (limit === undefined) return '';
  return ` See https://www.consul.io/docs/agent/options.html#${limit}.`;
}
