import assert from 'node:assert/strict';
import type { Position } from '../../../../server/log/event-log.ts';
import { proposal, proposals } from '../../../support/experiments/proposals.ts';
import { MemoryFileSystem } from '../../../support/fakes/memory-file-system.ts';
import { RecordingSink } from '../../../support/fakes/recording-sink.ts';
import { fileLogOn, LOG_FOLDER, RecordingLogger } from '../../../support/servers/file-log-on.ts';

const SEGMENT = /segment-\d{16}$/;
const SNAPSHOT = /snapshot-\d{16}$/;

/** Writes `batches` batches of three, with a snapshot after batch `snapshotAt`. */
async function write(fileSystem: MemoryFileSystem, batches: number, snapshotAt?: number) {
  const log = fileLogOn(fileSystem);
  const sink = new RecordingSink();
  await log.start(sink);
  const positions: Position[] = [];
  for (let i = 0; i < batches; i++) {
    await log.append(proposals(`b${i}`, 3));
    positions.push(sink.position);
    if (i === snapshotAt) await log.saveSnapshot({ position: sink.position, lines: ['"state"'] });
  }
  await log.stop();
  return { ids: sink.ids, positions };
}

async function start(fileSystem: MemoryFileSystem, logger = new RecordingLogger()) {
  const log = fileLogOn(fileSystem, { logger });
  const sink = new RecordingSink();
  await log.start(sink);
  return { log, sink, lines: logger.lines };
}

function paths(fileSystem: MemoryFileSystem, name: RegExp): string[] {
  return fileSystem.paths().filter((path) => name.test(path));
}

function lastSegment(fileSystem: MemoryFileSystem): string {
  return paths(fileSystem, SEGMENT).at(-1) ?? assert.fail('no segment');
}

/** Where the records end: zeros stand behind. */
function endOf(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

async function refused(fileSystem: MemoryFileSystem, text: RegExp): Promise<void> {
  const before = fileSystem.paths();
  await assert.rejects(start(fileSystem), { code: 'internal', message: text });
  assert.deepEqual(fileSystem.paths(), before);
}

describe('a start of the file log', () => {
  it('cuts off a write that was cut short, and says where', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 1);
    const path = lastSegment(fileSystem);
    const bytes = fileSystem.content(path);
    const end = endOf(bytes);
    fileSystem.setContent(path, bytes.subarray(0, end - 5));
    const { log, sink, lines } = await start(fileSystem);
    assert.deepEqual(sink.ids, ['b0-0', 'b0-1']);
    assert.match(
      lines.join(),
      /segment-0000000000000001: the last write is not whole; \d+ bytes from offset \d+/,
    );
    // Room is allocated before records are written: it was not a crash that took the end.
    assert.match(lines.join(), /cut short since.* is lost, whether it was acknowledged or not/);
    await log.stop();
    assert.deepEqual((await start(fileSystem)).lines, []);
  });

  it('does not call a write unacknowledged that may have been', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 1);
    const path = lastSegment(fileSystem);
    const bytes = fileSystem.content(path);
    bytes[endOf(bytes) - 5] = (bytes[endOf(bytes) - 5] ?? 0) ^ 1;
    fileSystem.setContent(path, bytes);
    const { lines } = await start(fileSystem);
    assert.match(
      lines.join(),
      /If the process or the machine stopped .* If not, the disk has lost/,
    );
  });

  it('leaves nothing of it behind what is written next', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 1);
    const path = lastSegment(fileSystem);
    const bytes = fileSystem.content(path);
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    fileSystem.setContent(path, bytes);
    const { log, sink } = await start(fileSystem);
    assert.deepEqual(sink.ids, []);
    // As long as the lost one, so that those after it would stand in just the right place.
    await log.append([proposal('c0-0')]);
    await log.stop();
    assert.deepEqual((await start(fileSystem)).sink.ids, ['c0-0']);
  });

  it('takes zeros behind the last record for what they are', async () => {
    const fileSystem = new MemoryFileSystem();
    const { ids } = await write(fileSystem, 2);
    const path = lastSegment(fileSystem);
    const bytes = fileSystem.content(path);
    fileSystem.setContent(path, Buffer.concat([bytes, Buffer.alloc(100_000)]));
    const { sink, lines } = await start(fileSystem);
    assert.deepEqual(sink.ids, ids);
    assert.deepEqual(lines, []);
  });

  it('removes what a crash left half made, and what a snapshot covers', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 12);
    const old = paths(fileSystem, SEGMENT).map((path) => [path, fileSystem.content(path)] as const);
    await write(fileSystem, 0);
    const { log, sink } = await start(fileSystem);
    await log.saveSnapshot({ position: sink.position, lines: ['"state"'] });
    await log.stop();
    const trimmed = fileSystem.paths();
    assert.equal(paths(fileSystem, SEGMENT).length, 1);

    for (const [path, bytes] of old) fileSystem.setContent(path, bytes);
    fileSystem.setContent(`${LOG_FOLDER}/snapshot-0000000000000003.tmp`, Buffer.from('half'));
    fileSystem.setContent(`${LOG_FOLDER}/segment-0000000000000099.tmp`, Buffer.from('half'));
    const again = await start(fileSystem);
    assert.equal(again.sink.restored?.position.index, 36);
    assert.deepEqual(again.sink.ids, []);
    assert.deepEqual(fileSystem.paths(), trimmed);
  });

  it('leaves files alone that it did not make', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 2);
    const others = ['lock-1', 'lost+found', 'segment-1', 'notes.txt'].map(
      (n) => `${LOG_FOLDER}/${n}`,
    );
    for (const path of others) fileSystem.setContent(path, Buffer.from('x'));
    await start(fileSystem);
    for (const path of others) assert.equal(fileSystem.content(path).toString(), 'x');
  });

  describeMissing();
  describeForeign();
});

function describeMissing(): void {
  it('refuses when a segment is missing: the first, one between, or all', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 12);
    const [first = '', second = ''] = paths(fileSystem, SEGMENT);
    const kept = fileSystem.content(first);
    await fileSystem.remove(first);
    await refused(fileSystem, /entries are missing, from 1 to where segment-\d+ begins/);
    fileSystem.setContent(first, kept);
    await fileSystem.remove(second);
    await refused(fileSystem, /entries are missing, from \d+ to where segment-\d+ begins/);
  });

  it('refuses when there is a snapshot, and no segment', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 2, 1);
    await fileSystem.remove(lastSegment(fileSystem));
    await refused(fileSystem, /entries are missing, from 7 on/);
  });

  it('refuses when the log ends before its snapshot', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 2, 1);
    const path = lastSegment(fileSystem);
    fileSystem.setContent(path, fileSystem.content(path).subarray(0, 300));
    await refused(fileSystem, /entries are missing, from \d on/);
  });

  it('refuses a bad record that ends a segment which another one follows', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 12);
    const [first = ''] = paths(fileSystem, SEGMENT);
    const bytes = fileSystem.content(first);
    const at = endOf(bytes) - 3;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    fileSystem.setContent(first, bytes);
    await refused(fileSystem, /segment-0000000000000001, offset \d+: a bad record, with another/);
  });
}

function describeForeign(): void {
  it('refuses a segment of another log, or under another name', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 12);
    const other = new MemoryFileSystem();
    const log = fileLogOn(other);
    await log.start(new RecordingSink());
    for (let i = 0; i < 12; i++) await log.append(proposals(`o${i}`, 3));
    await log.stop();
    const [, second = '', third = ''] = paths(fileSystem, SEGMENT);
    const kept = fileSystem.content(second);
    fileSystem.setContent(second, other.content(second));
    await refused(fileSystem, /of another history/);
    fileSystem.setContent(second, fileSystem.content(third));
    await refused(fileSystem, /the file has another name/);
    fileSystem.setContent(second, kept);
    await start(fileSystem);
  });

  it('refuses a snapshot of another history', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 2, 1);
    const other = new MemoryFileSystem();
    const log = fileLogOn(other);
    const sink = new RecordingSink();
    await log.start(sink);
    await log.append(proposals('o', 6));
    await log.saveSnapshot({ position: sink.position, lines: [] });
    await log.stop();
    const [path = ''] = paths(fileSystem, SNAPSHOT);
    fileSystem.setContent(path, other.content(path));
    await refused(fileSystem, /entry 6 is of another history/);
  });

  it('refuses a snapshot of which any byte is cut off or flipped', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 1, 0);
    const [path = ''] = paths(fileSystem, SNAPSHOT);
    const good = fileSystem.content(path);
    for (let at = 0; at < good.length; at++) {
      fileSystem.setContent(path, good.subarray(0, at));
      await refused(fileSystem, /snapshot-0000000000000003, offset \d+: the checksum/);
      const flipped = Buffer.from(good);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      fileSystem.setContent(path, flipped);
      await refused(fileSystem, /snapshot-0000000000000003, offset \d+: the checksum/);
    }
  });

  it('refuses a segment that a newer version wrote', async () => {
    const fileSystem = new MemoryFileSystem();
    await write(fileSystem, 1);
    const path = lastSegment(fileSystem);
    const bytes = fileSystem.content(path);
    bytes.write('PROCLOG2');
    fileSystem.setContent(path, bytes);
    await refused(fileSystem, /not the head of a segment that this version writes/);
  });
}
