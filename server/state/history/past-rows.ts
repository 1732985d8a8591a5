/** What is remembered, as rows: of a snapshot, of an archive, and of the entries that restore one. */
import type { PackedChanges, PastRow } from '../../../lib/history.ts';
import { type Change, type Changes, codeOf, ofCode, type Track } from './changes.ts';
import type { Past } from './past.ts';
import type { Texts } from './texts.ts';

/**
 * A moment of the history, for whoever writes it while it goes on. Of a million pasts nothing is copied but
 * where they are: what one was is noted when it changes for the first time after that.
 */
export class Frozen {
  readonly changes: Changes;
  readonly texts: Texts;
  /** Those that were there, then those that are gone. */
  readonly pasts: readonly Past[];
  readonly live: number;
  readonly #firsts = new Map<Track, number>();
  readonly #kept = new Map<Past, Pick<Past, 'checks' | 'since'>>();

  constructor(of: Pick<Frozen, 'changes' | 'texts' | 'pasts' | 'live'>) {
    this.changes = of.changes;
    this.texts = of.texts;
    this.pasts = of.pasts;
    this.live = of.live;
  }

  /** A track is about to change. */
  note(track: Track): void {
    if (!this.#firsts.has(track)) this.#firsts.set(track, track.first);
  }

  /** A past is about to have another check, or one less. */
  noteChecks(past: Past): void {
    if (this.#kept.has(past)) return;
    this.#kept.set(past, { checks: [...past.checks], since: past.since });
  }

  /** Of one that has come since then, NONE. */
  firstOf(track: Track): number {
    return this.#firsts.get(track) ?? track.first;
  }

  was(past: Past): Pick<Past, 'checks' | 'since'> {
    return this.#kept.get(past) ?? past;
  }
}

export function* pastRows(frozen: Frozen): Iterable<PastRow> {
  for (const [i, past] of frozen.pasts.entries()) yield pastRow(frozen, past, i >= frozen.live);
}

export function pastRow(frozen: Frozen, past: Past, isGone: boolean): PastRow {
  const { node, id, service } = past;
  const { checks, since } = frozen.was(past);
  const pack = new Packing(frozen);
  const life = pack.changes(frozen.firstOf(past));
  return {
    node,
    id,
    service,
    ...(since > 0 && { since }),
    ...(isGone && { gone: true }),
    life,
    checks: checks.map((check) => [check.id, pack.changes(frozen.firstOf(check))] as const),
    texts: pack.texts,
  };
}

class Packing {
  readonly #from: Frozen;
  readonly #places = new Map<number, number>();
  readonly texts: string[] = [];

  constructor(from: Frozen) {
    this.#from = from;
  }

  changes(first: number): PackedChanges {
    const packed: number[] = [];
    let before = 0;
    for (const change of this.#from.changes.from(first)) {
      packed.push(change.t - before, codeOf(change), this.#placeOf(change.text));
      before = change.t;
    }
    return packed;
  }

  #placeOf(text: number): number {
    if (text === 0) return 0;
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.texts.push(this.#from.texts.text(text));
    this.#places.set(text, place);
    return place;
  }
}

/** Puts the changes onto a track that has none. */
export function unpack(
  { changes, texts }: { readonly changes: Changes; readonly texts: Texts },
  track: Track,
  packed: PackedChanges,
  said: readonly string[],
): void {
  let t = 0;
  for (let at = 0; at < packed.length; at += 3) {
    t += packed[at] ?? 0;
    const text = texts.use(said[(packed[at + 2] ?? 0) - 1] ?? '');
    const change: Change = { t, ...ofCode(packed[at + 1] ?? 0), text };
    changes.append(track, change);
  }
}
