import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import { ProconsulError } from '../errors.ts';
import type { Limit } from './route.ts';

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
export function readBody(
  message: IncomingMessage,
  { maxBytes, limit, clock }: Reading,
): Promise<Buffer> {
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
    const tooLarge = (size: number) =>
      new ProconsulError(
        'too-large',
        `Request body(${size} bytes) too large, max size: ${maxBytes} bytes.${see(limit)}`,
      );
    const take = (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) refuse(tooLarge(bytes));
      else parts.push(part);
    };
    const claimed = Number(message.headers['content-length'] ?? 0);
    if (claimed > maxBytes) {
      refuse(tooLarge(claimed));
      return;
    }
    message.on('data', take);
    message.once('end', () => {
      cancel();
      resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
    });
    message.once('error', (cause) =>
      fail(new ProconsulError('invalid', 'request body broke off', { cause })),
    );
    message.once('close', () => {
      if (!message.complete) fail(new ProconsulError('invalid', 'request body broke off'));
    });
  });
}

/** Clients of Consul know this text, and its operators where to look. */
function see(limit: Limit | undefined): string {
  if (limit === undefined) return '';
  return ` See https://www.consul.io/docs/agent/options.html#${limit}.`;
}
