import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Claim } from '../../lib/body-room.ts';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';

/** A server's whole answer, which many clients may be sent. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Its server has no leader or log, and has done nothing: another may be better off. */
export function isOfNoUse(status: number | undefined, headers: IncomingHttpHeaders): boolean {
  return status === 500 && headers['x-proconsul-applied'] === 'no';
}

/** Every instance of a large cluster in one answer fits. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** A server that falls silent in the middle of an answer does not go on with it. */
const SILENT_MS = 5000;

/**
 * Rejects when the answer breaks off, falls silent or is larger than anybody could want, and where the
 * claim finds no room for it.
 */
export async function readAnswer(
  response: IncomingMessage,
  clock: Clock,
  claim?: Claim,
): Promise<ServerAnswer> {
  let cancel: Cancel = () => undefined;
  const heard = () => {
    cancel();
    cancel = clock.after(SILENT_MS, () => response.destroy(new Error('the answer does not end')));
  };
  heard();
  try {
    const reading = new HeldBody(response.headers, claim);
    for await (const part of response) {
      heard();
      reading.take(part as Buffer);
    }
    const { statusCode: status = 500, headers } = response;
    return { status, headers, body: reading.whole() };
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    cancel();
    claim?.end();
  }
}

/** Into bytes of its own: a part is a piece of what the socket read, and would keep all of it. */
export class HeldBody {
  readonly #claim: Claim | undefined;
  #bytes: Buffer;
  #at = 0;

  constructor(headers: IncomingHttpHeaders, claim: Claim | undefined) {
    this.#claim = claim;
    // Servers say how long their answers are, so that none is there twice.
    this.#bytes = this.#room(Number(headers['content-length'] ?? 0));
  }

  take(part: Buffer): void {
    const end = this.#at + part.length;
    if (end > this.#bytes.length) this.#grow(Math.max(end, 2 * this.#bytes.length));
    this.#at += part.copy(this.#bytes, this.#at);
  }

  whole(): Buffer {
    if (this.#at < this.#bytes.length) this.#grow(this.#at);
    return this.#bytes;
  }

  #grow(length: number): void {
    const before = this.#bytes;
    this.#bytes = this.#room(length);
    before.copy(this.#bytes, 0, 0, this.#at);
  }

  #room(bytes: number): Buffer {
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    this.#claim?.grow(bytes);
    return Buffer.allocUnsafeSlow(bytes);
  }
}

function tooLarge(): ProconsulError {
  return new ProconsulError('internal', `a server's answer is over ${MAX_BODY_BYTES} bytes`);
}
