/**
 * Snapshots in Redis: compressed, in chunks, written by one server at a time, and read back before
 * anybody relies on them. A reader sees a whole snapshot or none.
 */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Position, Snapshot } from '../../event-log.ts';
import type { Argument, Connection, Script } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import { ABSENT_MS, SNAPSHOT_CHUNK_BYTES, SNAPSHOT_LOCK_MS } from '../link/limits.ts';
import {
  PUBLISH_SNAPSHOT,
  RELEASE_LOCK,
  RENEW_LOCK,
  TRIM,
  WRITE_CHUNK,
} from './snapshot-scripts.ts';

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
    const names = ['id', 'idx', 'epoch', 'hash', 't', 'chunks'];
    const args = [this.#keys.snapshot, ...names];
    const [id, ...rest] = (await this.#redis.call('HMGET', args)) as (string | null)[];
    if (typeof id !== 'string') return undefined;
    const [index, epoch, hash, t, chunks] = rest;
    const position = {
      index: Number(index),
      epoch: Number(epoch),
      hash: hash ?? '',
      t: Number(t),
    };
    return { id, position, chunks: Number(chunks) };
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
      // Where Redis is gone this fails as well, and the expiries do it; the first failure is told.
      await this.#run(RELEASE_LOCK, token, [token]).catch(() => undefined);
    }
    await this.trim(options);
  }

  /** Takes out what neither snapshot, server nor repair needs. */
  async trim({ epoch, keepAfter }: SaveOptions): Promise<void> {
    await this.#run(TRIM, '', [epoch, keepAfter, ABSENT_MS]);
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
      this.#stillOurs(await this.#run(WRITE_CHUNK, token, [token, chunks++, chunk]));
    }
    const found = createHash('sha1');
    for await (const chunk of this.#read(token, chunks)) {
      found.update(chunk);
      this.#stillOurs(await this.#run(RENEW_LOCK, token, [token]));
    }
    if (found.digest('hex') !== written.digest('hex')) {
      throw new ProconsulError('internal', 'a snapshot does not read back from Redis');
    }
    const { index, hash, t } = position;
    const args = [epoch, token, index, position.epoch, hash, t, chunks];
    const [answer] = (await this.#run(PUBLISH_SNAPSHOT, token, args)) as string[];
    if (answer !== 'OK') {
      throw new ProconsulError('unavailable', `Redis took no snapshot: ${answer}`);
    }
  }

  #stillOurs(answer: unknown): void {
    if (answer === 1) return;
    throw new ProconsulError('busy', 'another server has begun to write a snapshot');
  }

  /** From where it counts, or from where it is being written or was put when another replaced it. */
  async *#read(id: string, chunks: number): AsyncGenerator<Buffer> {
    const { snapshot, snapshotOf } = this.#keys;
    for (let n = 0; n < chunks; n++) {
      const reply = await this.#redis.callForBytes('HMGET', [snapshot, 'id', n]);
      const [at, chunk] = reply as (Buffer | null)[];
      const found =
        at?.toString() === id ? chunk : await this.#redis.callForBytes('HGET', [snapshotOf(id), n]);
      if (!Buffer.isBuffer(found)) {
        throw new ProconsulError('internal', 'a part of a snapshot is missing');
      }
      yield found;
    }
  }

  async #run(script: Script, id: string, args: readonly Argument[]) {
    const { meta, log, ids, servers, snapshot, snapshotLock, snapshotOf } = this.#keys;
    const keys = [meta, log, ids, servers, snapshot, snapshotLock, snapshotOf(id)];
    return await this.#redis.run(script, keys, args);
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
