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
import { fileLogOn, RecordingLogger } from '../../../support/servers/file-log-on.ts';

/** More operations than a run has. */
const MAX_OPERATIONS = 1000;

/** One process over a disk, which writes until something fails, and what it was told. */
class Process {
  readonly acknowledged: string[] = [];
  /** What was answered with "it certainly was not done". */
  readonly refused: string[] = [];
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

  async write(round: string, batches: number): Promise<void> {
    for (let i = 0; i < batches; i++) {
      await this.#append(proposals(`${round}-${i}`, 1 + (i % 3)).map(({ id }) => id));
      if (i % 5 === 4) await this.#save();
    }
    this.#look();
  }

  /** A short run takes no snapshot, which would cover what an earlier failure has left. */
  async run(round: string, batches: number): Promise<void> {
    await this.write(round, batches);
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
      if (error === 'unavailable') this.refused.push(...ids);
      const told = this.fatal.length === 1;
      assert(told || error === 'unavailable', 'nobody was told to end the process');
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
  readonly refused?: readonly string[];
}

function checkHolds(now: readonly string[], expectation: Expectation, when: string) {
  const { shown, acknowledged, refused = [] } = expectation;
  assert.deepEqual(now.slice(0, shown.length), shown, `${when}: what was shown is otherwise now`);
  const held = new Set(now);
  assert.deepEqual(
    acknowledged.filter((id) => !held.has(id)),
    [],
    `${when}: acknowledged and lost`,
  );
  assert.deepEqual(
    refused.filter((id) => held.has(id)),
    [],
    `${when}: refused, and there`,
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
        const { refused } = failed;
        checkHolds(again.shown, { shown, acknowledged, refused }, `${nth} ${met()}, started anew`);

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

describe('a disk that is full from the n-th operation on, for every n', () => {
  /** Nothing that takes room; what is there can be written anew, read and removed. */
  const TAKES_ROOM = new Set(['create', 'write']);

  for (const copies of [false, true]) {
    const kind = copies ? 'that copies on write' : 'that writes in place';
    it(`refuses writes and ends nobody, and takes them when there is room: one ${kind}`, async () => {
      let refusals = 0;
      for (let nth = 1; ; nth++) {
        assert(nth < MAX_OPERATIONS);
        const fileSystem = new MemoryFileSystem();
        const before = await processOn(fileSystem, 'before');
        const process = new Process(fileSystem);
        await process.start();
        let count = 0;
        fileSystem.faultOf = (op, _path, grows) =>
          TAKES_ROOM.has(op) && (copies || grows) && ++count >= nth ? 'ENOSPC' : undefined;
        await process.write('full', 14);
        fileSystem.faultOf = () => undefined;
        await process.run('room', 6);
        assert.deepEqual(process.fatal, [], 'a full disk ended the process');
        refusals += process.refused.length;
        assert(process.acknowledged.includes('room-5-0'), 'writes do not go on');

        const again = await shortProcessOn(fileSystem, 'again');
        const acknowledged = [...before.acknowledged, ...process.acknowledged];
        const { shown, refused } = process;
        checkHolds(again.shown, { shown, acknowledged, refused }, `${nth}, started anew`);
        fileSystem.losePower(seededRandom(nth));
        const last = await shortProcessOn(fileSystem, 'last');
        checkHolds(last.shown, { shown: again.shown, acknowledged, refused }, `${nth}, power lost`);
        if (count < nth) break;
      }
      assert(refusals > 0);
    }).timeout(60_000);
  }

  it('starts and serves what it has', async () => {
    const fileSystem = new MemoryFileSystem();
    const before = await processOn(fileSystem, 'before');
    fileSystem.faultOf = (op, _path, grows) => (TAKES_ROOM.has(op) && grows ? 'ENOSPC' : undefined);
    const process = new Process(fileSystem);
    await process.start();
    checkHolds(process.shown, before, 'started on a full disk');
    await process.write('full', 14);
    assert.deepEqual(process.fatal, []);
    assert(process.refused.length > 0);
  });

  it('says once that it is full, and once that it is not any more', async () => {
    const fileSystem = new MemoryFileSystem();
    const logger = new RecordingLogger();
    const log = fileLogOn(fileSystem, { logger });
    await log.start(new RecordingSink());
    const write = async (prefix: string) => {
      for (let i = 0; i < 8; i++) await log.append(proposals(`${prefix}${i}`, 3)).catch(() => 0);
    };
    for (let i = 0; i < 2; i++) {
      fileSystem.faultOf = (_op, _path, grows) => (grows ? 'ENOSPC' : undefined);
      await write(`full${i}`);
      assert.equal(log.status().writable, true);
      fileSystem.faultOf = () => undefined;
      await write(`room${i}`);
    }
    assert.deepEqual(
      logger.lines.map((line) => line.split(/[:,]/).slice(0, 2).join(':')),
      Array.from({ length: 2 }, () => [
        'log: writes are refused until there is room',
        'log: the disk has room again',
      ]).flat(),
    );
  });
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
