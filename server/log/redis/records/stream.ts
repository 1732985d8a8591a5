/** The stream in Redis: its entries, and reading them on. */
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Entry } from '../../../commands.ts';
import { chainHash } from '../../chain.ts';
import type { Position } from '../../event-log.ts';
import type { PayloadReader } from '../../payload.ts';
import { type Connection, defineScript } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import { BLOCK_MS, READ_MAX_BYTES, READ_MAX_ENTRIES, WAKE_MAX_ENTRIES } from '../link/limits.ts';
import type { Link } from '../link/link.ts';
import type { EpochLink } from './check-in.ts';
import { dailyKeys } from './scripts.ts';

/** An entry as it stands there. */
export interface RawEntry extends Position {
  readonly id: string;
  readonly payload: string;
}

/** A reply's element: the id, then fields and values in turn. */
export type StreamItem = readonly [string, readonly string[]];

const STREAM_ID = /^(\d{1,16})-0$/;
const DIGITS = /^\d{1,16}$/;

/** Undefined when it is none of ours. */
export function parseStreamItem([streamId, flat]: StreamItem): RawEntry | undefined {
  const [, index] = STREAM_ID.exec(streamId) ?? [];
  if (index === undefined || flat.length !== 10) return undefined;
  const [e, epoch = '', t, time = '', p, id = '', h, hash = '', c, payload = ''] = flat;
  if (e !== 'e' || t !== 't' || p !== 'p' || h !== 'h' || c !== 'c') return undefined;
  if (!DIGITS.test(epoch) || !DIGITS.test(time)) return undefined;
  return { index: Number(index), epoch: Number(epoch), t: Number(time), id, hash, payload };
}

/**
 * Whether an entry is the one after `previous`. Only the beginning of
 * an epoch may leave indexes out; the hash covers all of it.
 */
export function follows(previous: Position, entry: RawEntry): boolean {
  const { index, epoch } = entry;
  const next = index === previous.index + 1;
  const inNewEpoch = index > previous.index && epoch > previous.epoch;
  return (next || inNewEpoch) && entry.hash === chainHash(previous.hash, entry);
}

/** To be called once for each, in order: see PayloadReader. */
export function toEntry(raw: RawEntry, payloads: PayloadReader): Entry {
  const { index, epoch, t, id, hash, payload } = raw;
  const command = payloads.decode(raw);
  return payloads.admit({ index, epoch, t, id, hash, size: payload.length, command }, payload);
}

export function streamId(index: number): string {
  return `${index}-0`;
}

/** Of the bell. A round counts within its epoch: those of another one are no news of this one. */
function ringId(epoch: number, round: number): string {
  return `${epoch}-${round}`;
}

const RING_ID = /^(\d{1,16})-(\d{1,16})$/;

/** Undefined where it is none of the epoch. */
function roundOf(id: string, epoch: number): number | undefined {
  const [, its, round] = RING_ID.exec(id) ?? [];
  return Number(its) === epoch ? Number(round) : undefined;
}

/**
 * ARGV: stream id, the most entries, the most bytes. Answers what comes after it as XRANGE does,
 * one at least where there is any; none where something else than a stream stands there.
 */
const READ = defineScript(`
local from, left = '(' .. ARGV[1], tonumber(ARGV[3])
local found = {}
repeat
  local some = redis.pcall('XRANGE', KEYS[2], from, '+', 'COUNT', 16)
  if some.err then return found end
  for _, entry in ipairs(some) do
    for _, part in ipairs(entry[2]) do left = left - #part end
    if #found > 0 and (left < 0 or #found >= tonumber(ARGV[2])) then return found end
    found[#found + 1] = entry
    from = '(' .. entry[1]
  end
until #some < 16
return found
`);

/**
 * The entries after an index; undefined stands for what is none of ours. As many as may be had in one
 * piece: entries differ in size by a thousand, so they are counted by bytes. None only at the end.
 */
export async function readAfter(
  { commands, keys }: Link,
  index: number,
): Promise<(RawEntry | undefined)[]> {
  return (await readItems(commands, keys, streamId(index))).map(parseStreamItem);
}

/** Likewise, whatever stands in the stream. */
export async function readItemsAfter({ commands, keys }: Link, id: string): Promise<StreamItem[]> {
  return await readItems(commands, keys, id);
}

async function readItems(
  redis: Connection,
  keys: Keys,
  id: string,
  maxEntries = READ_MAX_ENTRIES,
): Promise<StreamItem[]> {
  const args = [id, maxEntries, READ_MAX_BYTES];
  return (await redis.run(READ, dailyKeys(keys), args)) as StreamItem[];
}

/** The entry of an index; undefined where there is none, or none of ours. */
export async function entryAt(
  { commands, keys }: Link,
  index: number,
): Promise<RawEntry | undefined> {
  const [item] = await readItems(commands, keys, streamId(index - 1), 1);
  const entry = item === undefined ? undefined : parseStreamItem(item);
  return entry?.index === index ? entry : undefined;
}

/** Who takes the entries as they come, as long as each follows from the one before. */
export interface Follower {
  readonly position: { readonly index: number };
  /** How many of them follow. */
  follow(entries: readonly (RawEntry | undefined)[]): number;
}

export interface TailEvents {
  readonly onApplied: () => void;
  /** Somebody waits for a majority's word: what is said from now on counts. Undefined where nobody votes. */
  readonly onRound?: ((round: number) => void) | undefined;
}

/**
 * Feeds the history until the link ends, and then rejects. Ends it where an entry does not
 * follow: what comes next is for a new link to find out.
 */
export async function followTail(
  { link: { tail, keys }, epoch }: EpochLink,
  history: Follower,
  { onApplied, onRound }: TailEvents,
): Promise<never> {
  let round = 0;
  let hearsBell = onRound !== undefined;
  const feed = (entries: readonly (RawEntry | undefined)[]) => {
    const followed = history.follow(entries);
    if (followed > 0) onApplied();
    if (followed === entries.length) return;
    const { index } = history.position;
    throw new ProconsulError('internal', `the stream's entry after index ${index} does not follow`);
  };
  for (;;) {
    const from = streamId(history.position.index);
    const streams = hearsBell
      ? [keys.log, keys.bell, from, ringId(epoch, round)]
      : [keys.log, from];
    // XREAD cannot count bytes: it only wakes us, and brings the little there mostly is.
    const args = ['COUNT', WAKE_MAX_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', ...streams];
    const reply = (await tail.call('XREAD', args)) as [string, StreamItem[]][] | null;
    const read = new Map(reply);
    let entries = (read.get(keys.log) ?? []).map(parseStreamItem);
    feed(entries);
    const rung = read.get(keys.bell)?.at(-1)?.[0];
    const heard = rung === undefined ? undefined : roundOf(rung, epoch);
    // What is no round of ours would be told again at once: the next time entries alone are waited for.
    hearsBell = onRound !== undefined && (rung === undefined || heard !== undefined);
    if (heard !== undefined) {
      round = heard;
      onRound?.(round);
    }
    if (entries.length < WAKE_MAX_ENTRIES) continue;
    do {
      const items = await readItems(tail, keys, streamId(history.position.index));
      entries = items.map(parseStreamItem);
      feed(entries);
    } while (entries.length > 0);
  }
}
