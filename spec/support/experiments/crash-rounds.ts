import assert from 'node:assert/strict';
import { seededRandom } from '../fakes/seeded-random.ts';
import { type Child, type ChildOptions, startChild } from '../servers/child.ts';

/** A child has said so many acknowledgements, at most, when it is killed. */
const MAX_ACKNOWLEDGEMENTS = 120;
/** Enough for the rarest call, that for a folder, to come up a hundred times. */
const MAX_ACKNOWLEDGEMENTS_BEFORE_FAILURE = 2000;

/** What was acknowledged in each round so far; each process that starts is held against it. */
export class CrashRounds {
  readonly #folder: string;
  readonly #acknowledged = new Map<string, number>();
  #round = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** How many writes were acknowledged in all rounds. */
  get acknowledged(): number {
    return [...this.#acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Starts a writer, checks what it finds, and kills it in the middle of its work. */
  async killOne(): Promise<void> {
    const random = seededRandom(this.#round + 1);
    let left = 1 + Math.floor(random.next() * MAX_ACKNOWLEDGEMENTS);
    const child = this.#start();
    child.onLine((line) => {
      if (line.startsWith('acknowledged') && --left === 0) child.signal('SIGKILL');
    });
    await child.ended;
    this.#check(child);
    assert(!child.lines.some((line) => /^(rejected|fatal|refused)/.test(line)), said(child));
  }

  /**
   * Starts a writer under `options`, with which it must fail by itself, unless it `maySurvive` (a
   * snapshot that cannot be written ends nobody). What it said.
   */
  async failOne(options: ChildOptions, maySurvive: boolean): Promise<readonly string[]> {
    const child = this.#start(options);
    let left = MAX_ACKNOWLEDGEMENTS_BEFORE_FAILURE;
    child.onLine((line) => {
      if (line.startsWith('acknowledged') && --left === 0) child.signal('SIGKILL');
    });
    const code = await child.ended;
    const failure = child.lines.findIndex((line) => /^(fatal|refused)/.test(line));
    assert(failure >= 0 ? code === 1 : maySurvive, said(child));
    const after = failure < 0 ? [] : child.lines.slice(failure + 1);
    assert(!after.some((line) => line.startsWith('acknowledged')), said(child));
    if (!child.lines[0]?.startsWith('refused')) this.#check(child);
    return child.lines;
  }

  #start(options: ChildOptions = {}): Child {
    const args = [this.#folder, String(this.#round++)];
    return startChild(new URL('./file-log-writer.ts', import.meta.url), { ...options, args });
  }

  #check(child: Child): void {
    const [first = '', ...rest] = child.lines;
    assert(first.startsWith('started '), said(child));
    const found = new Map(JSON.parse(first.slice('started '.length)) as [string, number][]);
    for (const [round, count] of this.#acknowledged) {
      const there = found.get(round) ?? 0;
      assert(there >= count, `of round ${round}, ${count} were acknowledged, ${there} are there`);
      // What was there once was shown to readers: it must stay.
      this.#acknowledged.set(round, there);
    }
    const last = rest.findLast((line) => line.startsWith('acknowledged')) ?? 'acknowledged 0';
    this.#acknowledged.set(String(this.#round - 1), Number(last.split(' ')[1]));
  }
}

function said({ lines }: Child): string {
  return lines.slice(-5).join('\n');
}
