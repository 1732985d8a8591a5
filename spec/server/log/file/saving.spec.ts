import assert from 'node:assert/strict';
import type { ProconsulError } from '../../../../lib/errors.ts';
import type { File } from '../../../../server/log/file/file-system.ts';
import { proposal, proposals } from '../../../support/experiments/proposals.ts';
import { type FaultOf, MemoryFileSystem } from '../../../support/fakes/memory-file-system.ts';
import { RecordingSink } from '../../../support/fakes/recording-sink.ts';
import { fileLogOn, RecordingLogger } from '../../../support/servers/file-log-on.ts';

async function filled() {
  const fileSystem = new MemoryFileSystem();
  const fatal: ProconsulError[] = [];
  const logger = new RecordingLogger();
  const log = fileLogOn(fileSystem, { logger, onFatal: (error) => fatal.push(error) });
  const sink = new RecordingSink();
  await log.start(sink);
  for (let i = 0; i < 12; i++) await log.append(proposals(`b${i}`, 3));
  const failing = (faultOf: FaultOf) => {
    fileSystem.faultOf = faultOf;
    const { position } = sink;
    return log.saveSnapshot({ position, lines: ['"state"'] });
  };
  return { fileSystem, fatal, logger, log, sink, failing };
}

describe('a snapshot that the file log cannot save', () => {
  it('is no reason to end where the disk is full: the log goes on without it', async () => {
    const { fileSystem, fatal, log, failing } = await filled();
    const full: FaultOf = (op, path) =>
      op === 'write' && path.includes('snapshot') ? 'ENOSPC' : undefined;
    await assert.rejects(failing(full), {
      code: 'unavailable',
      message: /^write snapshot-\d+.tmp$/,
    });
    assert.deepEqual(fatal, []);
    assert(!fileSystem.paths().some((path) => path.includes('snapshot')));
    await log.append([proposal('x')]);
    await log.stop();
  });

  it('ends the process where an fsync failed', async () => {
    const { fatal, log, failing } = await filled();
    const broken: FaultOf = (op, path) =>
      op === 'sync' && path.includes('snapshot') ? 'EIO' : undefined;
    await assert.rejects(failing(broken), { message: /^sync snapshot-\d+.tmp$/ });
    assert.match(String(fatal), /sync snapshot/);
    await assert.rejects(log.append([proposal('x')]), { code: 'unavailable' });
    assert.equal(log.status().writable, false);
    await log.stop();
  });

  it('lets no append be acknowledged after that, wherever that one is', async () => {
    for (let steps = 0; steps < 60; steps++) {
      const { fatal, log, failing } = await filled();
      const saved = failing((op, path) =>
        op === 'sync' && path.includes('snapshot') ? 'EIO' : undefined,
      );
      for (let step = 0; step < steps; step++) await null;
      const appended = log.append([proposal('x')]).then(
        () => assert.deepEqual(fatal, [], `acknowledged, begun after ${steps} steps`),
        () => undefined,
      );
      await assert.rejects(saved);
      await appended;
      await log.stop();
    }
  });

  it('is given up when what was written does not read back', async () => {
    const { fileSystem, fatal, log, failing } = await filled();
    let damagedOnce = false;
    const bad: FaultOf = (op, path) => {
      if (op !== 'sync' || !path.endsWith('.tmp') || damagedOnce) return undefined;
      damagedOnce = true;
      const bytes = fileSystem.content(path);
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      fileSystem.damage(path, bytes);
      return undefined;
    };
    await assert.rejects(failing(bad), { message: /the checksum is not that of the lines/ });
    assert.deepEqual(fatal, []);
    assert(!fileSystem.paths().some((path) => path.includes('snapshot')));
    await log.stop();
  });

  it('is saved all the same when only the trimming failed', async () => {
    const { fileSystem, logger, log, failing } = await filled();
    await failing((op) => (op === 'remove' ? 'EIO' : undefined));
    assert.match(logger.lines.join(), /log: it was not trimmed: remove segment-\d+: EIO/);
    await log.stop();
    fileSystem.faultOf = () => undefined;
    const sink = new RecordingSink();
    const again = fileLogOn(fileSystem);
    await again.start(sink);
    assert.deepEqual(sink.restored?.lines, ['"state"']);
    assert.equal(fileSystem.paths().length, 2);
    await again.stop();
  });

  it('is given up when one of its lines is two', async () => {
    const { fatal, log, sink } = await filled();
    const snapshot = { position: sink.position, lines: ['1', '2\n3'] };
    await assert.rejects(log.saveSnapshot(snapshot), { code: 'internal' });
    assert.deepEqual(fatal, []);
    await log.stop();
  });

  it('is given up when the log is stopped, and stop waits for that', async () => {
    const { fileSystem, log, sink } = await filled();
    let stopped: Promise<void> | undefined;
    function* lines() {
      yield '1';
      stopped = log.stop();
      yield '2'.repeat(300_000);
      yield '3';
    }
    const saved = log.saveSnapshot({ position: sink.position, lines: lines() });
    await assert.rejects(saved, { code: 'unavailable' });
    await stopped;
    assert(!fileSystem.paths().some((path) => path.includes('snapshot')));
  });
});

/** Shows in whose memory files are read, piece by piece. */
class WatchedFileSystem extends MemoryFileSystem {
  readonly pieces: ArrayBufferLike[] = [];

  override async create(path: string): Promise<File> {
    const file = await super.create(path);
    return {
      ...file,
      read: (bytes, position) => {
        if (bytes.length >= PIECE) this.pieces.push(bytes.buffer);
        return file.read(bytes, position);
      },
    };
  }
}

const PIECE = 100_000;

describe('a snapshot of the file log', () => {
  it('is read back in one piece of memory, however large it is', async () => {
    const fileSystem = new WatchedFileSystem();
    const log = fileLogOn(fileSystem);
    const sink = new RecordingSink();
    await log.start(sink);
    await log.append(proposals('b', 3));
    const lines = Array.from({ length: 20 }, (_, i) => String(i).repeat(PIECE));
    await log.saveSnapshot({ position: sink.position, lines });
    assert(fileSystem.pieces.length > 5);
    assert.equal(new Set(fileSystem.pieces).size, 1);
    await log.stop();
    const again = fileLogOn(fileSystem);
    await again.start(sink);
    assert.deepEqual(sink.restored?.lines, lines);
    await again.stop();
  });
});
