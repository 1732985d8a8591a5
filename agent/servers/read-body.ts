import type { IncomingMessage } from 'node:http';
import { ProconsulError } from '../../lib/errors.ts';

/** The whole answer; refuses one that is larger than a client could want. */
export async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).length;
    if (bytes > maxBytes) {
      response.destroy();
      throw new ProconsulError('internal', `a server's answer is larger than ${maxBytes} bytes`);
    }
  }
  return Buffer.concat(parts);
}
