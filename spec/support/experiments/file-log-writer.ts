/**
 * A process of its own that writes to the file log in the folder of its first argument, as fast as
 * it can, until it is killed. Its round is the second: the ids of its proposals are '<round>/0',
 * '<round>/1' and so on. Says how many of each round there are when it has started; from then on how
 * many of its own were acknowledged; and 'fatal' when the log failed, after which it tries to write
 * on: that must not be acknowledged.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../../lib/clock.ts';
import { describeChain, type ProconsulError } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import type { Entry } from '../../../server/commands.ts';
import {
  type LogSink,
  type Position,
  type Snapshot,
  START,
} from '../../../server/log/event-log.ts';
import { FileLog } from '../../../server/log/file/file-log.ts';
import { positionOf } from '../../../server/log/next-entry.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { proposal } from './proposals.ts';

const MAX_BATCH = 32;
const BATCHES_A_SNAPSHOT = 20;
const TRIES_AFTER_FAILURE = 3;

/** How many entries of each round there are; they come in order, without a gap. */
class Counts implements LogSink {
  position: Position = START;
  #counts = new Map<string, number>();

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const [round = '', number] = entry.id.split('/');
      const count = this.#counts.get(round) ?? 0;
      if (Number(number) !== count) throw new Error(`${entry.id} follows ${count - 1}`);
      this.#counts.set(round, count + 1);
      this.position = positionOf(entry);
    }
  }

  async restore({ position, lines }: Snapshot): Promise<void> {
    this.#counts = new Map();
    for await (const line of lines) {
      const [round, count] = JSON.parse(line) as [string, number];
      this.#counts.set(round, count);
    }
    this.position = position;
  }

  lines(): string[] {
    return [...this.#counts].map((pair) => JSON.stringify(pair));
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const [, , folder = '', round = '0'] = process.argv;
const random = seededRandom(Number(round));
const sink = new Counts();
let failed = false;
const log = new FileLog({
  folder,
  clock: systemClock,
  logger: silentLogger,
  disk: { limits: { segmentBytes: 20_000, allocateBytes: 8192 } },
  onFatal: (error: ProconsulError) => {
    failed = true;
    say(`fatal ${describeChain(error)}`);
  },
});

async function write(): Promise<void> {
  let made = 0;
  let saving: Promise<void> = Promise.resolve();
  for (let batch = 1; ; batch++) {
    const size = 1 + Math.floor(random.next() * MAX_BATCH);
    const some = Array.from({ length: size }, (_, i) => proposal(`${round}/${made + i}`));
    try {
      await log.append(some);
    } catch (error) {
      // A full disk: certainly not done, so that the same ids may be tried again.
      if (failed || (error as ProconsulError).code !== 'unavailable') throw error;
      continue;
    }
    made += size;
    say(`acknowledged ${made}`);
    if (batch % BATCHES_A_SNAPSHOT !== 0) continue;
    await saving;
    saving = log.saveSnapshot({ position: sink.position, lines: sink.lines() });
    // Whatever it ends with, an append then meets the same.
    saving.catch(() => undefined);
  }
}

try {
  await log.start(sink);
  say(`started ${JSON.stringify(sink.lines().map((line) => JSON.parse(line)))}`);
} catch (error) {
  say(`refused ${describeChain(error)}`);
  process.exit(1);
}
for (let tries = 0; !failed || tries < TRIES_AFTER_FAILURE; tries++) {
  await write().catch((error) => say(`rejected ${describeChain(error)}`));
}
process.exit(1);
