/**
 * An exchange of this process with itself: what asks is no text, and neither is what answers, so that there is nothing to
 * be parsed and no stream to be read. A question that is followed is asked thousands of times.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ProconsulError } from '../../lib/errors.ts';
import { type Begin, ReadyMessage, ReadyResponse } from '../../lib/http/ready-exchange.ts';
import type { Wire } from '../../lib/http/reply.ts';

export interface OwnQuestion {
  /** Path and query string. */
  readonly target: string;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends it, as a client that goes away. */
  readonly signal: AbortSignal;
}

const NOTHING = Buffer.alloc(0);

/**
 * A GET. Undefined where no row takes it as it is, and then nothing has begun. Rejects with a ProconsulError where no
 * answer comes.
 */
export function ownExchange(
  begin: Begin,
  { target: url, headers, signal }: OwnQuestion,
): Promise<Wire> | undefined {
  const end = new NoWire();
  const response = new OwnResponse(end);
  const rawHeaders = Object.entries(headers).flat();
  const message = new ReadyMessage(
    { method: 'GET', url, headers: { ...headers }, rawHeaders },
    end.asSocket,
    NOTHING,
  );
  const leave = () => end.destroy();
  signal.addEventListener('abort', leave, { once: true });
  response.once('close', () => signal.removeEventListener('abort', leave));
  if (begin(message, response)) return response.answer;
  signal.removeEventListener('abort', leave);
  return undefined;
}

/** In the place of a socket. Its other end is this process, which is there until it says otherwise. */
class NoWire extends EventEmitter {
  readonly readableEnded = false;
  destroyed = false;

  /** An exchange asks nothing else of it. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

class OwnResponse extends ReadyResponse {
  /** Rejects where it is cut off before. */
  readonly answer: Promise<Wire>;
  #answered: (wire: Wire) => void = () => undefined;

  constructor(end: NoWire) {
    super(end.asSocket, { isLast: () => false, over: () => undefined });
    this.answer = new Promise((resolve, reject) => {
      this.#answered = resolve;
      end.once('close', () => {
        this.gone();
        reject(new ProconsulError('unavailable', 'the agent hung up before it had answered'));
      });
    });
  }

  override send(wire: Wire): void {
    this.statusCode = wire.status;
    this.headersSent = true;
    this.#answered(wire);
    this.gone();
  }

  override async stream(head: Omit<Wire, 'body'>, parts: AsyncIterable<Buffer | string>) {
    const read: Buffer[] = [];
    try {
      for await (const part of parts) {
        read.push(typeof part === 'string' ? Buffer.from(part) : part);
      }
      this.send({ ...head, body: Buffer.concat(read) });
    } catch {
      // Whoever asked is told that no answer came.
      this.destroy();
    }
  }
}
