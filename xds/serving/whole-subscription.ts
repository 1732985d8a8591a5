/** In the form that tells the state of the world. */
import { isWhole, type Resource, versionOfAll } from '../resource.ts';
import { EVERYTHING, Subscription } from './subscription.ts';

export interface WholeRequest {
  readonly resource_names: readonly string[];
  readonly response_nonce: string;
}

export class WholeSubscription extends Subscription<WholeRequest> {
  #nonce = '';
  #told: Map<string, string> | undefined;
  /** It asks for something else than before: that is answered, though nothing has changed. */
  #isOwed = true;
  #hasNamed = false;

  *take({ resource_names: names, response_nonce: nonce }: WholeRequest): Iterator<void> {
    // It was sent before the last answer had come: another one follows.
    if (nonce !== '' && this.#nonce !== '' && nonce !== this.#nonce) return;
    const wanted = new Set(names);
    // Who has never named anything wants all.
    if (wanted.size === 0 && isWhole(this.kind) && !this.#hasNamed) wanted.add(EVERYTHING);
    else this.#hasNamed = true;
    for (const name of this.names.keys()) {
      if (wanted.has(name)) continue;
      this.drop(name);
      if (!isWhole(this.kind)) this.#told?.delete(name);
    }
    for (const name of wanted) {
      if (this.names.has(name)) continue;
      this.add(name);
      this.#isOwed = true;
      yield;
    }
  }

  next(): Buffer | undefined {
    const told = isWhole(this.kind) ? this.#world() : this.#changed();
    if (told === undefined) return undefined;
    const had = this.#told ?? new Map<string, string>();
    this.telling(
      told.filter(({ name, version }) => had.get(name) !== version),
      (name) => had.has(name),
    );
    const kept = isWhole(this.kind) ? [] : [...had];
    this.#told = new Map([...kept, ...told.map(({ name, version }) => [name, version] as const)]);
    this.#isOwed = false;
    this.#nonce = this.dealings.nextNonce();
    return this.dealings.wire.whole(told, {
      version_info: versionOfAll(told),
      type_url: this.typeUrl,
      nonce: this.#nonce,
    });
  }

  forget(names: readonly string[]): void {
    for (const name of names) this.#told?.delete(name);
  }

  /** What is missing in it, a client takes away: so nothing is told before all is known. */
  #world(): readonly Resource[] | undefined {
    if (this.isPending || this.names.size === 0) return undefined;
    const all = [...this.known().values()];
    const told = this.#told;
    const isSame =
      !this.#isOwed &&
      told?.size === all.length &&
      all.every(({ name, version }) => told.get(name) === version);
    return isSame ? undefined : all;
  }

  #changed(): readonly Resource[] | undefined {
    const all = [...this.known().values()];
    const changed = all.filter(({ name, version }) => this.#told?.get(name) !== version);
    return changed.length > 0 ? changed : undefined;
  }
}
