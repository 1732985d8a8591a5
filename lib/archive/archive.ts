/**
 * The file that a snapshot is kept in, as Consul writes it: a gzipped tar with `meta.json`, the
 * records of the state (`state.bin`) and the sums of both. The sums come last, so that nothing of an
 * archive is to be believed before it was read to its end.
 */
import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { createTarDecoder } from 'modern-tar';

export const META = 'meta.json';
export const STATE = 'state.bin';
export const SUMS = 'SHA256SUMS';
/** What stands beside the state has some hundred bytes. */
const MAX_SMALL_BYTES = 1024 * 1024;

export interface ArchiveMeta {
  readonly ID: string;
  /** No row of the state is newer. */
  readonly Index: number;
  readonly Term: number;
  readonly Version: number;
  /** Of the state, in bytes. */
  readonly Size: number;
}

/**
 * Reads an archive to its end, and rejects where anything about it is not as it was written. `read`
 * is handed the state's bytes while they come, and must take them all.
 */
export async function readArchive<T>(
  archive: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  read: (state: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<{ readonly meta: ArchiveMeta; readonly state: T }> {
  const tar = createTarDecoder({ strict: true });
  const fed = pipeline(Readable.from(archive), createGunzip(), Writable.fromWeb(tar.writable));
  // Whoever fails first tells why; the other one only breaks off.
  const failures: unknown[] = [];
  const note = (error: unknown) => {
    failures.push(error);
  };
  const [, entries] = await Promise.all([
    fed.catch(note),
    readEntries(tar.readable, read).catch(note),
  ]);
  if (failures.length > 0 || entries === undefined) throw failures[0];
  return entries;
}

type Entries = ReturnType<typeof createTarDecoder>['readable'];

async function readEntries<T>(
  entries: Entries,
  read: (state: AsyncIterable<Uint8Array>) => Promise<T>,
) {
  const digests = new Map<string, string>();
  let meta: ArchiveMeta | undefined;
  let state: { readonly read: T } | undefined;
  let sums: string | undefined;
  for await (const { header, body } of entries) {
    const hash = createHash('sha256');
    const bytes = hashed(body, hash.update.bind(hash));
    if (header.name === STATE && state === undefined) state = { read: await read(bytes) };
    else if (header.name === META && meta === undefined) meta = metaOf(await small(bytes));
    else if (header.name === SUMS && sums === undefined) sums = await small(bytes);
    else throw new Error(`unexpected file ${JSON.stringify(header.name)} in the archive`);
    digests.set(header.name, hash.digest('hex'));
  }
  if (meta === undefined || state === undefined || sums === undefined) {
    throw new Error('the archive is not whole');
  }
  verify(sums, digests);
  return { meta, state: state.read };
}

async function* hashed(
  body: AsyncIterable<Uint8Array>,
  update: (chunk: Uint8Array) => unknown,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    update(chunk);
    yield chunk;
  }
}

async function small(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > MAX_SMALL_BYTES) throw new Error('a file of the archive is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function metaOf(text: string): ArchiveMeta {
  const { ID, Index, Term, Version, Size } = JSON.parse(text) as Partial<ArchiveMeta>;
  if (Version !== 1) throw new Error(`an archive of an unknown version (${Version})`);
  if (!Number.isSafeInteger(Index)) throw new Error(`${META} names no index`);
  return { ID: ID ?? '', Index: Index ?? 0, Term: Term ?? 0, Version, Size: Size ?? 0 };
}

function verify(sums: string, digests: ReadonlyMap<string, string>): void {
  const said = new Map<string, string>();
  for (const line of sums.split('\n')) {
    const [, sum, name] = /^([0-9a-f]{64})\s+(\S+)$/.exec(line.trim()) ?? [];
    if (sum !== undefined && name !== undefined) said.set(name, sum);
  }
  for (const name of [META, STATE]) {
    if (said.get(name) !== digests.get(name)) throw new Error(`the sum of ${name} is another one`);
  }
}
