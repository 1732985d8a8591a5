/** In the form that tells what has changed. */
import { isWhole, versionOfTold } from '../resource.ts';
import type { Shown } from './order.ts';
import { EVERYTHING, Subscription } from './subscription.ts';

export interface DeltaRequest {
  readonly resource_names_subscribe: readonly string[];
  readonly resource_names_unsubscribe: readonly string[];
  /** What it has of another stream, by name. */
  readonly initial_resource_versions: Readonly<Record<string, string>>;
}

export class DeltaSubscription extends Subscription<DeltaRequest> {
  /** By name asked for, and to be answered though it is as it was, or is not there. */
  readonly #owed = new Set<string>();
  protected readonly form = 'delta';
  #isFirst = true;
  #isOwed = false;

  *take(request: DeltaRequest): Iterator<void> {
    const { resource_names_subscribe: more, resource_names_unsubscribe: less } = request;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    for (const name of less) {
      const isWanted = this.names.has(name);
      this.drop(name);
      this.forget([name]);
      this.#owed.delete(name);
      if (isWanted) yield;
    }
    // Who names nothing at first wants all.
    const wanted = isFirst && more.length === 0 && isWhole(this.kind) ? [EVERYTHING] : more;
    if (isFirst) {
      const names = new Set(wanted);
      const isWanted = (name: string) => names.has(EVERYTHING) || names.has(name);
      this.comesWith(request.initial_resource_versions, isWanted);
    }
    for (const name of wanted) {
      this.add(name);
      if (name === EVERYTHING) this.#isOwed = true;
      else this.#asked(name, isFirst);
      yield;
    }
  }

  #asked(name: string, isFirst: boolean): void {
    if (!isFirst) this.forget([name]);
    if (!this.told.has(name)) this.#owed.add(name);
  }

  next(): Buffer | undefined {
    const shown = this.shown();
    const changed = [...shown.all.values()].filter((each) => !this.has(each));
    const removed = this.#removed(shown);
    const isOwed = this.#isOwed && !this.isPending;
    if (changed.length + removed.length === 0 && !isOwed) return undefined;
    this.telling(changed);
    this.tells(changed, false);
    this.forget(removed);
    for (const { name } of changed) this.#owed.delete(name);
    for (const name of removed) this.#owed.delete(name);
    if (isOwed) this.#isOwed = false;
    return this.dealings.wire.delta(changed, {
      system_version_info: versionOfTold(changed),
      type_url: this.typeUrl,
      nonce: this.nextNonce(),
      removed_resources: removed,
    });
  }

  /** What it has, or has asked for, and is known not to be there. */
  #removed({ all, held, looked }: Shown): string[] {
    const everything = this.names.get(EVERYTHING);
    if (everything !== undefined && everything.current === undefined) return [];
    const isGone = (name: string) => {
      if (all.has(name) || held.has(name)) return false;
      const named = this.names.get(name);
      return named === undefined ? everything !== undefined : named.current !== undefined;
    };
    const wanted = looked ?? new Set([...this.told.keys(), ...this.#owed]);
    return [...wanted].filter((name) => this.told.has(name) || this.#owed.has(name)).filter(isGone);
  }
}
