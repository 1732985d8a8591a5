/**
 * How long processes wait for a processor that others have, as the kernel counts it: on a busy machine an
 * answer that is late is no fault of who gives it.
 */
import { readFileSync } from 'node:fs';

const LOOK_MS = 500;
const NS_PER_MS = 1e6;

interface Looked {
  readonly at: number;
  /** Of the one that waited longest since the look before. */
  readonly waitedMs: number;
}

export class Starvation {
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #before: readonly number[];
  #looks: readonly Looked[] = [];

  constructor(pids: readonly number[]) {
    this.#pids = [process.pid, ...pids];
    this.#before = this.#pids.map(waitedMs);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** How long one of them waited, of the time that has just passed. */
  within(ms: number): number {
    this.#look();
    const from = performance.now() - ms;
    return this.#looks.filter(({ at }) => at >= from).reduce((sum, each) => sum + each.waitedMs, 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#pids.map(waitedMs);
    const waited = now.map((each, i) => each - (this.#before[i] ?? each));
    this.#before = now;
    const look = { at: performance.now(), waitedMs: Math.max(...waited) };
    this.#looks = [...this.#looks.slice(-MAX_LOOKS), look];
  }
}

const MAX_LOOKS = 200;

/** Of its main thread, since it began; what cannot be read is 0. */
function waitedMs(pid: number): number {
  try {
    const [, waited = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(waited) / NS_PER_MS;
  } catch {
    // It has ended, or this is no Linux: then nothing is excused.
    return 0;
  }
}
