/**
 * Snapshots in Redis: compressed, in chunks, written by one server at a time, and read back before
 * anybody relies on them. A reader sees a whole snapshot or none.
 */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Position, Snapshot } from '../../event-log.ts';
import type { Connection } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import {
  ABSENT_MS,
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_CHUNK_TTL_MS,
  SNAPSHOT_LOCK_MS,
} from '../link/limits.ts';
import { pairs } from '../repair/view.ts';
import { PUBLISH_SNAPSHOT, RELEASE_LOCK, RENEW_LOCK, TRIM } from './snapshot-scripts.ts';

/** A snapshot that is there to be loaded. */
export interface StoredSnapshot {
  readonly id: string;
  readonly position: Position;
  readonly chunks: number;
}

export interface SaveOptions {
  readonly epoch: number;
  /** Entries after this index stay in the stream: servers repair it with as many. */
  readonly keepAfter: number;
}

export class SnapshotStore {
  readonly #redis: Connection;
  readonly #keys: Keys;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async newest(): Promise<StoredSnapshot | undefined> {
    const flat = (await this.#redis.call('HGETALL', [this.#keys.snapshot])) as string[];
    const fields = new Map(pairs(flat));
    const id = fields.get('id');
    if (id === undefined) return undefined;
    const number = (name: string) => Number(fields.get(name) ?? 0);
    const hash = fields.get('hash') ?? '';
    const position = { index: number('idx'), epoch: number('epoch'), hash, t: number('t') };
    return { id, position, chunks: number('chunks') };
  }

  /** The lines come while they are read; they end with an error when the snapshot is damaged. */
  load({ id, position, chunks }: StoredSnapshot): Snapshot {
    return { position, lines: linesOf(this.#read(id, chunks)) };
  }

  /**
   * Does nothing when there is a newer one. Rejects 'busy' while another server writes one, and
   * 'unavailable' when the log went on in another history meanwhile; the old one stays then.
   */
  async save({ position, lines }: Snapshot, options: SaveOptions): Promise<void> {
    const old = await this.newest();
    if (old !== undefined && old.position.index >= position.index) return;
    const token = randomUUID();
    const lock = [this.#keys.snapshotLock, token, 'NX', 'PX', SNAPSHOT_LOCK_MS];
    if ((await this.#redis.call('SET', lock)) === null) {
      throw new ProconsulError('busy', 'another server is writing a snapshot');
    }
    try {
      await this.#write(token, position, lines, options);
    } finally {
      await this.#redis.run(RELEASE_LOCK, [this.#keys.snapshotLock], [token]);
    }
    if (old !== undefined) await this.#expire(old);
    await this.#redis.run(TRIM, this.#scriptKeys(), [options.epoch, options.keepAfter, ABSENT_MS]);
  }

  async #write(
    token: string,
    position: Position,
    lines: Snapshot['lines'],
    { epoch }: SaveOptions,
  ): Promise<void> {
    const written = createHash('sha1');
    let chunks = 0;
    for await (const chunk of chunksOf(lines)) {
      written.update(chunk);
      const key = this.#keys.chunk(token, chunks++);
      await this.#redis.set(key, chunk, SNAPSHOT_CHUNK_TTL_MS);
      await this.#renew(token);
    }
    const found = createHash('sha1');
    for await (const chunk of this.#read(token, chunks)) {
      found.update(chunk);
      await this.#renew(token);
    }
    if (found.digest('hex') !== written.digest('hex')) {
      throw new ProconsulError('internal', 'a snapshot does not read back from Redis');
    }
    const { index, hash, t } = position;
    const keys = [...this.#scriptKeys(), ...this.#chunkKeys(token, chunks)];
    const args = [epoch, token, index, position.epoch, hash, t, chunks];
    const [answer] = (await this.#redis.run(PUBLISH_SNAPSHOT, keys, args)) as string[];
    if (answer !== 'OK') {
      throw new ProconsulError('unavailable', `Redis took no snapshot: ${answer}`);
    }
  }

  async #renew(token: string): Promise<void> {
    const args = [token, SNAPSHOT_LOCK_MS];
    if ((await this.#redis.run(RENEW_LOCK, [this.#keys.snapshotLock], args)) === 1) return;
    throw new ProconsulError('busy', 'another server has begun to write a snapshot');
  }

  async *#read(id: string, chunks: number): AsyncGenerator<Buffer> {
    for (let n = 0; n < chunks; n++) {
      const chunk = await this.#redis.get(this.#keys.chunk(id, n));
      if (chunk === null) throw new ProconsulError('internal', 'a part of a snapshot is missing');
      yield chunk;
    }
  }

  /** Not at once: another server may be loading it. */
  async #expire({ id, chunks }: StoredSnapshot): Promise<void> {
    for (const key of this.#chunkKeys(id, chunks)) {
      await this.#redis.call('PEXPIRE', [key, SNAPSHOT_CHUNK_TTL_MS]);
    }
  }

  #chunkKeys(id: string, chunks: number): string[] {
    return Array.from({ length: chunks }, (_, n) => this.#keys.chunk(id, n));
  }

  #scriptKeys(): string[] {
    const { meta, log, ids, servers, snapshot, snapshotLock } = this.#keys;
    return [meta, log, ids, servers, snapshot, snapshotLock];
  }
}

/** Lines, compressed fast, in pieces of one size. */
async function* chunksOf(lines: Snapshot['lines']): AsyncGenerator<Buffer> {
  const gzip = createGzip({ level: 1, chunkSize: SNAPSHOT_CHUNK_BYTES });
  const source = Readable.from(terminated(lines));
  source.on('error', (error) => gzip.destroy(error));
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of source.pipe(gzip) as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes < SNAPSHOT_CHUNK_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    bytes = 0;
  }
  yield Buffer.concat(parts);
}

const LINES_A_BLOCK = 256;

/** In blocks, since a stream's own cost for each piece is many times that of a line. */
async function* terminated(lines: Snapshot['lines']): AsyncGenerator<string> {
  let block = '';
  let count = 0;
  for await (const line of lines) {
    block += `${line}\n`;
    if (++count % LINES_A_BLOCK !== 0) continue;
    yield block;
    block = '';
  }
  if (block !== '') yield block;
}

async function* linesOf(chunks: AsyncGenerator<Buffer>): AsyncGenerator<string> {
  const source = Readable.from(chunks);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  const text = source.pipe(gunzip).setEncoding('utf8') as unknown as AsyncIterable<string>;
  let rest = '';
  try {
    for await (const part of text) {
      // Only the line feed: U+2028 is a character like any other here.
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    source.destroy();
  }
}
