/** Writes what archive.ts reads. */
import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { createTarPacker } from 'modern-tar';
import { META, STATE, SUMS } from './archive.ts';

/** The loop is free again after so many bytes of records: some milliseconds. */
const SLICE_BYTES = 256 * 1024;
/** To make a small record takes as long as to make one of so many bytes. */
const RECORD_COST = 1024;

export interface Packed {
  readonly ID: string;
  readonly Index: number;
  readonly Term: number;
  /**
   * The state's bytes, the same each time it is called: a tar says how long a file is before it
   * begins, so they are made twice rather than kept.
   */
  readonly state: () => Iterable<Uint8Array>;
}

/** The archive, made while it is read. */
export async function packArchive(packed: Packed): Promise<Readable> {
  const stateHash = createHash('sha256');
  let Size = 0;
  for await (const bytes of inSlices(packed.state())) {
    stateHash.update(bytes);
    Size += bytes.length;
  }
  const { ID, Index, Term } = packed;
  const meta = Buffer.from(`${JSON.stringify({ ...PLACE, ID, Index, Term, Size })}\n`);
  const sums = [
    [createHash('sha256').update(meta), META],
    [stateHash, STATE],
  ] as const;
  const { readable, controller } = createTarPacker();
  const write = async () => {
    await put(controller.add(file(META, meta.length)), [meta]);
    await put(controller.add(file(STATE, Size)), inSlices(packed.state()));
    const text = Buffer.from(sums.map(([hash, name]) => sumLine(hash, name)).join(''));
    await put(controller.add(file(SUMS, text.length)), [text]);
    controller.finalize();
  };
  write().catch((error: unknown) => controller.error(error));
  const tar = Readable.fromWeb(readable as Parameters<typeof Readable.fromWeb>[0]);
  const gzip = createGzip();
  tar.once('error', (error) => gzip.destroy(error));
  gzip.once('close', () => tar.destroy());
  return tar.pipe(gzip);
}

/** Of Raft, which a real Consul looks for: one server, that is gone. */
const PLACE = {
  Version: 1,
  Peers: 'kA==',
  Configuration: { Servers: [] },
  ConfigurationIndex: 1,
};

function file(name: string, size: number) {
  return { name, size, mode: 0o600, mtime: new Date(0) };
}

function sumLine(hash: Hash, name: string): string {
  return `${hash.digest('hex')}  ${name}\n`;
}

async function put(
  file: WritableStream<Uint8Array>,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const writer = file.getWriter();
  for await (const chunk of chunks) {
    await writer.ready;
    await writer.write(chunk);
  }
  await writer.close();
}

/** Many small pieces as few larger ones, and a turn for everybody else after each. */
async function* inSlices(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let slice: Uint8Array[] = [];
  let cost = 0;
  for (const piece of pieces) {
    slice.push(piece);
    cost += RECORD_COST + piece.length;
    if (cost < SLICE_BYTES) continue;
    yield Buffer.concat(slice);
    slice = [];
    cost = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  yield Buffer.concat(slice);
}
