/**
 * Snapshots in Redis: compressed, in chunks, written by one server at a time, and read back before
 * anybody relies on them. A reader sees a whole snapshot or none: it is one key, its chunks among its
 * fields, so nothing of it can be left when it goes. It has an expiry until it is published, and again
 * once another is published in its place.
 * The scripts' keys: meta, log, ids, servers, snapshot, snapshot-lock, the snapshot being written.
 */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Position, Snapshot } from '../../event-log.ts';
import { type Argument, type Connection, defineScript, type Script } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import {
  ABSENT_MS,
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_LOCK_MS,
  SNAPSHOT_TTL_MS,
} from '../link/limits.ts';
import type { Link } from '../link/link.ts';
import { PRELUDE } from './scripts.ts';

/** ARGV: token, number, chunk. Answers 0 when another server has taken the lock meanwhile. */
const WRITE_CHUNK = defineScript(`
if redis.call('GET', KEYS[6]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[6], ${SNAPSHOT_LOCK_MS})
redis.call('HSET', KEYS[7], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[7], ${SNAPSHOT_TTL_MS})
return 1
`);

/** ARGV: token. Answers 0 likewise. */
const RENEW_LOCK = defineScript(`
if redis.call('GET', KEYS[6]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[6], ${SNAPSHOT_LOCK_MS})
`);

/** ARGV: token. What was not published goes. */
const RELEASE_LOCK = defineScript(`
redis.call('UNLINK', KEYS[7])
if redis.call('GET', KEYS[6]) == ARGV[1] then redis.call('DEL', KEYS[6]) end
return 1
`);

/**
 * ARGV: epoch, id (and the lock's token), then the position: index, epoch, hash, t; number of
 * chunks. Answers OK, or what speaks against it.
 */
const PUBLISH_SNAPSHOT = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
if redis.call('GET', KEYS[6]) ~= ARGV[2] then return { 'LOCK' } end
local old, old_idx = unpack(redis.call('HMGET', KEYS[5], 'id', 'idx'))
if old_idx and tonumber(old_idx) >= tonumber(ARGV[3]) then return { 'OLDER' } end
-- It must be of this history.
local hash
if ARGV[3] == m.idx then hash = m.hash end
if ARGV[3] == m.floor then hash = m.floorhash end
local entry = redis.call('XRANGE', KEYS[2], ARGV[3] .. '-0', ARGV[3] .. '-0')[1]
if entry then
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'h' then hash = entry[2][i + 1] end
  end
end
if hash ~= ARGV[5] then return { 'FORK' } end
if redis.call('HLEN', KEYS[7]) ~= tonumber(ARGV[7]) then return { 'EXPIRED' } end
if old then
  -- Not at once gone: another server may be loading it. Its name has the same hash tag as the rest.
  redis.call('RENAME', KEYS[5], KEYS[5] .. ':' .. old)
  redis.call('PEXPIRE', KEYS[5] .. ':' .. old, ${SNAPSHOT_TTL_MS})
end
redis.call('HSET', KEYS[7], 'id', ARGV[2], 'idx', ARGV[3], 'epoch', ARGV[4], 'hash', ARGV[5],
  't', ARGV[6], 'chunks', ARGV[7])
redis.call('RENAME', KEYS[7], KEYS[5])
redis.call('PERSIST', KEYS[5])
if tonumber(m.want) <= tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], 'want') end
return { 'OK' }
`);

/**
 * ARGV: epoch, the index after which everything stays, ms after which a silent server is no longer
 * waited for. Keeps the snapshot's own entry too, to which a loader's first read is compared.
 */
const TRIM = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return 0 end
local snapshot = redis.call('HGET', KEYS[5], 'idx')
if not snapshot then return 0 end
local first = math.min(tonumber(snapshot), tonumber(ARGV[2]) + 1)
local now = now_ms()
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local seen, applied = string.match(all[i + 1], '^(%d+) (%d+)')
  if not seen or now - tonumber(seen) > tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[4], all[i])
  else
    first = math.min(first, tonumber(applied))
  end
end
local removed = redis.call('XTRIM', KEYS[2], 'MINID', '=', int(first) .. '-0')
if removed > 0 then redis.call('HSET', KEYS[1], 'floor', '-1', 'floorhash', '') end
return removed
`);

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

  constructor({ commands, keys }: Link) {
    this.#redis = commands;
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
      await this.#clearForeignLock();
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

  /** A lock of ours has an end: any other key would keep everybody from saving for ever. */
  async #clearForeignLock(): Promise<void> {
    const { snapshotLock } = this.#keys;
    const forEver = -1;
    if ((await this.#redis.call('PTTL', [snapshotLock])) !== forEver) return;
    await this.#redis.call('DEL', [snapshotLock]);
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
