import type { IncomingMessage } from 'node:http';
import { ProconsulError } from '../errors.ts';
import type { Limit } from './route.ts';

/**
 * Reads a body, whatever its Content-Type. Refuses one that is too large by what its head says, or
 * else while it still streams; what follows is not read any more.
 */
export function readBody(
  message: IncomingMessage,
  maxBytes: number,
  limit?: Limit,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const refuse = () => {
      message.off('data', take).pause();
      parts.length = 0;
      reject(
        new ProconsulError(
          'too-large',
          `Request body(${bytes} bytes) too large, max size: ${maxBytes} bytes.${see(limit)}`,
        ),
      );
    };
    const take = (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) refuse();
      else parts.push(part);
    };
    const claimed = Number(message.headers['content-length'] ?? 0);
    if (claimed > maxBytes) {
      bytes = claimed;
      refuse();
      return;
    }
    message.on('data', take);
    message.once('end', () =>
      resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)),
    );
    message.once('error', (cause) =>
      reject(new ProconsulError('invalid', 'request body broke off', { cause })),
    );
    message.once('close', () => {
      if (!message.complete) reject(new ProconsulError('invalid', 'request body broke off'));
    });
  });
}

/** Clients of Consul know this text, and its operators where to look. */
function see(limit: Limit | undefined): string {
  if (limit === undefined) return '';
  return ` See https://www.consul.io/docs/agent/options.html#${limit}.`;
}
