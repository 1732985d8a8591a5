/** What one stream wants of one kind, and what it was told. */
import { ProconsulError } from '../../lib/errors.ts';
import type { Account } from '../accounts.ts';
import { type Form, isWhole, type Kind, MAX_NAME, type Resource, TYPE_URLS } from '../resource.ts';
import type { Subscribed } from '../world.ts';
import { type Has, type Holding, type Order, type Shown, versionIn } from './order.ts';
import type { Wire } from './wire.ts';

/** By this name all that there is of a kind is asked for. */
export const EVERYTHING = '*';
/** Of one kind, by one stream. */
const MAX_NAMES = 10_000;
/** Those of this program are shorter; a longer one is another's. */
const MAX_VERSION = 64;

export interface Dealings {
  readonly kind: Kind;
  readonly wire: Wire;
  /** Throws 'busy' where too much is asked. */
  readonly subscribe: (name: string) => Subscribed;
  /** Of all answers on its stream. */
  readonly nextNonce: () => number;
  /** Of those who have its address. */
  readonly account: () => Pick<Account, 'subscribe' | 'unasked' | 'unsubscribe'>;
  readonly order: Pick<Order, 'shown' | 'heldOf'>;
  /** A client drops these with what it is told now. */
  readonly onDropped: (names: readonly string[]) => void;
}

export abstract class Subscription<Request> implements Holding {
  readonly kind: Kind;
  readonly #dealings: Dealings;
  readonly #names = new Map<string, Subscribed>();
  #told = new Map<string, Has>();
  /** Of what was told last, and of what the client has said that it takes it. */
  #lastNonce = 0;
  #takenNonce = 0;
  /** Of which something has changed since it was looked at; undefined where all are to be looked at. */
  #changed: Set<string> | undefined;

  constructor(dealings: Dealings) {
    this.#dealings = dealings;
    this.kind = dealings.kind;
  }

  /** A step for each name that is new. Throws a ProconsulError where more is asked than may be. */
  abstract take(request: Request): Iterator<void>;

  /** An answer, where there is something to tell; it counts as told then. */
  abstract next(): Buffer | undefined;

  /** How it tells. */
  protected abstract readonly form: Form;

  /** Has all that may be told next written down that never was: a step for each. */
  *written(): Generator<void> {
    for (const name of this.#changed ?? this.#names.keys()) {
      for (const each of this.#names.get(name)?.current ?? []) {
        const isTold = versionIn(this.#told.get(each.name)) === each.version;
        if (isTold || each.isEncoded(this.form)) continue;
        each.encoded(this.form, this.#dealings.wire.encode);
        yield;
      }
    }
  }

  /** They are to be told anew, as if they never had been. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      this.#letGo(name);
      this.#look(name);
    }
  }

  /** What it wants by that name is another, or known by now. */
  changed(name: string): void {
    this.#look(name);
  }

  /** The client takes what it was told by then. */
  taken(nonce: number): void {
    if (nonce <= this.#lastNonce) this.#takenNonce = Math.max(this.#takenNonce, nonce);
  }

  /** Names, and what was told of them: so much is looked at for what is next. */
  get weight(): number {
    return this.#changed?.size ?? this.#names.size + this.#told.size;
  }

  get told(): ReadonlyMap<string, Has> {
    return this.#told;
  }

  get wantsAll(): boolean {
    return this.#names.has(EVERYTHING);
  }

  get all(): readonly Resource[] {
    return this.#names.get(EVERYTHING)?.current ?? [];
  }

  get isTaken(): boolean {
    return this.#takenNonce === this.#lastNonce;
  }

  /** The same names, of what may be seen by now: a step for each, which needs no more room than it had. */
  *again(): Generator<void> {
    this.#changed = undefined;
    for (const [name, before] of this.#names) {
      this.#dealings.account().unasked(() => {
        before.cancel();
        this.#names.set(name, this.#dealings.subscribe(name));
      });
      yield;
    }
  }

  /** Lets go of all that it has: a step for each. Nothing else is to be done with it from then on. */
  *end(): Generator<void> {
    for (const [name, each] of this.#names) {
      this.#names.delete(name);
      each.cancel();
      yield;
    }
    for (const name of this.#told.keys()) {
      this.#letGo(name);
      yield;
    }
  }

  protected get dealings(): Dealings {
    return this.#dealings;
  }

  protected get typeUrl(): string {
    return TYPE_URLS[this.kind];
  }

  protected get names(): ReadonlyMap<string, Subscribed> {
    return this.#names;
  }

  protected add(name: string): void {
    if (this.#names.has(name)) return;
    if (this.#names.size >= MAX_NAMES)
      throw tooMany(`more than ${MAX_NAMES} names of ${this.kind}`);
    if (name.length > MAX_NAME) throw tooMany(`a name of more than ${MAX_NAME} characters`);
    this.#names.set(name, this.#dealings.subscribe(name));
    this.#look(name);
  }

  protected drop(name: string): void {
    this.#names.get(name)?.cancel();
    this.#names.delete(name);
    this.#look(name);
  }

  /** Only at what is wanted, or told: whoever reads nothing may name without end what he wants no more. */
  #look(name: string): void {
    if (this.#names.has(name) || this.#told.has(name)) this.#changed?.add(name);
    else this.#changed?.delete(name);
  }

  /** All that is known of what is wanted, each once, as far as it may be told, and has changed. */
  protected shown(): Shown {
    const { order } = this.#dealings;
    const changed = this.#changed;
    if (changed !== undefined) for (const name of order.heldOf(this.kind)) changed.add(name);
    const isByName = !isWhole(this.kind) && !this.wantsAll;
    this.#changed = isByName ? new Set() : undefined;
    const all = new Map<string, Resource>();
    for (const name of changed ?? this.#names.keys()) {
      for (const each of this.#names.get(name)?.current ?? []) all.set(each.name, each);
    }
    return order.shown(this.kind, all, changed);
  }

  /**
   * What other streams have told it, of what it wants: it says so of as much as it likes, and all of it counts as what it
   * names does. Throws 'busy' where that is too much.
   */
  protected comesWith(
    versions: Readonly<Record<string, string>>,
    isWanted: (name: string) => boolean,
  ) {
    const all = Object.entries(versions).filter(([name]) => isWanted(name));
    if (all.length > MAX_NAMES) throw tooMany(`more than ${MAX_NAMES} versions of ${this.kind}`);
    for (const [name, version] of all) {
      if (name.length > MAX_NAME) throw tooMany(`a name of more than ${MAX_NAME} characters`);
      this.#dealings.account().subscribe(name);
      this.#told.set(name, version.length > MAX_VERSION ? '' : version);
    }
  }

  #letGo(name: string): void {
    this.#countNoMore(name);
    this.#told.delete(name);
  }

  /** What it came with. */
  #countNoMore(name: string): void {
    if (typeof this.#told.get(name) === 'string') this.#dealings.account().unsubscribe(name);
  }

  /** Whether the client has it as it is. */
  protected has(each: Resource): boolean {
    const has = this.#told.get(each.name);
    if (versionIn(has) !== each.version) return false;
    if (typeof has === 'string') this.tells([each], false);
    return true;
  }

  /** `isAll`: it has nothing else from now on. */
  protected tells(told: readonly Resource[], isAll: boolean): void {
    if (isAll) this.#told = new Map();
    for (const each of told) {
      // To take it out first would have the map made anew again and again.
      if (!isAll) this.#countNoMore(each.name);
      this.#told.set(each.name, each);
    }
  }

  protected nextNonce(): string {
    this.#lastNonce = this.#dealings.nextNonce();
    return String(this.#lastNonce);
  }

  protected get isPending(): boolean {
    for (const { current } of this.#names.values()) if (current === undefined) return true;
    return false;
  }

  /** What clients drop with those that they had and are told anew: to be called before it counts as told. */
  protected telling(changed: readonly Resource[]): void {
    if (!isWhole(this.kind)) return;
    const dropped = changed.filter(({ name }) => this.#told.has(name)).flatMap(({ uses }) => uses);
    if (dropped.length > 0) this.#dealings.onDropped(dropped);
  }
}

function tooMany(what: string): ProconsulError {
  return new ProconsulError('busy', `${what} on one stream`);
}
