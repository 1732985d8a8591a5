/**
 * The instances of Eureka's clients, whole, by app and id; and what of all instances has changed in the
 * last minutes, whoever registered them: Eureka's clients ask for that, of any server.
 */
import { encodeJson } from '../../lib/json.ts';
import type { Check, Instance, Node } from '../../lib/model.ts';
import { type EurekaRow, eurekaKey } from '../eureka-commands.ts';
import { type Journal, Lookup, Table } from './table.ts';
import { EUREKA, fold, rowKey } from './topic-names.ts';
import type { Topics } from './topics.ts';

/** As long as a real Eureka remembers a change. */
export const EUREKA_RECENT_MS = 180_000;
/** Of each such span of time its last entry is known. */
const MARK_MS = 5000;
/** Of what has gone within that time; of more it is known only that there was more. */
const MAX_GONE = 20_000;
/** And of so much text: whoever registers what is large and takes it out again would fill each server's memory. */
const MAX_GONE_CHARS = 16 * 1024 * 1024;

/** Something that is not there any more to say by its index when it changed. */
export interface EurekaGone {
  readonly index: number;
  readonly t: number;
  /** An instance of one of Eureka's clients, as it was. */
  readonly row?: EurekaRow;
  /** Any other. */
  readonly instance?: Instance;
  /** A check has gone: how its instance stands may have changed; the node's own count for all on it. */
  readonly check?: { readonly node: string; readonly serviceId: string };
}

export interface EurekaMark {
  readonly index: number;
  readonly t: number;
}

/** The names that clients look an instance up by, of which it may have several. */
export type VipKind = 'vipAddress' | 'secureVipAddress';

/** What the current entry has changed so far. */
interface Notes {
  /** Taken out. */
  left: Instance[];
  /** Theirs have changed. */
  checked: Check[];
  /** An agent has come to what was nobody's. */
  taken: Node[];
}

export class EurekaInstances {
  readonly rows: Table<EurekaRow>;
  /** By where they stand in the catalog. */
  readonly #byPlace = new Map<string, EurekaRow>();
  /** Whatever their application. */
  readonly #byId = new Lookup<EurekaRow>();
  /** By what stands before the first colon of its id. */
  readonly #byHost = new Lookup<EurekaRow>();
  readonly #byVip = {
    vipAddress: new Lookup<EurekaRow>(),
    secureVipAddress: new Lookup<EurekaRow>(),
  };
  #gone: Kept[] = [];
  #goneChars = 0;
  #marks: EurekaMark[] = [];
  /** Up to here something may have gone that is not remembered. */
  #forgottenAt = 0;
  #notes: Notes | undefined;

  constructor(journal: Journal, topics: Topics) {
    this.rows = new Table(journal, (before, after) => {
      if (before !== undefined) this.#drop(before);
      if (after !== undefined) this.#add(after);
      topics.touch(EUREKA);
    });
    journal.onEnd(() => this.takeNotes());
  }

  #drop(row: EurekaRow): void {
    this.#byPlace.delete(rowKey(row.Node, row.ServiceID));
    this.#byId.delete(row.Id, row.Info.app);
    this.#byHost.delete(hostIn(row.Id), keyOf(row));
    for (const kind of VIP_KINDS) {
      for (const vip of vipsOf(row, kind)) this.#byVip[kind].delete(vip, keyOf(row));
    }
  }

  #add(row: EurekaRow): void {
    this.#byPlace.set(rowKey(row.Node, row.ServiceID), row);
    this.#byId.set(row.Id, row.Info.app, row);
    this.#byHost.set(hostIn(row.Id), keyOf(row), row);
    for (const kind of VIP_KINDS) {
      for (const vip of vipsOf(row, kind)) this.#byVip[kind].set(vip, keyOf(row), row);
    }
  }

  get(app: string, id: string): EurekaRow | undefined {
    return this.rows.get(eurekaKey({ app, id }));
  }

  /** The one that stands there in the catalog. */
  at(node: string, serviceId: string): EurekaRow | undefined {
    return this.#byPlace.size === 0 ? undefined : this.#byPlace.get(rowKey(node, serviceId));
  }

  withId(id: string): Iterable<EurekaRow> {
    return this.#byId.rows(id);
  }

  /** Whether the id of one may be that node's name, a colon, and more. */
  mayName(node: string): boolean {
    return this.#byHost.has(hostIn(node));
  }

  withVip(kind: VipKind, vip: string): Iterable<EurekaRow> {
    return this.#byVip[kind].rows(vip);
  }

  /** The catalog tells of each change; of one that is taken back too. */
  instanceChanged(before: Instance | undefined, after: Instance | undefined): void {
    const isAnother = fold(before?.Service ?? '') !== fold(after?.Service ?? '');
    if (before !== undefined && isAnother) this.#noted().left.push(before);
  }

  nodeChanged(before: Node | undefined, after: Node | undefined): void {
    if (before?.ID === '' && after !== undefined && after.ID !== '') {
      this.#noted().taken.push(after);
    }
  }

  checkChanged(before: Check | undefined, after: Check | undefined): void {
    const check = after ?? before;
    if (check !== undefined && before?.Status !== after?.Status) this.#noted().checked.push(check);
  }

  /** They are forgotten with that; undefined where there are none, as for most entries. */
  takeNotes(): Readonly<Notes> | undefined {
    const notes = this.#notes;
    this.#notes = undefined;
    return notes;
  }

  #noted(): Notes {
    this.#notes ??= { left: [], checked: [], taken: [] };
    return this.#notes;
  }

  /** What is too old goes. */
  remember(gone: EurekaGone): void {
    const since = gone.t - EUREKA_RECENT_MS - MARK_MS;
    if ((this.#gone[0]?.gone.t ?? since) < since) {
      this.#keep(this.#gone.filter((each) => each.gone.t >= since));
    }
    this.loadGone(gone);
    const isTooMuch = this.#gone.length > 2 * MAX_GONE || this.#goneChars > 2 * MAX_GONE_CHARS;
    if (isTooMuch) this.#forgetOldest();
  }

  /** An entry was applied. One mark that is too old stays: it says where the oldest change is. */
  passed({ index, t }: EurekaMark): void {
    const marks = this.#marks;
    const span = (time: number) => Math.floor(time / MARK_MS);
    const last = marks.at(-1);
    if (last !== undefined && span(last.t) === span(t)) marks.pop();
    marks.push({ index, t });
    while (marks.length > 1 && (marks[1]?.t ?? t) <= t - EUREKA_RECENT_MS) marks.shift();
  }

  /** The index that all changes since then are beyond; about: a little more may be beyond it. */
  indexAt(t: number): number {
    return this.#marks.findLast((mark) => mark.t <= t)?.index ?? 0;
  }

  /** What has gone beyond that index, the oldest first; undefined where not all of it is remembered. */
  goneSince(index: number): readonly EurekaGone[] | undefined {
    if (this.#forgottenAt > index) return undefined;
    return this.gone.filter((each) => each.index > index);
  }

  #forgetOldest(): void {
    let from = this.#gone.length;
    for (let chars = 0; from > 0 && this.#gone.length - from < MAX_GONE; from--) {
      chars += this.#gone[from - 1]?.chars ?? 0;
      if (chars > MAX_GONE_CHARS) break;
    }
    this.#forgottenAt = this.#gone[from - 1]?.gone.index ?? this.#forgottenAt;
    this.#keep(this.#gone.slice(from));
  }

  #keep(gone: Kept[]): void {
    this.#gone = gone;
    this.#goneChars = gone.reduce((sum, { chars }) => sum + chars, 0);
  }

  /** For the snapshot. */
  get recent(): EurekaRecent {
    return { marks: this.#marks, forgottenAt: this.#forgottenAt };
  }

  get gone(): readonly EurekaGone[] {
    return this.#gone.map(({ gone }) => gone);
  }

  /** Another catalog is there: nobody can say what of it is new. */
  forgetRecent(index: number): void {
    this.#marks = [];
    this.#keep([]);
    this.#forgottenAt = index;
  }

  loadRecent({ marks, forgottenAt }: EurekaRecent): void {
    this.#marks = [...marks];
    this.#forgottenAt = forgottenAt;
  }

  loadGone(gone: EurekaGone): void {
    const chars = encodeJson(gone).length;
    this.#gone.push({ gone, chars });
    this.#goneChars += chars;
  }
}

const VIP_KINDS: readonly VipKind[] = ['vipAddress', 'secureVipAddress'];

function vipsOf({ Info }: EurekaRow, kind: VipKind): readonly string[] {
  return Info[kind]?.split(',') ?? [];
}

function hostIn(text: string): string {
  const end = text.indexOf(':');
  return end < 0 ? text : text.slice(0, end);
}

function keyOf({ Info: { app }, Id: id }: EurekaRow): string {
  return eurekaKey({ app, id });
}

interface Kept {
  readonly gone: EurekaGone;
  /** About as much as a delta would tell of it. */
  readonly chars: number;
}

export interface EurekaRecent {
  readonly marks: readonly EurekaMark[];
  /** Up to which index something may have gone that is not remembered. */
  readonly forgottenAt: number;
}
