/**
 * What nothing says the change of, as what is measured: looked at here for whoever listens, who is told it as a line of
 * JSON at once, and again each time that it is another.
 */
import type { Clock } from '../clock.ts';
import { ProconsulError } from '../errors.ts';
import { encodeJson } from '../json.ts';
import type { Reply } from './reply.ts';
import { enforce, type Right } from './right.ts';
import type { HttpRequest } from './route.ts';
import { param } from './takes.ts';

const LOOK_MS = 1000;
/** An empty line where nothing was told for as long: whoever listens knows by it that somebody is there. */
const SILENT_MS = 10_000;
/** Of one row. Each has what it listens to made anew at each look. */
const MAX_LISTENERS = 64;

/** Of a row that tells where it is asked to. */
export const STREAM = {
  stream: param.flag('a line of JSON at once, and each time that it is another'),
};

export interface Telling {
  readonly right: Right;
  /** Throws where it may not be told any more. */
  readonly look: () => unknown;
  /** From one look to the next; each second where nothing is said. */
  readonly everyMs?: number;
}

export class Tellings {
  readonly #clock: Pick<Clock, 'after' | 'now'>;
  #open = 0;

  constructor(clock: Pick<Clock, 'after' | 'now'>) {
    this.#clock = clock;
  }

  /** Rejects as `look` does, and with 'busy' where too many listen. */
  async open(request: HttpRequest, telling: Telling): Promise<Reply> {
    const first = encodeJson(await telling.look());
    if (this.#open >= MAX_LISTENERS) {
      throw new ProconsulError('busy', `${MAX_LISTENERS} clients listen to it already`);
    }
    this.#open++;
    let isOver = false;
    const end = () => {
      if (!isOver) this.#open--;
      isOver = true;
    };
    const { signal } = request;
    // A client that is gone before it takes the first line never begins to read.
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    return {
      headers: { 'Content-Type': 'application/json' },
      stream: this.#lines(first, request, telling, end),
    };
  }

  async *#lines(
    first: string,
    request: HttpRequest,
    { right, look, everyMs = LOOK_MS }: Telling,
    end: () => void,
  ): AsyncIterable<string> {
    let [said, saidAt] = [first, this.#clock.now()];
    try {
      yield `${first}\n`;
      for (;;) {
        await this.#passed(everyMs, request.signal);
        if (request.signal.aborted || !(await mayGoOn(request, right))) return;
        const text = encodeJson(await look());
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
