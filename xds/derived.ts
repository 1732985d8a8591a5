/** Resources that follow from what is known, and are made anew when that changes. */
import type { Account } from './accounts.ts';
import type { LeaveOut } from './omissions.ts';
import { resourceFault } from './refusable.ts';
import { MAX_NAME, type Resource } from './resource.ts';
import { type Room, TAKES } from './room.ts';
import { type Know, type Sources, Worked } from './worked.ts';

/** Pure. What it makes while it is not told everything yet, nobody sees; undefined leaves what was there. */
export type Compute = (know: Know) => readonly Resource[] | undefined;

/** Whoever is told when it changes: one for each name of each stream, so each is small. */
export interface Told {
  changed(): void;
}

export interface DerivedOptions {
  readonly compute: Compute;
  readonly sources: Sources;
  /** Of those who need them, on whose accounts questions are followed. */
  readonly accounts: () => Iterable<Account>;
  readonly room: Pick<Room, 'take'>;
}

export class Derived {
  readonly #accounts: () => Iterable<Account>;
  readonly #room: Pick<Room, 'take'>;
  /** Of memory, on each of the accounts, and once for all of them. */
  #bytes = 0;
  #isOver = false;
  readonly #worked: Worked<readonly Resource[]>;
  readonly #listeners = new Set<Told>();
  #current: readonly Resource[] | undefined;

  constructor({ compute, sources, accounts, room }: DerivedOptions) {
    this.#accounts = accounts;
    this.#room = room;
    const take = (made: readonly Resource[], omit: LeaveOut) => this.#take(made, omit);
    this.#worked = new Worked({ sources, accounts, compute, take });
  }

  get bytes(): number {
    return this.#bytes;
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
    this.#takes(TAKES.made);
    this.#worked.start();
  }

  /** Somebody needs them no more. */
  recount(): void {
    this.#worked.recount();
  }

  stop(): void {
    this.#worked.stop();
    if (!this.#isOver) this.#room.take(-this.#bytes);
    this.#isOver = true;
  }

  #takes(bytes: number): void {
    const more = bytes - this.#bytes;
    if (more === 0) return;
    this.#bytes = bytes;
    this.#room.take(more);
    for (const account of this.#accounts()) account.share(more);
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
    this.#takes(next.reduce<number>((sum, { bytes }) => sum + bytes, TAKES.made));
    for (const listener of [...this.#listeners]) listener.changed();
  }
}

/** What a client would ask for next, and not be told: its stream would end for that, again and again. */
function nameFault({ name, uses }: Resource): string | undefined {
  const isLong = [name, ...uses].some((each) => each.length > MAX_NAME);
  return isLong ? `its name has more than ${MAX_NAME} characters` : undefined;
}
