/**
 * What became of the instances and checks of the catalog: a part of the state of which rows and answers
 * know nothing. An entry's changes are noted while it is applied, and written when it has come to
 * something, with its time. What is more than the limits say is forgotten.
 */
import {
  type Condition,
  DEFAULT_HISTORY,
  type HistoryLimits,
  type HistoryRow,
  MAX_STILL_MS,
  type PastRow,
} from '../../../lib/history.ts';
import type { Check, Instance, Node } from '../../../lib/model.ts';
import { Lookup } from '../table.ts';
import { fold, rowKey } from '../topic-names.ts';
import { type Change, Changes, conditionOf, NONE, type Track } from './changes.ts';
import { Gaps } from './gaps.ts';
import { type InOrder, type Noted, Notes, type Place } from './notes.ts';
import { Past, PastCheck } from './past.ts';
import { Frozen, unpack } from './past-rows.ts';
import { Texts } from './texts.ts';

/** Instances and nodes that are gone and still remembered. */
const MAX_GONE = 20_000;
/** Instances of one service: it takes no room from the others. */
const MAX_GONE_OF_SERVICE = 1000;
/** Checks that are gone, of an instance that is not. */
const MAX_GONE_CHECKS = 16;

/** What the history asks and tells the catalog. */
export interface OfCatalog {
  hasInstances(service: string): boolean;
  /** Less is known of it than before. */
  forgotten(past: Past): void;
}

export class History {
  readonly #catalog: OfCatalog;
  readonly gaps = new Gaps();
  limits: HistoryLimits = DEFAULT_HISTORY;
  /** Of one that comes from an archive: how far it goes. */
  until = 0;
  readonly #changes = new Changes();
  readonly #texts = new Texts();
  readonly #live = new Map<string, Past>();
  /** By key and service, in the order in which they went. */
  readonly #gone = new Map<string, Past>();
  readonly #goneOfService = new Lookup<Past>();
  readonly #goneOfNode = new Lookup<Past>();
  /** By service: until when it had instances that nobody remembers. */
  readonly forgotten = new Map<string, number>();
  readonly notes = new Notes();
  /** Who gives up an archive half-way says nothing: what nobody keeps is told nothing. */
  #moments: readonly WeakRef<Frozen>[] = [];

  constructor(catalog: OfCatalog) {
    this.#catalog = catalog;
    this.#changes.onChange = (track) => {
      for (const each of this.#moments) each.deref()?.note(track);
    };
  }

  /** How many changes are kept, and how long what was said of them is. */
  get size() {
    const tracks = this.#live.size + this.#gone.size;
    return { changes: this.#changes.size, characters: this.#texts.size, tracks };
  }

  get isEmpty(): boolean {
    return this.#live.size === 0 && this.#gone.size === 0;
  }

  changesOf({ first }: Track): Iterable<Change> {
    return this.#changes.from(first);
  }

  text(change: Change): string {
    return this.#texts.text(change.text);
  }

  /** The text, as it is kept here where it is. */
  said(text: string): string {
    return this.#texts.kept(text);
  }

  /** When the check of what is there came to what it says; undefined where nobody remembers. */
  checkChangedAt(node: string, id: string, check: string): number | undefined {
    const track = this.live(node, id)?.check(check);
    return track === undefined || track.last === NONE ? undefined : this.#changes.t(track.last);
  }

  /** With '' as the id the node itself. Undefined where nothing is known of what is there. */
  live(node: string, id: string): Past | undefined {
    return this.#live.get(rowKey(node, id));
  }

  goneOf(service: string): Iterable<Past> {
    return this.#goneOfService.rows(fold(service));
  }

  goneOn(node: string): Iterable<Past> {
    return this.#goneOfNode.rows(fold(node));
  }

  /** The node of that name, or the last one that had it. */
  nodeOf(name: string): Past | undefined {
    const key = rowKey(name, '');
    return this.#live.get(key) ?? this.#gone.get(goneKey(key, ''));
  }

  /** The log's time goes on. */
  passed(from: number, to: number): void {
    if (to - from > MAX_STILL_MS && !this.isEmpty) this.gaps.add(from, to);
  }

  /** What was noted has happened, to things that were `before` what nobody has seen. */
  commit(t: number, before: Condition = 'absent'): void {
    if (this.notes.isEmpty) return;
    const { places, checks } = this.notes.take();
    if (this.limits.perCheck === 0) return;
    const at = { t, before };
    // Most entries change one status, and nothing comes or goes.
    const went = places.length === 0 ? undefined : this.#movePlaces(places, at);
    for (const [, noted] of checks) this.#moveCheck(noted, at, went);
    if (went !== undefined) for (const [key, past] of went) this.#bury(key, past);
    this.#forgetOld(t);
  }

  setLimits(limits: HistoryLimits): void {
    this.limits = limits;
    if (limits.perCheck > 0) return;
    for (const [key, past] of [...this.#gone]) this.#forget(key, past);
    for (const [key, past] of this.#live) {
      this.#drop(past);
      this.#live.delete(key);
    }
    this.forgotten.clear();
    this.gaps.load(0, []);
  }

  /** As it is now, for as long as whoever asks keeps it, whatever is written meanwhile. */
  frozen(): Frozen {
    const frozen = new Frozen({
      changes: this.#changes.copy(),
      texts: this.#texts.copy(),
      pasts: [...this.#live.values(), ...this.#gone.values()],
      live: this.#live.size,
    });
    this.#moments = [...this.#moments.filter((each) => each.deref()), new WeakRef(frozen)];
    return frozen;
  }

  get row(): HistoryRow {
    const { since, all } = this.gaps;
    const { until } = this;
    return { since, gaps: all, forgotten: [...this.forgotten], ...(until > 0 && { until }) };
  }

  loadRow({ since, gaps, forgotten, until = 0 }: HistoryRow): void {
    this.until = until;
    this.gaps.load(since, gaps);
    for (const [service, until] of forgotten) this.forgotten.set(service, until);
  }

  /** Into a history that has nothing of it. One that is `gone` comes back with its row. */
  load(row: PastRow): void {
    const key = rowKey(row.node, row.id);
    const live = this.#live.get(key);
    if (live !== undefined && fold(live.service) === fold(row.service)) return;
    if (this.#gone.has(goneKey(key, row.service))) return;
    const past = new Past(row);
    past.since = row.since ?? 0;
    const into = { changes: this.#changes, texts: this.#texts };
    unpack(into, past, row.life, row.texts);
    for (const [id, changes] of row.checks) {
      const check = new PastCheck(id);
      past.add(check);
      unpack(into, check, changes, row.texts);
    }
    if (row.gone === true) this.#bury(key, past);
    else this.#live.set(key, past);
  }

  /** What is there is seen for the first time. */
  begin({ nodes, instances, checks }: Rows, t: number): void {
    for (const { Node } of nodes.values()) this.notes.place(rowKey(Node, ''), undefined, { Node });
    for (const row of instances.values()) {
      this.notes.place(rowKey(row.Node, row.ID), undefined, row);
    }
    for (const row of checks.values()) {
      this.notes.check(rowKey(row.Node, row.CheckID), undefined, row);
    }
    this.gaps.load(t, []);
    this.commit(t, 'unknown');
  }

  /** It is that of a state which counts from now on. */
  taken(t: number): void {
    const { until } = this;
    if (until === 0) this.gaps.load(t, []);
    else this.gaps.add(until, t);
    this.until = 0;
    // Whose row has not come with the archive is not there.
    for (const past of this.#gone.values()) this.#append(past, { t, before: 'unknown' }, 'absent');
  }

  #movePlaces(places: InOrder<Place>, at: At): Went {
    const went = new Map<string, Past>();
    for (const [key, { after }] of places) this.#movePlace(key, after, at, went);
    return went;
  }

  #movePlace(key: string, after: Place | undefined, at: At, went: Map<string, Past>): void {
    const old = this.#live.get(key);
    const stays =
      old !== undefined && after !== undefined && fold(old.service) === serviceOf(after);
    if (stays) return;
    if (old !== undefined) {
      this.#live.delete(key);
      went.set(key, old);
      this.#append(old, at, 'absent');
    }
    if (after === undefined) return;
    const past = this.#begin(key, after);
    this.#append(past, at, 'registered');
    // The name of its service alone has changed: its checks are as they were.
    for (const check of old?.checks ?? []) this.#carry(check, past, at);
  }

  #carry(check: PastCheck, past: Past, at: At): void {
    const { to, text } = this.#changes.at(check.last);
    if (to === 'absent') return;
    this.#append(this.#checkOf(past, check.id), at, to, this.#texts.text(text));
    this.#append(check, at, 'absent');
  }

  #begin(key: string, { Node: node, ID = '', Service = '' }: Place): Past {
    const back = this.#gone.size === 0 ? '' : goneKey(key, Service);
    const known = this.#gone.get(back);
    const past = known ?? new Past({ node, id: ID, service: Service });
    if (known !== undefined) this.#takeOut(back, known);
    this.#live.set(key, past);
    return past;
  }

  #moveCheck({ before, after }: Noted<Check>, at: At, went: Went | undefined): void {
    if (before !== undefined && (after === undefined || isMoved(before, after))) {
      const key = ownerKey(before);
      const live = this.#live.get(key);
      const owner = went?.get(key) ?? live;
      const check = owner?.check(before.CheckID);
      if (check !== undefined) this.#append(check, at, 'absent');
      if (owner !== undefined && owner === live) this.#boundGoneChecks(owner);
    }
    if (after === undefined) return;
    // An archive may hold the check of an instance that it does not hold.
    const owner = this.#live.get(ownerKey(after));
    if (owner === undefined) return;
    this.#append(this.#checkOf(owner, after.CheckID), at, conditionOf(after.Status), after.Output);
  }

  #append(track: Track, { t, before }: At, to: Condition, output = ''): void {
    const last = track.last === NONE ? undefined : this.#changes.to(track.last);
    if (last === to) return;
    const change = { t, from: last ?? before, to, text: this.#texts.use(output) };
    this.#changes.append(track, change);
    this.#trim(track, t);
  }

  /**
   * The newest stays in any case, and of those that are too old the one that says what was then. Where
   * there is no room in all, first what is gone makes some, and then whoever takes it.
   */
  #trim(track: Track, t: number): void {
    const { perCheck, inAll, ageMs } = this.limits;
    const changes = this.#changes;
    for (const gone of this.#gone) {
      if (changes.size <= inAll) break;
      this.#forget(...gone);
    }
    if (changes.size > inAll && track.count > 1) this.#dropFirst(track);
    while (track.count > 1) {
      const isOld = changes.t(changes.next(track.first)) <= t - ageMs;
      if (track.count <= perCheck && !isOld) return;
      this.#dropFirst(track);
    }
  }

  #dropFirst(track: Track): void {
    this.#texts.drop(this.#changes.dropFirst(track));
  }

  #checkOf(past: Past, id: string): PastCheck {
    const known = past.check(id);
    if (known !== undefined) return known;
    this.#noteChecks(past);
    const check = new PastCheck(id);
    past.add(check);
    return check;
  }

  #noteChecks(past: Past): void {
    for (const each of this.#moments) each.deref()?.noteChecks(past);
  }

  #boundGoneChecks(past: Past): void {
    const gone = past.checks.filter(({ last }) => this.#changes.at(last).to === 'absent');
    if (gone.length <= MAX_GONE_CHECKS) return;
    const at = ({ last }: PastCheck) => this.#changes.t(last);
    const oldest = gone.reduce((a, b) => (at(b) < at(a) ? b : a));
    this.#noteChecks(past);
    past.since = at(oldest);
    this.#dropTrack(oldest);
    past.remove(oldest);
  }

  #bury(key: string, past: Past): void {
    const name = goneKey(key, past.service);
    this.#gone.set(name, past);
    this.#goneOfNode.set(fold(past.node), name, past);
    if (past.id === '') return;
    const service = fold(past.service);
    this.#goneOfService.set(service, name, past);
    if (this.#goneOfService.count(service) <= MAX_GONE_OF_SERVICE) return;
    const oldest = this.#goneOfService.first(service);
    if (oldest !== undefined) this.#forget(...oldest);
  }

  #takeOut(name: string, past: Past): void {
    this.#gone.delete(name);
    this.#goneOfNode.delete(fold(past.node), name);
    this.#goneOfService.delete(fold(past.service), name);
  }

  #forgetOld(t: number): void {
    for (const [name, past] of this.#gone) {
      const isOld = this.#changes.t(past.last) < t - this.limits.ageMs;
      if (!isOld && this.#gone.size <= MAX_GONE) return;
      this.#forget(name, past);
    }
  }

  #forget(name: string, past: Past): void {
    const service = fold(past.service);
    const until = this.#changes.t(past.last);
    this.#takeOut(name, past);
    this.#drop(past);
    const isKnown = this.#goneOfService.has(service) || this.#catalog.hasInstances(service);
    if (!isKnown) this.forgotten.delete(service);
    else if (past.id !== '') this.forgotten.set(service, until);
    this.#catalog.forgotten(past);
  }

  #drop(past: Past): void {
    this.#dropTrack(past);
    for (const check of past.checks) this.#dropTrack(check);
  }

  #dropTrack(track: Track): void {
    while (track.count > 0) this.#dropFirst(track);
  }
}

/** Its tables. */
interface Rows {
  readonly nodes: { values(): Iterable<Node> };
  readonly instances: { values(): Iterable<Instance> };
  readonly checks: { values(): Iterable<Check> };
}

interface At {
  readonly t: number;
  /** What it was before the first that is known of it. */
  readonly before: Condition;
}

/** By key: those that are there no more. */
type Went = ReadonlyMap<string, Past>;

function ownerKey({ Node: node, ServiceID }: Check): string {
  return rowKey(node, ServiceID);
}

function isMoved(before: Check, after: Check): boolean {
  if (before.Node === after.Node && before.ServiceID === after.ServiceID) return false;
  return ownerKey(before) !== ownerKey(after);
}

function serviceOf({ Service = '' }: Place): string {
  return fold(Service);
}

function goneKey(key: string, service: string): string {
  return `${key}\0${fold(service)}`;
}
