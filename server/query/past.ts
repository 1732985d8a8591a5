/** Queries of what is remembered: which statuses changed when. */
import type { HistoryChange } from '../../lib/model.ts';
import type { Change, Track } from '../state/history/changes.ts';
import type { Past } from '../state/history/past.ts';
import { keyOf, type Query } from './query.ts';
import type { Remembered } from './remembered.ts';

export interface Asked {
  /** Milliseconds since 1970; 0 for all. */
  readonly since: number;
  /** So many, the newest ones. */
  readonly limit: number;
}

/** A node's own checks count for all that is on it: they are shown from when an instance came on. */
export function historyOfService(service: string, asked: Asked): Query {
  return {
    key: keyOf('history/service', service, ...keyParts(asked)),
    run: (reader) => {
      const list = new Newest(reader.remembered, asked);
      const since = new Map<Past, number>();
      for (const past of reader.remembered.ofService(service)) {
        if (past === undefined) continue;
        list.add(past, past);
        for (const check of past.checks) list.add(past, check, check.id);
        noteNode(reader.remembered, past, since);
      }
      for (const [node, from] of since) {
        for (const check of node.checks) list.add(node, check, check.id, from);
      }
      return { json: list.rows() };
    },
  };
}

/** Of what is gone its end is shown: what its node was later is none of its own. */
function noteNode(remembered: Remembered, past: Past, since: Map<Past, number>): void {
  const last = [...remembered.history.changesOf(past)].at(-1);
  const node = remembered.nodeOf(past);
  if (last?.to !== 'registered' || node === undefined) return;
  since.set(node, Math.min(since.get(node) ?? last.t, last.t));
}

export function historyOfNode(node: string, asked: Asked): Query {
  return {
    key: keyOf('history/node', node, ...keyParts(asked)),
    run: (reader) => {
      const list = new Newest(reader.remembered, asked);
      for (const past of reader.remembered.onNode(node)) {
        list.add(past, past);
        for (const check of past.checks) list.add(past, check, check.id);
      }
      return { json: list.rows() };
    },
  };
}

function keyParts({ since, limit }: Asked): string[] {
  return [String(since), String(limit)];
}

interface Found {
  readonly past: Past;
  readonly check: string;
  readonly change: Change;
}

/** The newest of all changes that it is shown, without holding all of them. */
class Newest {
  readonly #from: Remembered;
  readonly #limit: number;
  #since: number;
  #found: Found[] = [];

  constructor(from: Remembered, { since, limit }: Asked) {
    this.#from = from;
    this.#since = since;
    this.#limit = limit;
  }

  add(past: Past, track: Track, check = '', from = 0): void {
    const since = Math.max(this.#since, from);
    for (const change of this.#from.history.changesOf(track)) {
      if (change.t >= since) this.#found.push({ past, check, change });
    }
    if (this.#found.length > 4 * this.#limit) this.#cut();
  }

  rows(): HistoryChange[] {
    this.#cut();
    return this.#found.map(({ past, check, change }) => ({
      Time: new Date(change.t).toISOString(),
      Node: past.node,
      ServiceName: past.service,
      ServiceID: past.id,
      CheckID: check,
      From: change.from,
      To: change.to,
      Output: this.#from.history.text(change),
    }));
  }

  #cut(): void {
    this.#found.sort(inTime);
    if (this.#found.length <= this.#limit) return;
    this.#found = this.#found.slice(-this.#limit);
    this.#since = Math.max(this.#since, this.#found[0]?.change.t ?? 0);
  }
}

/** What happened in one moment is in the order of names, so that every server says the same. */
function inTime(a: Found, b: Found): number {
  return a.change.t - b.change.t || compare(nameOf(a), nameOf(b));
}

function nameOf({ past, check }: Found): string {
  return [past.node, past.id, past.service, check].join('\0');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
