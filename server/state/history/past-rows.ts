/** What is remembered, as rows: of a snapshot, of an archive, and of the entries that restore one. */
import type { PackedChanges, PastRow } from '../../../lib/history.ts';
import { type Change, type Changes, codeOf, NONE, ofCode, type Track } from './changes.ts';
import type { Past } from './past.ts';
import type { Texts } from './texts.ts';

/** A moment of the history, for whoever writes it while it goes on: see History.frozen. */
export interface Frozen {
  readonly changes: Changes;
  readonly texts: Texts;
  readonly pasts: readonly Past[];
  /** Those behind are gone. */
  readonly live: number;
  readonly checks: readonly Past['checks'][];
  /** Where in `firsts` each past begins: with its own first change, then those of its checks. */
  readonly starts: Int32Array;
  readonly firsts: Int32Array;
  readonly sinces: readonly number[];
}

export function* pastRows(frozen: Frozen): Iterable<PastRow> {
  for (let i = 0; i < frozen.pasts.length; i++) yield pastRow(frozen, i);
}

export function pastRow(frozen: Frozen, i: number): PastRow {
  const { node, id, service } = frozen.pasts[i] as Past;
  const [start, end] = [frozen.starts[i] ?? 0, frozen.starts[i + 1] ?? 0];
  const pack = new Packing(frozen);
  const life = pack.changes(frozen.firsts[start] ?? NONE);
  const checks: [string, PackedChanges][] = [];
  for (let at = start + 1; at < end; at++) {
    const check = frozen.checks[i]?.[at - start - 1];
    checks.push([check?.id ?? '', pack.changes(frozen.firsts[at] ?? NONE)]);
  }
  const since = frozen.sinces[i] ?? 0;
  const isGone = i >= frozen.live;
  return {
    node,
    id,
    service,
    ...(since > 0 && { since }),
    ...(isGone && { gone: true }),
    life,
    checks,
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
