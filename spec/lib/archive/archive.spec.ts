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

const META = '{"Version":1,"ID":"x","Index":7,"Term":1}\n';
const sumsOf = (state: Buffer, meta = META) =>
  `${sum(meta)}  meta.json\n${sum(state)}  state.bin\n`;

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
  for (const [what, files, why] of [
    ['without sums', { 'meta.json': META, 'state.bin': head }, /is not whole/],
    ['without a state', { 'meta.json': META, SHA256SUMS: sumsOf(head) }, /is not whole/],
    [
      'with the sum of another state',
      { 'meta.json': META, 'state.bin': head, SHA256SUMS: sumsOf(kv) },
      /the sum of state.bin/,
    ],
    [
      'with a file that nobody asked for',
      { 'meta.json': META, '../../etc/passwd': 'x', 'state.bin': head, SHA256SUMS: sumsOf(head) },
      /unexpected file/,
    ],
    [
      'with two states',
      { 'meta.json': META, 'state.bin': head, './state.bin': kv, SHA256SUMS: sumsOf(head) },
      /unexpected file/,
    ],
    [
      'of another version',
      { 'meta.json': '{"Version":2}', 'state.bin': head, SHA256SUMS: sumsOf(head) },
      /unknown version/,
    ],
    [
      'whose state does not begin as one',
      { 'meta.json': META, 'state.bin': kv, SHA256SUMS: sumsOf(kv) },
      /does not begin as one of Consul/,
    ],
    [
      'whose state breaks off',
      { 'meta.json': META, 'state.bin': Buffer.concat([head, kv.subarray(0, 1)]), SHA256SUMS: '' },
      /breaks off/,
    ],
    [
      'whose state claims a text of 4 GB',
      {
        'meta.json': META,
        'state.bin': Buffer.concat([head, Buffer.from([2, 0xdb, 0xff, 0xff, 0xff, 0xff])]),
        SHA256SUMS: '',
      },
      /length/,
    ],
    [
      'whose state has lists in lists that claim many members each',
      {
        'meta.json': META,
        'state.bin': Buffer.concat([
          head,
          Buffer.from([2]),
          ...Array.from({ length: 300 }, () => Buffer.from([0xdd, 0, 3, 0xff, 0xff])),
        ]),
        SHA256SUMS: '',
      },
      /too deep/,
    ],
    [
      'whose state has a list that claims 16 million members',
      {
        'meta.json': META,
        'state.bin': Buffer.concat([head, Buffer.from([2, 0xdd, 0, 0xff, 0xff, 0xff])]),
        SHA256SUMS: '',
      },
      /array length/,
    ],
  ] as const) {
    it(`is refused ${what}`, async () => {
      await assert.rejects(read(await archiveOf(files)), why);
    });
  }

  it('tells what its reader had to say against it', async () => {
    const reading = readArchive([await saved(50_000)], async () => {
      throw new Error('mine');
    });
    await assert.rejects(reading, /mine/);
  });
});
