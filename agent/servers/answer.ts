import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';

/** A server's whole answer, which many clients may be sent. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Every instance of a large cluster in one answer fits. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** A server that falls silent in the middle of an answer does not go on with it. */
const SILENT_MS = 5000;

/** Rejects when the answer breaks off, falls silent or is larger than anybody could want. */
export async function readAnswer(response: IncomingMessage, clock: Clock): Promise<ServerAnswer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  let cancel: Cancel = () => undefined;
  const heard = () => {
    cancel();
    cancel = clock.after(SILENT_MS, () => response.destroy(new Error('the answer does not end')));
  };
  heard();
  try {
    for await (const part of response) {
      heard();
      parts.push(part as Buffer);
      bytes += (part as Buffer).length;
      if (bytes > MAX_BODY_BYTES) throw tooLarge();
    }
  } finally {
    cancel();
  }
  return {
    status: response.statusCode ?? 500,
    headers: response.headers,
    body: joined(parts, bytes),
  };
}

/** Into bytes of its own: a part is a piece of what the socket read, and would keep all of it. */
function joined(parts: readonly Buffer[], bytes: number): Buffer {
  const body = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const part of parts) at += part.copy(body, at);
  return body;
}

function tooLarge(): ProconsulError {
  return new ProconsulError('internal', `a server's answer is over ${MAX_BODY_BYTES} bytes`);
}
