import assert from 'node:assert/strict';
import type { Proposal } from '../../../server/log/event-log.ts';
import { proposal } from '../../support/experiments/proposals.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { type CaseOf, type Opened, untilFed } from './log-case.ts';

const SEEDS = [1, 2, 3];
const STEPS = 60;

export function describeHistory(caseOf: CaseOf): void {
  describe('any history of writes, retries, snapshots and restarts', () => {
    for (const seed of SEEDS) {
      it(`holds each proposal once, in the order of its first acknowledgement (seed ${seed})`, async () => {
        const history = new History(caseOf, seed);
        await history.run();
      });
    }
  });
}

/** The model is a list of ids: the snapshot at index n holds the first n of them, a line each. */
class History {
  readonly #caseOf: CaseOf;
  readonly #next: () => number;
  readonly #acknowledged: string[] = [];
  #opened: Opened | undefined;
  #made = 0;

  constructor(caseOf: CaseOf, seed: number) {
    this.#caseOf = caseOf;
    this.#next = seededRandom(seed).next;
  }

  async run(): Promise<void> {
    let opened = await this.#restart();
    for (let step = 0; step < STEPS; step++) {
      const chance = this.#next();
      if (chance < 0.7) await this.#append(opened);
      else if (chance < 0.85) await this.#save(opened);
      else opened = await this.#restart();
    }
    await this.#restart();
  }

  async #append({ log }: Opened): Promise<void> {
    const batch: Proposal[] = [];
    const size = Math.floor(this.#next() * 8);
    for (let i = 0; i < size; i++) batch.push(this.#proposal());
    await log.append(batch);
    const known = new Set(this.#acknowledged);
    for (const { id } of batch) if (!known.has(id)) this.#acknowledged.push(id);
    assert((await log.readIndex()) >= this.#acknowledged.length);
  }

  /** Mostly a new one, at times a retry of one that was written since the start. */
  #proposal(): Proposal {
    const recent = this.#opened?.sink.ids ?? [];
    const old = recent[Math.floor(this.#next() * recent.length)];
    if (old !== undefined && this.#next() < 0.2) return proposal(old);
    return proposal(`p${this.#made++}`);
  }

  async #save({ log, sink }: Opened): Promise<void> {
    const lines = this.#acknowledged.slice(0, sink.position.index);
    await log.saveSnapshot({ position: sink.position, lines });
  }

  async #restart(): Promise<Opened> {
    const opened = await this.#caseOf().restart();
    const restored = opened.sink.restored?.lines ?? [];
    await untilFed(opened, this.#acknowledged.length - restored.length);
    assert.deepEqual([...restored, ...opened.sink.ids], this.#acknowledged);
    this.#opened = opened;
    return opened;
  }
}
