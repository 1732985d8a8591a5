import assert from 'node:assert/strict';
import { silentLogger } from '../../../../lib/logger.ts';
import { START } from '../../../../server/log/event-log.ts';
import { FileLog } from '../../../../server/log/file/file-log.ts';
import { encodeBatch } from '../../../../server/log/file/record.ts';
import { readRecords } from '../../../../server/log/file/records.ts';
import { decodeHeader, RECORDS_AT } from '../../../../server/log/file/segment.ts';
import { nextEntry, positionOf, type WrittenEntry } from '../../../../server/log/next-entry.ts';
import { proposals } from '../../../support/experiments/proposals.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { MemoryFileSystem } from '../../../support/fakes/memory-file-system.ts';
import { RecordingSink } from '../../../support/fakes/recording-sink.ts';

const RECORDS = 200;
const FOLDER = '/log';
const FIRST = `${FOLDER}/segment-0000000000000001`;
/** Batches of 1, 2, 3, 1, 2, 3 … records. */
const BATCH_SIZES = [1, 2, 3];

interface Written {
  readonly entry: WrittenEntry['entry'];
  readonly at: number;
  readonly end: number;
  /** Whether a batch follows the one that it is in. */
  readonly followed: boolean;
}

interface Log {
  readonly bytes: Buffer;
  readonly records: readonly Written[];
}

/** The log as FileLog would write it, with the place of each record. */
async function writeLog(zeros: number): Promise<Log> {
  const fileSystem = new MemoryFileSystem();
  const log = newLog(fileSystem);
  await log.start(new RecordingSink());
  const records: Written[] = [];
  let position = START;
  let at = RECORDS_AT;
  const all = proposals('p', RECORDS);
  for (let batch = 0; all.length > 0; batch++) {
    const some = all.splice(0, BATCH_SIZES[batch % BATCH_SIZES.length]);
    await log.append(some);
    for (const proposal of some) {
      const written = nextEntry(position, proposal, new FakeClock().now());
      position = positionOf(written.entry);
      const end = at + encodeBatch([written]).length;
      records.push({ entry: written.entry, at, end, followed: all.length > 0 });
      at = end;
    }
  }
  await log.stop();
  const bytes = fileSystem.content(FIRST);
  return { bytes: Buffer.concat([bytes.subarray(0, at), Buffer.alloc(zeros)]), records };
}

function newLog(fileSystem: MemoryFileSystem): FileLog {
  return new FileLog({
    folder: FOLDER,
    clock: new FakeClock(),
    logger: silentLogger,
    onFatal: () => undefined,
    disk: {
      fileSystem,
      lock: async () => async () => undefined,
      limits: { segmentBytes: 1e9, allocateBytes: 4096 },
    },
  });
}

/**
 * Reads what is on from the record before the damage: all that stands before is the same in every
 * case. Gives how many records came, or undefined for a refusal. Wrong data fails at once.
 */
function readAround({ records }: Log, bytes: Buffer, damagedAt: number): number | undefined {
  const first = Math.max(0, records.findIndex(({ end }) => end > damagedAt) - 1);
  const before = records[first - 1];
  let read = first;
  try {
    const previous =
      before === undefined
        ? decodeHeader('segment-0000000000000001', bytes)
        : positionOf(before.entry);
    const at = before?.end ?? RECORDS_AT;
    for (const got of readRecords({ name: 'segment', bytes, at, previous })) {
      const { index, hash, id, t, epoch } = records[read++]?.entry ?? assert.fail('one too many');
      assert.deepEqual({ index, hash, id, t, epoch }, pick(got));
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'internal') throw error;
    return undefined;
  }
  return read;
}

function pick(entry: Pick<WrittenEntry['entry'], 'index' | 'hash' | 'id' | 't' | 'epoch'>) {
  const { index, hash, id, t, epoch } = entry;
  return { index, hash, id, t, epoch };
}

/** The same with a whole log, from its start. */
async function start(bytes: Buffer): Promise<string[] | undefined> {
  const fileSystem = new MemoryFileSystem();
  fileSystem.setContent(FIRST, bytes);
  const log = newLog(fileSystem);
  const sink = new RecordingSink();
  try {
    await log.start(sink);
  } catch (error) {
    assert.match(String(error), /the log is damaged: .*segment-0000000000000001/);
    assert.deepEqual(fileSystem.content(FIRST), bytes);
    return undefined;
  }
  await log.append(proposals('after', 1));
  await log.stop();
  const again = new RecordingSink();
  const second = newLog(fileSystem);
  await second.start(again);
  await second.stop();
  assert.deepEqual(again.ids, [...sink.ids.filter((id) => id !== 'after-0'), 'after-0']);
  return again.ids.slice(0, -1);
}

/** How many records must come; undefined where only a refusal is right. */
type Expected = (log: Log, at: number) => number | undefined;

const whole: Expected = ({ records }, at) => {
  const cut = records.findIndex(({ end }) => end > at);
  return cut < 0 ? records.length : cut;
};

const refusedWhereFollowed: Expected = (log, at) => {
  if (at < RECORDS_AT) return undefined;
  const cut = whole(log, at);
  return log.records[cut ?? 0]?.followed ? undefined : cut;
};

interface Damage {
  readonly what: string;
  readonly zeros: number;
  readonly apply: (bytes: Buffer, at: number) => Buffer;
  readonly expected: Expected;
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'is cut off',
    zeros: 0,
    apply: (bytes, at) => bytes.subarray(0, at),
    expected: (log, at) => (at < RECORDS_AT ? undefined : whole(log, at)),
  },
  {
    what: 'is cut off, with zeros behind',
    zeros: 0,
    apply: (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(600)]),
    expected: wholeWhereZeroed,
  },
  { what: 'has a bit flipped', zeros: 300, apply: flip(1), expected: refusedWhereFollowed },
  { what: 'has all bits flipped', zeros: 300, apply: flip(255), expected: refusedWhereFollowed },
];

function flip(mask: number): Damage['apply'] {
  return (bytes, at) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ mask;
    return copy;
  };
}

/** Where the bytes that became zeros were zeros before, nothing is damaged. */
function wholeWhereZeroed(log: Log, at: number): number | undefined {
  let first = at;
  while (first < log.bytes.length && log.bytes[first] === 0) first++;
  return first < RECORDS_AT ? undefined : whole(log, first);
}

describe('a log of 200 records, damaged', () => {
  for (const { what, zeros, apply, expected } of DAMAGES) {
    it(`comes back exactly up to the damage, or not at all, when any byte ${what}`, async () => {
      const log = await writeLog(zeros);
      for (let at = 0; at < log.bytes.length; at++) {
        const got = readAround(log, apply(log.bytes, at), at);
        assert.equal(got, expected(log, at), `byte ${at}`);
      }
    }).timeout(60_000);

    it(`starts or refuses as a whole, and goes on, when a byte ${what}`, async () => {
      const log = await writeLog(zeros);
      for (let at = 0; at < log.bytes.length; at += 211) {
        const ids = await start(apply(log.bytes, at));
        const count = expected(log, at);
        const right = log.records.slice(0, count).map(({ entry }) => entry.id);
        assert.deepEqual(ids, count === undefined ? undefined : right, `byte ${at}`);
      }
    }).timeout(60_000);
  }

  it('is refused when a sector is there twice, or missing, but for the last ones', async () => {
    const log = await writeLog(0);
    const end = log.bytes.length;
    for (let at = 512; at + 1024 < end; at += 512) {
      const twice = Buffer.concat([log.bytes.subarray(0, at + 512), log.bytes.subarray(at)]);
      assert.equal(await start(twice), undefined, `twice at ${at}`);
      const less = Buffer.concat([log.bytes.subarray(0, at), log.bytes.subarray(at + 512)]);
      assert.equal(await start(less), undefined, `missing at ${at}`);
    }
  });

  it('is refused when its last record is there twice', async () => {
    const log = await writeLog(0);
    const last = log.records.at(-1) ?? assert.fail();
    assert.equal(await start(Buffer.concat([log.bytes, log.bytes.subarray(last.at)])), undefined);
  });
});
