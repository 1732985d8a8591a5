/** Resources that follow from what is known, and are made anew when that changes. */
import type { Account } from './accounts.ts';
import type { LeaveOut } from './omissions.ts';
import { resourceFault } from './refusable.ts';
import { MAX_NAME, type Resource } from './resource.ts';
import { type Know, type Sources, Worked } from './worked.ts';

/** Pure. What it makes while it is not told everything yet, nobody sees; undefined leaves what was there. */
export type Compute = (know: Know) => readonly Resource[] | undefined;

/** Whoever is told when it changes: one for each name of each stream, so each is small. */
export interface Told {
  changed(): void;
}

export class Derived {
  readonly #worked: Worked<readonly Resource[]>;
  readonly #listeners = new Set<Told>();
  #current: readonly Resource[] | undefined;

  /** Of those who need them, on whose accounts questions are followed. */
  constructor(compute: Compute, sources: Sources, accounts: () => Iterable<Account>) {
    const take = (made: readonly Resource[], omit: LeaveOut) => this.#take(made, omit);
    this.#worked = new Worked({ sources, accounts, compute, take });
  }

  /** Undefined until all is known that they follow from. What is the same is the same object as before. */
  get current(): readonly Resource[] | undefined {
    return this.#current;
  }

  get listening(): number {
    return this.#listeners.size;
  }

  /** Told when they have changed, or are known at last; never at once. */
  listen(listener: Told): void {
    this.#listeners.add(listener);
  }

  unlisten(listener: Told): void {
    this.#listeners.delete(listener);
  }

  /** To be called once, before anything else. Throws 'busy' where too much is asked. */
  start(): void {
    this.#worked.start();
  }

  /** Somebody needs them no more. */
  recount(): void {
    this.#worked.recount();
  }

  stop(): void {
    this.#worked.stop();
  }

  #take(made: readonly Resource[], omit: LeaveOut): void {
    const before = new Map(this.#current?.map((each) => [each.name, each]));
    const next = made.flatMap((each) => {
      const same = before.get(each.name);
      if (same?.version === each.version) return [same];
      const fault = nameFault(each) ?? resourceFault(each.kind, each.message);
      if (fault === undefined) return [each];
      // A client would refuse all that comes with it: what it was before stands.
      omit(`${each.kind} ${JSON.stringify(each.name)}`, fault);
      return same ?? [];
    });
    const isSame =
      this.#current !== undefined &&
      next.length === this.#current.length &&
      next.every((each, i) => each === this.#current?.[i]);
    if (isSame) return;
    this.#current = next;
    for (const listener of [...this.#listeners]) listener.changed();
  }
}

/** What a client would ask for next, and not be told: its stream would end for that, again and again. */
function nameFault({ name, uses }: Resource): string | undefined {
  const isLong = [name, ...uses].some((each) => each.length > MAX_NAME);
  return isLong ? `its name has more than ${MAX_NAME} characters` : undefined;
}
