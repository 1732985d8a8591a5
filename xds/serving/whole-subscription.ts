/** In the form that tells the state of the world. */
import { isWhole, type Resource, versionOfTold } from '../resource.ts';
import { EVERYTHING, Subscription } from './subscription.ts';

export interface WholeRequest {
  readonly resource_names: readonly string[];
  readonly response_nonce: string;
}

export class WholeSubscription extends Subscription<WholeRequest> {
  protected readonly form = 'whole';
  #nonce = '';
  #isTold = false;
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
      if (!isWhole(this.kind)) this.forget([name]);
      yield;
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
    this.telling(told.filter((each) => !this.has(each)));
    this.tells(told, isWhole(this.kind));
    this.#isTold = true;
    this.#isOwed = false;
    this.#nonce = this.nextNonce();
    return this.dealings.wire.whole(told, {
      version_info: versionOfTold(told),
      type_url: this.typeUrl,
      nonce: this.#nonce,
    });
  }

  /** What is missing in it, a client takes away: so nothing is told before all is known. */
  #world(): readonly Resource[] | undefined {
    if (this.isPending || this.names.size === 0) return undefined;
    const { all: shown, held } = this.shown();
    // With less at first than there is, it would begin its work.
    if (!this.#isTold && held.size > 0) return undefined;
    const all = [...shown.values()];
    const isSame =
      !this.#isOwed && this.told.size === all.length && all.every((each) => this.has(each));
    return isSame ? undefined : all;
  }

  #changed(): readonly Resource[] | undefined {
    const changed = [...this.shown().all.values()].filter((each) => !this.has(each));
    return changed.length > 0 ? changed : undefined;
  }
}
