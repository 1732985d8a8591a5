/** The log as clients follow it: each has lines waiting within a limit, and only so many listen. */
import type { Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { LogTap, WantedLines } from './context.ts';

/** What comes beyond them is dropped, and the client is told how many those were. */
const MAX_WAITING_LINES = 512;
/** Each makes every line anew, at debug too. */
const MAX_STREAMS = 16;
/** How often it is looked whether each may go on: where nothing is logged, nobody else would. */
const LOOK_MS = 10_000;

export interface Listening {
  readonly wanted: WantedLines;
  readonly signal: AbortSignal;
  /** Asked before each line and now and then: a token may be revoked while its request goes on for days. */
  readonly mayGoOn: () => Promise<boolean>;
}

export class LogStreams {
  readonly #tap: LogTap;
  readonly #clock: Pick<Clock, 'after' | 'now'>;
  #open = 0;

  constructor(tap: LogTap, clock: Pick<Clock, 'after' | 'now'>) {
    this.#tap = tap;
    this.#clock = clock;
  }

  /** Lines from now on. Throws 'busy' where too many listen. */
  open(listening: Listening): AsyncIterable<string> {
    if (this.#open >= MAX_STREAMS) {
      throw new ProconsulError('busy', `${MAX_STREAMS} clients follow the log already`);
    }
    this.#open++;
    const queue = new LineQueue((dropped) => gapOf(dropped, listening.wanted, this.#clock.now()));
    const untap = this.#tap(listening.wanted, (line) => queue.push(line));
    let isOver = false;
    const lookLater = () => this.#clock.after(LOOK_MS, () => void look());
    let cancelLook = lookLater();
    const look = async () => {
      if (!(await listening.mayGoOn())) end();
      else if (!isOver) cancelLook = lookLater();
    };
    const end = () => {
      if (isOver) return;
      isOver = true;
      this.#open--;
      cancelLook();
      untap();
      queue.end();
    };
    // A client that is gone before it takes the first line never begins to read.
    if (listening.signal.aborted) end();
    listening.signal.addEventListener('abort', end, { once: true });
    return lines(queue, listening.mayGoOn, end);
  }
}

async function* lines(
  queue: LineQueue,
  mayGoOn: Listening['mayGoOn'],
  end: () => void,
): AsyncIterable<string> {
  try {
    for (;;) {
      const line = await queue.next();
      if (line === undefined || !(await mayGoOn())) return;
      yield `${line}\n`;
    }
  } finally {
    end();
  }
}

/** As Consul says it, but where every line is JSON this one is too: whoever reads them parses each. */
function gapOf(dropped: number, { json }: WantedLines, now: number): string {
  const text = `Monitor dropped ${dropped} logs during monitor request`;
  if (!json) return text;
  return JSON.stringify({
    '@level': 'warn',
    '@message': text,
    '@module': 'agent',
    '@timestamp': new Date(now).toISOString(),
  });
}

class LineQueue {
  readonly #gapOf: (dropped: number) => string;
  readonly #lines: string[] = [];
  #dropped = 0;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  constructor(gap: (dropped: number) => string) {
    this.#gapOf = gap;
  }

  push(line: string): void {
    if (this.#lines.length < MAX_WAITING_LINES) this.#lines.push(line);
    else this.#dropped++;
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Undefined when it has ended. */
  async next(): Promise<string | undefined> {
    while (!this.#hasEnded) {
      const line = this.#lines.shift() ?? this.#gap();
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return undefined;
  }

  #gap(): string | undefined {
    if (this.#dropped === 0) return undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return this.#gapOf(dropped);
  }
}
