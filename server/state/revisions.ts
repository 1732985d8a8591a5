/**
 * What keys said before, for those under the prefixes that an operator named: none, until somebody does.
 * What stands at a key is the newest of its revisions and shares its row. Those that no longer stand go,
 * the oldest of all keys first, where a key has too many, or all together are too large or too old.
 */
import { NS_PER_MS } from '../../lib/duration.ts';
import { compareKeys } from '../../lib/key-order.ts';
import type { Indexed, KeyValue } from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { RevisionSettings } from '../commands.ts';
import type { KeyValues } from './key-values.ts';
import { KEY_PREFIX, revisionsTopic } from './topic-names.ts';
import type { Topics } from './topics.ts';

export interface RevisionSettingsRow extends RevisionSettings, Indexed {}

export interface Revision {
  readonly key: string;
  /** Of the change that made it; of what stood there before revisions were kept, its ModifyIndex. */
  readonly index: number;
  /** When that was, by the log's clock; 0 where nobody took note. */
  readonly t: number;
  /** The accessor of the token that did it; '' where there was none, or nobody took note. */
  readonly by: string;
  /** Undefined where the key was deleted. */
  readonly row?: KeyValue;
}

/** The state that they are of. */
interface Around {
  readonly kv: KeyValues;
  readonly topics: Topics;
  readonly index: number;
  readonly t: number;
}

/** With when it no longer stood: those that stand do not say. */
export interface DumpedRevision extends Revision {
  readonly until?: number;
}

/** What one takes beside its key and value. */
const REVISION_BYTES = 200;

export class Revisions {
  /** The oldest first. */
  readonly #byKey = new Map<string, Revision[]>();
  /** Those that no longer stand, with since when: the first to come to that first. A deletion never stands. */
  readonly #past = new Map<Revision, number>();
  #pastBytes = 0;
  #settings: RevisionSettingsRow | undefined;

  /** Undefined until someone has set them. */
  get settings(): RevisionSettingsRow | undefined {
    return this.#settings;
  }

  /** Whether any key's are kept. */
  get isOn(): boolean {
    return this.#settings !== undefined && this.#settings.Prefixes.length > 0;
  }

  /** The oldest first. */
  of(key: string): readonly Revision[] {
    return this.#byKey.get(key) ?? [];
  }

  /** What was there at that index. */
  at(key: string, index: number): Revision | undefined {
    return this.#byKey.get(key)?.findLast((each) => each.index <= index);
  }

  /** What is under a prefix that is new is a revision from here on, of which little is known. */
  configure(state: Around, settings: RevisionSettingsRow): void {
    this.#settings = settings;
    const { kv, topics, t } = state;
    for (const key of [...this.#byKey.keys()]) if (!this.#covers(key)) this.#forget(key, topics);
    for (const prefix of settings.Prefixes) {
      for (const row of kv.under(prefix)) {
        if (this.#byKey.has(row.Key)) continue;
        this.#add({ key: row.Key, index: row.ModifyIndex, t: 0, by: '', row }, topics);
      }
    }
    for (const key of [...this.#byKey.keys()]) this.#trim(key, topics);
    this.#sink(t, topics);
  }

  /** Ends an entry that counts: which keys it has changed, the topics say. */
  commit(state: Around, by: string): void {
    const { pending } = state.topics;
    if (!this.isOn || pending.size === 0) return;
    const keys = [...pending].filter((topic) => topic.startsWith(KEY_PREFIX));
    this.#changed(
      state,
      keys.map((topic) => topic.slice(KEY_PREFIX.length)),
      by,
    );
  }

  /** Another state came in place of the one that these are of: what is otherwise in there has changed. */
  follow(state: Around): void {
    if (!this.isOn) return;
    const prefixes = this.#settings?.Prefixes ?? [];
    const now = prefixes.flatMap((prefix) => state.kv.under(prefix)).map(({ Key }) => Key);
    this.#changed(state, [...new Set([...this.#byKey.keys(), ...now])], '');
  }

  #changed({ kv, topics, index, t }: Around, keys: string[], by: string): void {
    for (const key of keys.sort(compareKeys)) {
      if (!this.#covers(key)) continue;
      const row = kv.get(key);
      const last = this.#byKey.get(key)?.at(-1);
      if (saysTheSame(last?.row, row)) continue;
      if (last?.row !== undefined) this.#pass(last, t);
      const revision = { key, index, t, by, ...(row && { row }) };
      this.#add(revision, topics);
      if (row === undefined) this.#pass(revision, t);
      this.#trim(key, topics);
    }
    this.#sink(t, topics);
  }

  #covers(key: string): boolean {
    return this.#settings?.Prefixes.some((prefix) => key.startsWith(prefix)) ?? false;
  }

  #add(revision: Revision, topics: Topics): void {
    const { key } = revision;
    const kept = this.#byKey.get(key);
    if (kept === undefined) this.#byKey.set(key, [revision]);
    else kept.push(revision);
    topics.touch(revisionsTopic(key));
  }

  /** It no longer stands. */
  #pass(revision: Revision, t: number): void {
    this.#past.set(revision, t);
    this.#pastBytes += sizeOf(revision);
  }

  /** Takes out the oldest of the key. */
  #drop(key: string, topics: Topics): void {
    const kept = this.#byKey.get(key) ?? [];
    const oldest = kept.shift();
    if (oldest !== undefined && this.#past.delete(oldest)) this.#pastBytes -= sizeOf(oldest);
    if (kept.length > 0) topics.touch(revisionsTopic(key));
    else {
      this.#byKey.delete(key);
      topics.bury(revisionsTopic(key));
    }
  }

  #forget(key: string, topics: Topics): void {
    while (this.#byKey.has(key)) this.#drop(key, topics);
  }

  #trim(key: string, topics: Topics): void {
    const { Count = 0 } = this.#settings ?? {};
    while (this.of(key).length > Count) this.#drop(key, topics);
  }

  #sink(now: number, topics: Topics): void {
    const { MaxAge = 0, MaxBytes = 0 } = this.#settings ?? {};
    for (const [{ key }, since] of this.#past) {
      const isOld = MaxAge > 0 && since + MaxAge / NS_PER_MS <= now;
      if (!isOld && this.#pastBytes <= MaxBytes) break;
      // Of one key the oldest is the first here too.
      this.#drop(key, topics);
    }
  }

  /** For the snapshot, in an order by which `load` makes the same of it. */
  *dump(): Iterable<DumpedRevision> {
    for (const [revision, until] of this.#past) yield withFields(revision, { until });
    for (const key of [...this.#byKey.keys()].sort(compareKeys)) {
      const last = this.#byKey.get(key)?.at(-1);
      if (last?.row !== undefined) yield last;
    }
  }

  load({ until, ...revision }: DumpedRevision): void {
    const kept = this.#byKey.get(revision.key);
    if (kept === undefined) this.#byKey.set(revision.key, [revision]);
    else kept.push(revision);
    if (until !== undefined) this.#pass(revision, until);
  }

  loadSettings(settings: RevisionSettingsRow): void {
    this.#settings = settings;
  }
}

/** Who holds a lock on a key says nothing of what it says. */
function saysTheSame(a: KeyValue | undefined, b: KeyValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.Value === b.Value && a.Flags === b.Flags;
}

function sizeOf({ key, row }: Revision): number {
  return REVISION_BYTES + key.length + (row?.Value?.length ?? 0);
}
