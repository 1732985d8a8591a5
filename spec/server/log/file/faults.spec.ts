import assert from 'node:assert/strict';
import type { ProconsulError } from '../../../../lib/errors.ts';
import type { FileLog } from '../../../../server/log/file/file-log.ts';
import { proposal, proposals } from '../../../support/experiments/proposals.ts';
import {
  type Fault,
  type FaultOf,
  MemoryFileSystem,
} from '../../../support/fakes/memory-file-system.ts';
import { RecordingSink } from '../../../support/fakes/recording-sink.ts';
import { seededRandom } from '../../../support/fakes/seeded-random.ts';
import { fileLogOn } from '../../../support/servers/file-log-on.ts';

/** More operations than a run has. */
const MAX_OPERATIONS = 1000;

/** One process over a disk, which writes until something fails, and what it was told. */
class Process {
  readonly acknowledged: string[] = [];
  readonly fatal: ProconsulError[] = [];
  /** What readers of this process may have seen. */
  shown: readonly string[] = [];
  readonly #log: FileLog;
  readonly #sink = new RecordingSink();

  constructor(fileSystem: MemoryFileSystem) {
    this.#log = fileLogOn(fileSystem, { onFatal: (error) => this.fatal.push(error) });
  }

  async start(): Promise<void> {
    await this.#log.start(this.#sink);
    this.#look();
  }

  /** A short run takes no snapshot, which would cover what an earlier failure has left. */
  async run(round: string, batches: number): Promise<void> {
    for (let i = 0; i < batches; i++) {
      await this.#append(proposals(`${round}-${i}`, 1 + (i % 3)).map(({ id }) => id));
      if (i % 5 === 4) await this.#save();
    }
    this.#look();
    // A file that cannot be closed was synced before: there is nothing to lose any more.
    await this.#log.stop().catch(() => undefined);
  }

  async #append(ids: readonly string[]): Promise<void> {
    const failed = this.fatal.length > 0;
    const appended = this.#log.append(ids.map((id) => proposal(id)));
    const error = await appended.then(
      () => undefined,
      (reason: { code?: string }) => reason.code ?? String(reason),
    );
    if (error === undefined) {
      assert(!failed, 'acknowledged after a failure');
      this.acknowledged.push(...ids);
    } else {
      assert(error === 'unavailable' || error === 'unknown', error);
      assert.equal(this.fatal.length, 1, 'a write failed, and nobody was told to end the process');
    }
  }

  async #save(): Promise<void> {
    this.#look();
    const lines = this.shown.map((id) => JSON.stringify(id));
    await this.#log.saveSnapshot({ position: this.#sink.position, lines }).catch(() => undefined);
  }

  #look(): void {
    const { restored, ids } = this.#sink;
    const before = (restored?.lines ?? []).map((line) => JSON.parse(line) as string);
    this.shown = [...before, ...ids];
  }
}

/** Fails the n-th operation, and says whether there was one. */
function failNth(nth: number, fault: Fault): { faultOf: FaultOf; met: () => string | undefined } {
  let count = 0;
  let met: string | undefined;
  const faultOf = (op: string, path: string) => {
    if (++count !== nth) return undefined;
    met = `${op} ${path}`;
    return fault;
  };
  return { faultOf, met: () => met };
}

async function processOn(fileSystem: MemoryFileSystem, round: string, faultOf?: FaultOf) {
  const process = new Process(fileSystem);
  fileSystem.faultOf = faultOf ?? (() => undefined);
  const started = process.start().then(() => true);
  // A start may fail with its disk, and only then.
  if (await (faultOf === undefined ? started : started.catch(() => false))) {
    await process.run(round, 14);
  }
  fileSystem.faultOf = () => undefined;
  return process;
}

async function shortProcessOn(fileSystem: MemoryFileSystem, round: string) {
  const process = new Process(fileSystem);
  await process.start();
  await process.run(round, 3);
  return process;
}

interface Expectation {
  readonly shown: readonly string[];
  readonly acknowledged: readonly string[];
}

function checkHolds(now: readonly string[], { shown, acknowledged }: Expectation, when: string) {
  assert.deepEqual(now.slice(0, shown.length), shown, `${when}: what was shown is otherwise now`);
  const held = new Set(now);
  assert.deepEqual(
    acknowledged.filter((id) => !held.has(id)),
    [],
    `${when}: acknowledged and lost`,
  );
}

describe('a disk that fails in the n-th operation, for every n', () => {
  for (const fault of ['EIO', 'ENOSPC', 'short'] as const) {
    it(`loses nothing acknowledged, and acknowledges nothing after (${fault})`, async () => {
      for (let nth = 1; ; nth++) {
        assert(nth < MAX_OPERATIONS);
        const fileSystem = new MemoryFileSystem();
        const before = await processOn(fileSystem, 'before');
        const { faultOf, met } = failNth(nth, fault);
        const failed = await processOn(fileSystem, 'failed', faultOf);
        if (met() === undefined) break;
        const acknowledged = [...before.acknowledged, ...failed.acknowledged];
        const shown = failed.shown.length > 0 ? failed.shown : before.shown;

        const again = await shortProcessOn(fileSystem, 'again');
        checkHolds(again.shown, { shown, acknowledged }, `${nth} ${met()}, started anew`);

        // What it read after the start may only have been in the page cache.
        fileSystem.losePower(seededRandom(nth));
        const last = await shortProcessOn(fileSystem, 'last');
        checkHolds(
          last.shown,
          { shown: again.shown, acknowledged: again.acknowledged },
          `${nth} ${met()}, power lost`,
        );
      }
    }).timeout(60_000);
  }

  it('loses nothing when the power fails at once as well', async () => {
    for (let nth = 1; ; nth++) {
      assert(nth < MAX_OPERATIONS);
      const fileSystem = new MemoryFileSystem();
      const { faultOf, met } = failNth(nth, 'EIO');
      const failed = await processOn(fileSystem, 'failed', faultOf);
      if (met() === undefined) break;
      fileSystem.losePower(seededRandom(nth));
      const again = await shortProcessOn(fileSystem, 'again');
      checkHolds(again.shown, failed, `${nth} ${met()}`);
    }
  }).timeout(60_000);
});

describe('a power failure after the n-th operation, for every n', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`loses nothing that was acknowledged or shown (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      for (let nth = 1; ; nth++) {
        assert(nth < MAX_OPERATIONS);
        const fileSystem = new MemoryFileSystem();
        const before = await processOn(fileSystem, 'before');
        let count = 0;
        // From there on nothing reaches the disk, and nobody is there to be told.
        const cut = await processOn(fileSystem, 'cut', () => (++count >= nth ? 'dead' : undefined));
        if (count < nth) break;
        fileSystem.losePower(random);
        const again = await shortProcessOn(fileSystem, 'again');
        const acknowledged = [...before.acknowledged, ...cut.acknowledged];
        checkHolds(again.shown, { shown: cut.shown, acknowledged }, `operation ${nth}`);
      }
    }).timeout(60_000);
  }
});
