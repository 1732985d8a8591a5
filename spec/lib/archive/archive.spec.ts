import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { readArchive } from '../../../lib/archive/archive.ts';
import { packArchive } from '../../../lib/archive/pack.ts';
import { kindOf, RecordWriter, readRecords } from '../../../lib/archive/records.ts';

async function saved(keys: number): Promise<Buffer> {
  const writer = new RecordWriter();
  const archive = await packArchive({
    ID: '1-7-0',
    Index: 7,
    Term: 1,
    *state() {
      yield writer.head(7);
      for (let i = 0; i < keys; i++) {
        yield writer.record('kv', { Key: `k${i}`, Value: Buffer.from([0, 255, i]) });
      }
    },
  });
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function read(...archive: readonly Uint8Array[]) {
  return await readArchive(archive, async (state) => {
    const kinds: (string | undefined)[] = [];
    for await (const { type } of readRecords(state)) kinds.push(kindOf(type));
    return kinds;
  });
}

async function archiveOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, data]) => {
    const body = Buffer.from(data as string);
    return { header: { name, size: body.length }, body: new Uint8Array(body) };
  });
  return gzipSync(await packTar(entries));
}

const sum = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

const metaFor = (state: Buffer) =>
  `{"Version":1,"ID":"x","Index":7,"Term":1,"Size":${state.length}}\n`;

/** Whole and right but for what is in it. */
function filesOf(state: Buffer, meta = metaFor(state)) {
  const SHA256SUMS = `${sum(meta)}  meta.json\n${sum(state)}  state.bin\n`;
  return { 'meta.json': meta, 'state.bin': state, SHA256SUMS };
}

describe('an archive', () => {
  it('is read as it was written, however its bytes come', async () => {
    const archive = await saved(1000);
    const { meta, state } = await read(archive);
    assert.deepEqual([meta.ID, meta.Index, state.length], ['1-7-0', 7, 1000]);
    const bytes = [...archive].map((byte) => Uint8Array.of(byte));
    assert.deepEqual((await read(...bytes)).state, state);
  });

  it('is refused wherever it breaks off', async () => {
    const archive = await saved(3);
    for (let length = 0; length < archive.length; length++) {
      await assert.rejects(read(archive.subarray(0, length)), `cut off at ${length}`);
    }
  });

  it('is refused where it unpacks to more than it may, in its files or behind them', async () => {
    const zeros = Buffer.alloc(1024 * 1024);
    const within = await archiveOf(filesOf(zeros));
    const behind = gzipSync(Buffer.concat([await packTar([]), zeros]));
    for (const archive of [within, behind]) {
      const nothing = async () => undefined;
      const reading = readArchive([archive], nothing, undefined, zeros.length / 2);
      await assert.rejects(reading, /decompress snapshot: it comes to more than 524288 bytes/);
    }
  });

  it('is refused where any byte of it is another', async () => {
    const archive = await saved(3);
    const whole = (await read(archive)).state;
    let refused = 0;
    for (let at = 0; at < archive.length; at++) {
      const flipped = Buffer.from(archive);
      flipped[at] = (flipped[at] ?? 0) ^ 0x55;
      const result = await read(flipped).catch(() => undefined);
      if (result === undefined) refused++;
      else assert.deepEqual(result.state, whole, `byte ${at}`);
    }
    // The head of gzip holds a time and a system that nobody looks at.
    assert(refused >= archive.length - 6, `${refused} of ${archive.length}`);
  });

  const writer = new RecordWriter();
  const head = Buffer.from(writer.head(7));
  const kv = Buffer.from(writer.record('kv', { Key: 'k' }));
  for (const [what, state, why] of [
    ['does not begin as one', kv, /does not begin as one of Consul/],
    ['breaks off', Buffer.concat([head, kv.subarray(0, 1)]), /breaks off/],
    [
      'claims a text of 4 GB',
      Buffer.concat([head, Buffer.from([2, 0xdb, 0xff, 0xff, 0xff, 0xff])]),
      /length/,
    ],
    [
      'has lists in lists that claim many members each',
      Buffer.concat([
        head,
        Buffer.from([2]),
        ...Array.from({ length: 300 }, () => Buffer.from([0xdd, 0, 3, 0xff, 0xff])),
      ]),
      /too deep/,
    ],
    [
      'has a list that claims 16 million members',
      Buffer.concat([head, Buffer.from([2, 0xdd, 0, 0xff, 0xff, 0xff])]),
      /array length/,
    ],
  ] as const) {
    it(`is refused whose state ${what}`, async () => {
      await assert.rejects(read(await archiveOf(filesOf(state))), why);
    });
  }

  it('tells what its reader had to say against it, once the sums are right', async () => {
    const refuse = async () => {
      throw new Error('mine');
    };
    await assert.rejects(readArchive([await saved(50_000)], refuse), /mine/);
    const wrong = { ...filesOf(head), SHA256SUMS: filesOf(kv).SHA256SUMS };
    await assert.rejects(readArchive([await archiveOf(wrong)], refuse), /hash check failed/);
  });

  it('is read no further once nobody wants it', async () => {
    const gone = new AbortController();
    const reading = readArchive([await saved(1000)], async () => gone.abort(), gone.signal);
    await assert.rejects(reading, { name: 'AbortError' });
  });
});

/** What a real Consul 1.8.7 was sent, and said. */
describe('what is said of an archive that is damaged', () => {
  const head = Buffer.from(new RecordWriter().head(7));
  const right = filesOf(head);
  const other = filesOf(Buffer.from('another'));
  const said = async (archive: Buffer): Promise<string> =>
    await read(archive).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  const CHECK = 'failed to read snapshot file: failed checking integrity of snapshot';
  const READING = 'failed to read snapshot file: failed reading snapshot';
  const META = 'failed to read snapshot file: failed to decode snapshot metadata';
  const RAFT = 'Raft error when restoring snapshot';
  const number = 'Go struct field SnapshotMeta.Index of type uint64';

  for (const [what, bytes, text] of [
    ['nothing', Buffer.alloc(0), 'failed to decompress snapshot: EOF'],
    ['a byte', Buffer.from('x'), 'failed to decompress snapshot: unexpected EOF'],
    [
      'a text',
      Buffer.from('this is no archive'),
      'failed to decompress snapshot: gzip: invalid header',
    ],
    ['gzip of a text', gzipSync('hello'), `${READING}: unexpected EOF`],
    ['gzip of zeros', gzipSync(Buffer.alloc(1024)), `${CHECK}: file missing for "meta.json"`],
    ['gzip of bytes', gzipSync('x'.repeat(600)), `${READING}: archive/tar: invalid tar header`],
  ] as const) {
    it(what, async () => {
      assert.equal(await said(bytes), text);
    });
  }

  for (const [what, files, text] of [
    [
      'without sums',
      { 'meta.json': right['meta.json'], 'state.bin': head },
      `${CHECK}: file missing for "meta.json"`,
    ],
    [
      'without a state',
      { 'meta.json': right['meta.json'], SHA256SUMS: right.SHA256SUMS },
      `${CHECK}: hash check failed for "state.bin"`,
    ],
    [
      'without its metadata',
      { 'state.bin': head, SHA256SUMS: right.SHA256SUMS },
      `${CHECK}: hash check failed for "meta.json"`,
    ],
    [
      'another state',
      { ...right, 'state.bin': other['state.bin'] },
      `${CHECK}: hash check failed for "state.bin"`,
    ],
    [
      'another file',
      { ...right, '../../etc/passwd': 'x' },
      'failed to read snapshot file: unexpected file "../../etc/passwd" in snapshot',
    ],
    [
      'two states',
      { ...right, './state.bin': other['state.bin'] },
      'failed to read snapshot file: unexpected file "./state.bin" in snapshot',
    ],
    [
      'the sum of what is not there',
      { ...right, SHA256SUMS: `${right.SHA256SUMS}abcd  other\n` },
      `${CHECK}: list missing hash for "other"`,
    ],
    [
      'sums that are none',
      { ...right, SHA256SUMS: 'nonsense\n' },
      `${CHECK}: no hex data for %x string`,
    ],
    [
      'metadata that are no JSON',
      filesOf(head, '{nope'),
      `${META}: invalid character 'n' looking for beginning of object key string`,
    ],
    ['no metadata', filesOf(head, ''), `${META}: unexpected end of JSON input`],
    [
      'an index that is none',
      filesOf(head, '{"Version":1,"Index":"x"}'),
      `${META}: json: cannot unmarshal string into ${number}`,
    ],
    ['version 9', filesOf(head, '{"Version":9}'), `${RAFT}: unsupported snapshot version 9`],
    [
      'version 0',
      filesOf(head, '{}'),
      `${RAFT}: failed to create snapshot: unsupported snapshot version 0`,
    ],
    [
      'a state of another length',
      filesOf(head, '{"Version":1,"Size":7}'),
      `${RAFT}: failed to write snapshot, size didn't match (${head.length} != 7)`,
    ],
  ] as const) {
    it(what, async () => {
      assert.equal(await said(await archiveOf(files as Record<string, string | Buffer>)), text);
    });
  }

  it('a byte that is another', async () => {
    const archive = await archiveOf(right);
    archive.writeUInt8(archive.readUInt8(archive.length - 6) ^ 0x55, archive.length - 6);
    assert.equal(await said(archive), 'gzip: invalid checksum');
  });
});
