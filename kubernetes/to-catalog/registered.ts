/**
 * What the catalog has of the node, as it is watched: whoever else writes there is seen. What this program
 * writes itself is counted at once, and not only when the watch brings it.
 */
import { ProconsulError } from '../../lib/errors.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import { type CatalogAnswer, plainJson } from '../catalog.ts';
import { OWNER_META, SOURCE, SOURCE_META } from '../ours.ts';
import { Reading, type ReadingDeps } from '../reading.ts';
import { NAMESPACE_META, type WantedCheck, type WantedInstance } from './instances.ts';
import { wholeNode } from './node-parts.ts';

/**
 * Between two reads of the node, which is read whole: of ten thousand instances that takes a server and this most of
 * a second, and each write would have it read anew.
 */
const PACE_MS = 100;
const PACE_OF_ROW_MS = 1;
/** Whoever waits for its turn need not know at once: what it knows is where it begins. */
const WAITING_PACE = 2;

export interface RegisteredRow {
  /** With its ModifyIndex: nothing is written over what is newer than what is known. */
  readonly service: Said;
  readonly checks: ReadonlyMap<string, Said>;
}

export interface RegisteredEvents {
  /** The catalog was read. */
  readonly read: () => void;
  readonly lost: (why: string) => void;
}

export class Registered {
  readonly #reading: Reading;
  readonly #on: RegisteredEvents;
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
    this.#owner = owner;
    const catalog = wholeNode(deps.catalog, node);
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

  /** Of what was written since it was asked for more is known here. A node that is not there has nothing. */
  #take(found: Said | undefined, writes: number): boolean {
    const node = found ?? {};
    const checks = new Map<string, Map<string, Said>>();
    for (const check of objectsIn(node['Checks'])) {
      const id = textIn(check['ServiceID']);
      const of = checks.get(id) ?? new Map<string, Said>();
      checks.set(id, of.set(textIn(check['CheckID']), fieldsOf(check, CHECK_FIELDS)));
    }
    const rows = new Map<string, RegisteredRow>();
    for (const service of objectsIn(node['Services'])) {
      const id = textIn(service['ID']);
      rows.set(id, this.#kept(service, checks.get(id)));
    }
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

  /** What is compared, and not what a server adds; of what others wrote, whose it is: they may have written very much. */
  #kept(service: Said, checks: RegisteredRow['checks'] = NONE): RegisteredRow {
    const row = { service: fieldsOf(service, SERVICE_FIELDS), checks };
    const owner = ownerOf(row);
    if (owner === this.#owner || owner === '') return row;
    const Meta = fieldsOf(objectIn(service['Meta']), [OWNER_META, SOURCE_META, NAMESPACE_META]);
    return {
      service: { ...fieldsOf(service, ['ID', 'Service', 'ModifyIndex']), Meta },
      checks: NONE,
    };
  }
}

const NONE: RegisteredRow['checks'] = new Map();
const SERVICE_FIELDS = 'ID Service Address Port Tags Meta Weights ModifyIndex'.split(' ');
const CHECK_FIELDS = ['CheckID', 'Name', 'Status', 'Notes', 'Output'];

function fieldsOf(said: Said, fields: readonly string[]): Said {
  const there = fields.filter((field) => Object.hasOwn(said, field));
  return Object.fromEntries(there.map((field) => [field, said[field]]));
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

/** Whose a row is: ours, of a consul-k8s before us that is taken over, or somebody else's. */
export function ownerOf({ service }: RegisteredRow): string {
  const meta = objectIn(service['Meta']);
  const owner = textIn(meta[OWNER_META]);
  if (owner !== '') return owner;
  return meta[SOURCE_META] === SOURCE ? '' : 'nobody that marks it';
}
