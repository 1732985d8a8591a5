/**
 * What the catalog has of the node, as it is watched: whoever else writes there is seen. What this program
 * writes itself is counted at once, and not only when the watch brings it.
 */
import { ProconsulError } from '../../lib/errors.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import { type Catalog, type CatalogAnswer, plainJson } from '../catalog.ts';
import { Reading, type ReadingDeps } from '../reading.ts';
import type { WantedCheck, WantedInstance } from './instances.ts';
import { someOf, wholeNode } from './node-parts.ts';
import { keeping, type RegisteredRow, rowsIn } from './rows.ts';

/**
 * Between two reads of the node, which is read whole: of ten thousand instances that takes a server and this most of
 * a second, and each write would have it read anew.
 */
const PACE_MS = 100;
const PACE_OF_ROW_MS = 1;
/** Whoever waits for its turn need not know at once: what it knows is where it begins. */
const WAITING_PACE = 2;

export interface RegisteredEvents {
  /** The catalog was read. */
  readonly read: () => void;
  readonly lost: (why: string) => void;
}

export class Registered {
  readonly #reading: Reading;
  readonly #on: RegisteredEvents;
  readonly #catalog: Catalog;
  readonly #node: string;
  readonly #owner: string;
  #rows = new Map<string, RegisteredRow>();
  #isKnown = false;
  #isWriting = false;
  /** Written at this moment: nobody knows yet how. */
  readonly #underWay = new Set<string>();
  /** By id, the how manieth write it was: a read that began before it does not know of it. */
  readonly #written = new Map<string, number>();
  #writes = 0;

  constructor(
    deps: ReadingDeps,
    { node, owner }: { readonly node: string; readonly owner: string },
    on: RegisteredEvents,
  ) {
    this.#on = on;
    this.#catalog = deps.catalog;
    this.#node = node;
    this.#owner = owner;
    const catalog = wholeNode(deps.catalog, node, () => keeping(owner));
    this.#reading = new Reading(
      { ...deps, catalog },
      {
        path: `/v1/internal/ui/node/${encodeURIComponent(node)}`,
        isBareWhereMissing: true,
        begin: () => this.#writes,
        take: (answer, writes) => this.#take(answer && nodeIn(answer), writes),
        lost: on.lost,
        paceMs: () => {
          const ms = Math.max(PACE_MS, this.#rows.size * PACE_OF_ROW_MS);
          return this.#isWriting ? ms : ms * WAITING_PACE;
        },
      },
    );
  }

  /** Before, nobody knows what is there already. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get(id: string): RegisteredRow | undefined {
    return this.#rows.get(id);
  }

  /** It is being written. */
  isUnderWay(id: string): boolean {
    return this.#underWay.has(id);
  }

  ids(): Iterable<string> {
    return this.#rows.keys();
  }

  /** What is read of them meanwhile may be of before or after it, and does not count. */
  async writing<T>(ids: readonly string[], write: () => Promise<T>): Promise<T> {
    for (const id of ids) this.#underWay.add(id);
    this.#reading.rest();
    try {
      return await write();
    } finally {
      for (const id of ids) this.#underWay.delete(id);
    }
  }

  /** The catalog has taken it; its index is as before where the instance itself was not written. */
  wrote(id: string, instance: WantedInstance | undefined, index: unknown): void {
    const ModifyIndex = index ?? this.#rows.get(id)?.service['ModifyIndex'];
    if (instance === undefined) this.#rows.delete(id);
    else this.#rows.set(id, rowOf(instance, ModifyIndex));
    this.#written.set(id, ++this.#writes);
  }

  /** Resolves once it was read, or the signal is aborted. */
  untilKnown(signal: AbortSignal): Promise<void> {
    return this.#reading.untilKnown(signal);
  }

  /** Whoever writes sees sooner what others write there. */
  set isWriting(is: boolean) {
    if (is && !this.#isWriting) this.#reading.hurry();
    this.#isWriting = is;
  }

  /** Much is written soon: it is read once that is done, and whatever changes in it meanwhile wakes nobody. */
  rest(): void {
    this.#reading.rest();
  }

  /** Goes on reading from what was read last. Resolves when the signal is aborted. */
  run(signal: AbortSignal): Promise<void> {
    return this.#reading.run(signal);
  }

  /** Resolves once all is known as it was after this was called. Rejects with a ProconsulError. */
  readAnew(signal: AbortSignal): Promise<void> {
    return this.#reading.readAnew(signal);
  }

  /**
   * Only these, as they are after this was called: of a node of fifty thousand instances all is read once in a minute. Rejects
   * with a ProconsulError.
   */
  async readSome(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const writes = this.#writes;
    const found = rowsIn(
      keeping(this.#owner)(await someOf(this.#catalog, this.#node, ids, signal)),
    );
    if (signal.aborted) return;
    for (const id of ids) {
      if (this.#underWay.has(id) || (this.#written.get(id) ?? 0) > writes) continue;
      const row = found.get(id);
      if (row === undefined) this.#rows.delete(id);
      else this.#rows.set(id, row);
      // Whatever is read of it that was asked for before this is older.
      this.#written.set(id, ++this.#writes);
    }
  }

  /** Of what was written since it was asked for more is known here. A node that is not there has nothing. */
  #take(found: Said | undefined, writes: number): boolean {
    const { Services, Checks } = found ?? {};
    const shown = { services: objectsIn(Services), checks: objectsIn(Checks) };
    const rows = rowsIn(keeping(this.#owner)(shown));
    const later = [...this.#written].filter(([, write]) => write > writes).map(([id]) => id);
    const kept = new Set([...later, ...this.#underWay]);
    for (const id of kept) {
      const known = this.#rows.get(id);
      if (known === undefined) rows.delete(id);
      else rows.set(id, known);
    }
    for (const [id, write] of this.#written) if (write <= writes) this.#written.delete(id);
    this.#rows = rows;
    this.#isKnown = true;
    this.#on.read();
    return kept.size === 0;
  }
}

/** Throws a ProconsulError where it is none: that says nothing of its instances. */
function nodeIn({ text, json }: CatalogAnswer): Said {
  const node = objectIn(text === '' ? json : plainJson(text));
  if (textIn(node['Node']) !== '') return node;
  throw new ProconsulError('unavailable', 'the answer is no node');
}

function rowOf({ service, checks }: WantedInstance, ModifyIndex: unknown): RegisteredRow {
  const rows = checks.map((check: WantedCheck): [string, Said] => [check.CheckID, { ...check }]);
  return { service: { ...service, ModifyIndex }, checks: new Map(rows) };
}
