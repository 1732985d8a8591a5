/** An entry as it stands in the stream. */
import type { Entry } from '../../../commands.ts';
import { chainHash } from '../../chain.ts';
import type { Position } from '../../event-log.ts';
import { decodeCommand } from '../../payload.ts';

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
 * Whether an entry is the one after `previous`. Only a seal may leave indexes out, and with it a
 * new epoch begins; the hash covers all of it.
 */
export function follows(previous: Position, entry: RawEntry): boolean {
  const { index, epoch } = entry;
  const next = index === previous.index + 1;
  const afterSeal = index > previous.index && epoch > previous.epoch;
  return (next || afterSeal) && entry.hash === chainHash(previous.hash, entry);
}

export function toEntry({ index, epoch, t, id, hash, payload }: RawEntry): Entry {
  return { index, epoch, t, id, hash, size: payload.length, command: decodeCommand(payload) };
}

export function streamId(index: number): string {
  return `${index}-0`;
}
