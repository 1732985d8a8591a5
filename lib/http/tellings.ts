/**
 * What nothing says the change of, as what is measured: looked at here for whoever listens, who is told it as a line of
 * JSON at once, and again each time that it is another.
 */
import type { Clock } from '../clock.ts';
import { ProconsulError } from '../errors.ts';
import { networkOf } from '../ip.ts';
import { encodeJson } from '../json.ts';
import type { Reply } from './reply.ts';
import { enforce, type Right } from './right.ts';
import type { HttpRequest } from './route.ts';
import { param } from './takes.ts';

const LOOK_MS = 1000;
/** An empty line where nothing was told for as long: whoever listens knows by it that somebody is there. */
const SILENT_MS = 10_000;
/** Of one row, and of those from one address: behind one there may be an agent, or a proxy. */
const MAX_LISTENERS = 1024;
/** Where each has what it listens to made for itself. */
const MAX_APART = 256;
const MAX_OF_ADDRESS = 64;

/** Of a row that tells where it is asked to. */
export const STREAM = {
  stream: param.flag('a line of JSON at once, and each time that it is another'),
};

export interface Telling {
  readonly right: Right;
  /** JSON where it comes to bytes. Throws where it may not be told any more. */
  readonly look: () => unknown;
  /** From one look to the next; each second where nothing is said. */
  readonly everyMs?: number;
  /** Whoever listens is told the same: those who look at one time share what is made for it. */
  readonly isForAll?: boolean;
}

/** What one look came to, and when that was begun. */
interface Made {
  readonly at: number;
  readonly text: Promise<string>;
}

export class Tellings {
  readonly #clock: Pick<Clock, 'after' | 'now'>;
  readonly #from = new Map<string, number>();
  #open = 0;
  #made: Made | undefined;

  constructor(clock: Pick<Clock, 'after' | 'now'>) {
    this.#clock = clock;
  }

  /** Rejects as `look` does, and with 'busy' where too many listen. */
  async open(request: HttpRequest, telling: Telling): Promise<Reply> {
    const { signal, remoteAddress } = request;
    const end = this.#enter(remoteAddress, telling.isForAll === true ? MAX_LISTENERS : MAX_APART);
    const first = await this.#text(telling).catch((error: unknown) => {
      end();
      throw error;
    });
    // A client that is gone before it takes the first line never begins to read.
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    return {
      headers: { 'Content-Type': 'application/json' },
      stream: this.#lines(first, request, telling, end),
    };
  }

  /** Throws 'busy' where too many listen; leaves by what it returns, once or twice. */
  #enter(remoteAddress: string, most: number): () => void {
    const address = networkOf(remoteAddress);
    const from = this.#from.get(address) ?? 0;
    if (this.#open >= most || from >= MAX_OF_ADDRESS) {
      throw new ProconsulError('busy', 'too many clients listen to it already');
    }
    this.#open++;
    this.#from.set(address, from + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#open--;
      const left = (this.#from.get(address) ?? 1) - 1;
      if (left > 0) this.#from.set(address, left);
      else this.#from.delete(address);
    };
  }

  async #text({ look, isForAll, everyMs = LOOK_MS }: Telling): Promise<string> {
    const make = async () => {
      const made = await look();
      return Buffer.isBuffer(made) ? made.toString() : encodeJson(made);
    };
    if (isForAll !== true) return await make();
    const now = this.#clock.now();
    if (this.#made === undefined || Math.abs(now - this.#made.at) >= everyMs / 2) {
      this.#made = { at: now, text: make() };
    }
    return await this.#made.text;
  }

  async *#lines(
    first: string,
    request: HttpRequest,
    telling: Telling,
    end: () => void,
  ): AsyncIterable<string> {
    const { right, everyMs = LOOK_MS } = telling;
    let [said, saidAt] = [first, this.#clock.now()];
    try {
      yield `${first}\n`;
      for (;;) {
        await this.#passed(everyMs, request.signal);
        if (request.signal.aborted || !(await mayGoOn(request, right))) return;
        const text = await this.#text(telling).catch((error: unknown) => saidIfBusy(error, said));
        if (text !== said) yield `${text}\n`;
        else if (this.#clock.now() - saidAt >= SILENT_MS) yield '\n';
        else continue;
        [said, saidAt] = [text, this.#clock.now()];
      }
    } finally {
      end();
    }
  }

  #passed(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = () => {
        cancel();
        signal.removeEventListener('abort', over);
        resolve();
      };
      const cancel = this.#clock.after(ms, over);
      if (signal.aborted) over();
      else signal.addEventListener('abort', over);
    });
  }
}

/** Who listens has his place; of what could not be looked at now he is told later. */
function saidIfBusy(error: unknown, said: string): string {
  if (error instanceof ProconsulError && error.code === 'busy') return said;
  throw error;
}

/** Its token may be revoked while it listens, for days. */
async function mayGoOn(request: HttpRequest, right: Right): Promise<boolean> {
  if (right.by === 'nobody' || request.caller.stands()) return true;
  try {
    enforce(right, { caller: await request.callerNow(), rest: request.rest });
    return true;
  } catch {
    // Whoever asks again is told why.
    return false;
  }
}
