/**
 * The file that a snapshot is kept in, as Consul writes it: a gzipped tar with `meta.json`, the
 * records of the state (`state.bin`) and the sums of both. The sums come last, so that nothing of an
 * archive is to be believed before it was read to its end. What is wrong with one is said as Consul does.
 */
import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { createTarDecoder } from 'modern-tar';
import { messageOf, ProconsulError } from '../errors.ts';
import { decodeJson } from '../json.ts';

export const META = 'meta.json';
export const STATE = 'state.bin';
export const SUMS = 'SHA256SUMS';
/** What stands beside the state has some hundred bytes. */
const MAX_SMALL_BYTES = 1024 * 1024;
/** Of all that is unpacked: some hundred MB of zeros pack into nothing, and would be read for half an hour. */
const MAX_UNPACKED_BYTES = 8 * 1024 ** 3;
/** Of gzip. */
const HEAD_BYTES = 10;

export interface ArchiveMeta {
  readonly ID: string;
  /** No row of the state is newer. */
  readonly Index: number;
  readonly Term: number;
  readonly Version: number;
  /** Of the state, in bytes. */
  readonly Size: number;
}

type Bytes = AsyncIterable<Uint8Array>;

/**
 * Reads an archive to its end, and rejects where anything about it is not as it was written. `read`
 * is handed the state's bytes while they come. What it rejects with counts where the sums are right, so
 * that a byte that was changed is told as that.
 */
export async function readArchive<T>(
  archive: Bytes | Iterable<Uint8Array>,
  read: (state: Bytes) => Promise<T>,
  signal?: AbortSignal,
  maxBytes = MAX_UNPACKED_BYTES,
): Promise<{ readonly meta: ArchiveMeta; readonly state: T }> {
  const tar = createTarDecoder({ strict: true });
  const reading = new Reading(read, signal);
  const fed = pipeline(
    Readable.from(withHead(archive)),
    createGunzip(),
    (chunks: Bytes) => bounded(chunks, maxBytes),
    Writable.fromWeb(tar.writable),
  );
  // Whoever fails first tells why; the other one only breaks off.
  const failures: unknown[] = [];
  const note = (error: unknown) => {
    failures.push(error);
  };
  const [, entries] = await Promise.all([fed.catch(note), reading.all(tar.readable).catch(note)]);
  if (failures.length > 0 || entries === undefined) throw reading.told(failures[0]);
  return entries;
}

/** Hands the bytes on once there are as many as gzip's head has, and it is one. */
async function* withHead(archive: Bytes | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of archive) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEAD_BYTES) continue;
    if (head.readUIntBE(0, 3) !== 0x1f8b08) throw fault(`${UNPACK}: gzip: invalid header`);
    yield head;
    head = undefined;
  }
  if (head !== undefined) throw fault(`${UNPACK}: ${head.length > 0 ? SHORT : 'EOF'}`);
}

async function* bounded(chunks: Bytes, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw fault(`${UNPACK}: it comes to more than ${maxBytes} bytes`);
    yield chunk;
  }
}

const UNPACK = 'failed to decompress snapshot';
const READ = 'failed to read snapshot file';
const CHECK = `${READ}: failed checking integrity of snapshot`;
const RAFT = 'Raft error when restoring snapshot';
const SHORT = 'unexpected EOF';

/** Without a cause: it would say the same in other words. */
function fault(text: string): ProconsulError {
  return new ProconsulError('rejected', text);
}

type Entries = ReturnType<typeof createTarDecoder>['readable'];

/** What became of the state's bytes. */
type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** One archive, and how far it has been read: by that Consul says what is wrong with its bytes. */
class Reading<T> {
  readonly #read: (state: Bytes) => Promise<T>;
  readonly #signal: AbortSignal | undefined;
  #doing = `${READ}: failed reading snapshot`;

  constructor(read: (state: Bytes) => Promise<T>, signal: AbortSignal | undefined) {
    this.#read = read;
    this.#signal = signal;
  }

  async all(entries: Entries) {
    const digests = new Map(
      [META, STATE].map((name) => [name, createHash('sha256').digest('hex')]),
    );
    let meta: ArchiveMeta | undefined;
    let state: { readonly outcome: Outcome<T>; readonly size: number } | undefined;
    let sums: string | undefined;
    for await (const { header, body } of entries) {
      const hash = createHash('sha256');
      const bytes = this.#hashed(body, hash.update.bind(hash));
      const { name, size } = header;
      if (name === STATE && state === undefined) {
        state = await this.#during(`${READ}: failed to read or write snapshot data`, async () => ({
          outcome: await toItsEnd(bytes, this.#read),
          size,
        }));
      } else if (name === META && meta === undefined) {
        const text = await this.#during(`${READ}: failed to read snapshot metadata`, () =>
          small(bytes),
        );
        meta = metaOf(text);
      } else if (name === SUMS && sums === undefined) {
        sums = await this.#during(`${READ}: failed to read snapshot hashes`, () => small(bytes));
      } else throw fault(`${READ}: unexpected file ${JSON.stringify(name)} in snapshot`);
      if (name !== SUMS) digests.set(name, hash.digest('hex'));
    }
    verify(sums ?? '', digests);
    this.#doing = '';
    return finished(meta, state);
  }

  /** The reason in Consul's words. */
  told(error: unknown): unknown {
    if (error instanceof ProconsulError || this.#signal?.aborted === true) return error;
    const why = reasonOf(error);
    if (why === undefined) return error;
    // What follows the files is gzip's own.
    const isOver = this.#doing === '' || why === BAD_SUM;
    return fault(isOver ? why : `${this.#doing}: ${why}`);
  }

  async #during<R>(what: string, work: () => Promise<R>): Promise<R> {
    const before = this.#doing;
    this.#doing = what;
    const result = await work();
    this.#doing = before;
    return result;
  }

  async *#hashed(body: Bytes, update: (chunk: Uint8Array) => unknown): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.#signal?.throwIfAborted();
      update(chunk);
      yield chunk;
    }
  }
}

/** Also what `read` has left of the bytes: the sums are of all of them. */
async function toItsEnd<T>(
  bytes: AsyncGenerator<Uint8Array>,
  read: (bytes: Bytes) => Promise<T>,
): Promise<Outcome<T>> {
  let broken: { readonly error: unknown } | undefined;
  // Without a way to end it early.
  const next = async () => {
    try {
      return await bytes.next();
    } catch (error) {
      broken = { error };
      throw error;
    }
  };
  const outcome = await read({ [Symbol.asyncIterator]: () => ({ next }) }).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (broken !== undefined) throw broken.error;
  while ((await next()).done !== true);
  return outcome;
}

async function small(bytes: Bytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > MAX_SMALL_BYTES) throw fault(`${READ}: a file of the archive is too large`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function metaOf(text: string): ArchiveMeta {
  const { ID, Index = 0, Term, Version = 0, Size } = decodeMeta(text);
  if (!Number.isSafeInteger(Index)) {
    const field = `Go struct field SnapshotMeta.Index of type uint64`;
    throw fault(`${DECODE}: json: cannot unmarshal ${typeof Index} into ${field}`);
  }
  return { ID: ID ?? '', Index, Term: Term ?? 0, Version, Size: Size ?? 0 };
}

const DECODE = `${READ}: failed to decode snapshot metadata`;

function decodeMeta(text: string): Partial<ArchiveMeta> {
  if (text.trim() === '') throw fault(`${DECODE}: unexpected end of JSON input`);
  try {
    return (decodeJson(text) ?? {}) as Partial<ArchiveMeta>;
  } catch (cause) {
    throw fault(`${DECODE}: ${messageOf(cause)}`);
  }
}

function verify(sums: string, digests: ReadonlyMap<string, string>): void {
  const said = new Set<string>();
  for (const line of sums.split('\n')) {
    if (line.trim() === '') continue;
    const [, sum, name = ''] = /^([0-9a-f]+)\s+(\S+)$/.exec(line.trim()) ?? [];
    if (sum === undefined) throw fault(`${CHECK}: no hex data for %x string`);
    const digest = digests.get(name);
    if (digest === undefined) {
      throw fault(`${CHECK}: list missing hash for ${JSON.stringify(name)}`);
    }
    if (digest !== sum) throw fault(`${CHECK}: hash check failed for ${JSON.stringify(name)}`);
    said.add(name);
  }
  for (const name of [META, STATE]) {
    if (!said.has(name)) throw fault(`${CHECK}: file missing for ${JSON.stringify(name)}`);
  }
}

/** Of an archive that is as it was written: whether it is one that can be restored. */
function finished<T>(
  meta: ArchiveMeta | undefined,
  state: { readonly outcome: Outcome<T>; readonly size: number } | undefined,
) {
  if (meta === undefined || state === undefined) throw fault(`${READ}: the archive is not whole`);
  const { Version, Size } = meta;
  if (Version !== 1) {
    const made = Version === 0 ? 'failed to create snapshot: ' : '';
    throw fault(`${RAFT}: ${made}unsupported snapshot version ${Version}`);
  }
  if (state.size !== Size) {
    const sizes = `(${state.size} != ${Size})`;
    throw fault(`${RAFT}: failed to write snapshot, size didn't match ${sizes}`);
  }
  const { outcome } = state;
  if ('error' in outcome) throw outcome.error;
  return { meta, state: outcome.value };
}

const BAD_SUM = 'gzip: invalid checksum';

/** What zlib and the tar say, in Go's words; undefined where it is neither. */
function reasonOf(error: unknown): string | undefined {
  const { code = '' } = error as { readonly code?: string };
  const text = messageOf(error);
  if (code === 'Z_BUF_ERROR' || /unexpected end|truncated|incomplete/i.test(text)) return SHORT;
  if (/incorrect (data|length) check/.test(text)) return BAD_SUM;
  // A second archive behind the first, which is none.
  if (/incorrect header check/.test(text)) return SHORT;
  if (code.startsWith('Z_')) return `flate: corrupt input (${text})`;
  if (/checksum|header|tar/i.test(text)) return 'archive/tar: invalid tar header';
  return undefined;
}
