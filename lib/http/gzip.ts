/**
 * Bodies compressed, once for all who get the same bytes. Node compresses in libuv's pool of four
 * threads, which is also where the file log waits for the disk: two of them are always its own.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Claim, largeBodies } from '../body-room.ts';
import { ByteCache } from '../byte-cache.ts';

const compress = promisify(gzip);

const MAX_AT_ONCE = 2;
/** Who comes when so many wait already gets its answer as it is, which is sooner. */
const MAX_WAITING = 64;
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** By the very buffer, which is kept with it. */
const KEPT = new ByteCache<Buffer, Promise<Buffer>>({ maxBytes: MAX_KEPT_BYTES });
const waiting: (() => void)[] = [];
let running = 0;

/** Undefined where too many wait for theirs, or there is no room for it. */
export function compressed(body: Buffer): Promise<Buffer> | undefined {
  const known = KEPT.get(body);
  if (known !== undefined) return known.value;
  if (waiting.length >= MAX_WAITING) return undefined;
  const claim = claimFor(body);
  if (claim === undefined) return undefined;
  const made = inTurn(body, claim);
  const kept = KEPT.keep(body, made, body.length);
  made.then(
    (bytes) => kept.resize(body.length + bytes.length),
    () => KEPT.delete(body),
  );
  return made;
}

/** Whoever has gone meanwhile holds it no more, but it waits here all the same. */
function claimFor(body: Buffer): Claim | undefined {
  const claim = largeBodies.claim();
  try {
    claim.grow(body.length);
    return claim;
  } catch {
    return undefined;
  }
}

async function inTurn(body: Buffer, claim: Claim): Promise<Buffer> {
  if (running >= MAX_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await compress(body);
  } finally {
    claim.end();
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
