/**
 * Processes of which others are to take the place: those have the sockets of these, and the agent that began all of them
 * hands them on. Until then the ones before take the calls, so that nobody is refused in between.
 */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../lib/clock.ts';
import type { Handle } from '../../lib/listening.ts';
import type { Said } from '../successor.ts';

/** For all that a new one has to learn before it can take calls. */
const READY_MS = 60_000;
/** For one that is asked for its sockets. */
const GIVING_MS = 5000;

interface Given {
  readonly at: string;
  readonly handle: Handle;
}

export class Succession {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #givers = new WeakMap<ChildProcess, Giver>();

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /**
   * Gives that one what it asks for, of all that are before it: the last of those may itself still wait for what the others
   * have. Resolves when it takes calls, has ended, or had its time.
   */
  of(child: ChildProcess, before: readonly ChildProcess[]): Promise<void> {
    return new Promise((resolve) => {
      const over = () => {
        cancel();
        child.off('message', heard);
        resolve();
      };
      const heard = ({ wants, isReady }: Said) => {
        if (wants === 'sockets') void this.#give(child, before);
        if (isReady === true) over();
      };
      const cancel = this.#clock.after(READY_MS, over);
      child.once('error', over);
      child.once('exit', over);
      child.on('message', heard);
    });
  }

  async #give(child: ChildProcess, before: readonly ChildProcess[]): Promise<void> {
    const open = new Set<Handle>();
    const close = (handle: Handle) => {
      open.delete(handle);
      handle.close();
    };
    // What it has not taken yet Node forgets with it, and says nothing.
    child.once('exit', () => [...open].forEach(close));
    for (const each of before) {
      for (const { at, handle } of await this.#giver(each).sockets()) {
        open.add(handle);
        // Its own copy is there by then, or is not wanted any more.
        tell(child, { at }, handle, () => close(handle));
      }
    }
    tell(child, { isLast: true });
  }

  #giver(child: ChildProcess): Giver {
    const known = this.#givers.get(child) ?? new Giver(child, this.#clock);
    this.#givers.set(child, known);
    return known;
  }
}

/** One that has sockets, for as long as it is there: what comes late would listen in this process, which takes nobody. */
class Giver {
  readonly #child: ChildProcess;
  readonly #clock: Pick<Clock, 'after'>;
  /** It is asked by one after the other: what comes says not for whom it is. */
  #turn: Promise<unknown> = Promise.resolve();
  #taken: Given[] | undefined;
  #over: () => void = () => undefined;
  /** So many answers are still to come to whom nobody waits any more. */
  #late = 0;

  constructor(child: ChildProcess, clock: Pick<Clock, 'after'>) {
    this.#child = child;
    this.#clock = clock;
    child.on('message', ({ at, isLast }: Said, handle: unknown) => {
      if (at !== undefined && handle !== undefined) this.#came({ at, handle: handle as Handle });
      if (isLast !== true) return;
      if (this.#late > 0) this.#late--;
      else this.#over();
    });
    child.once('disconnect', () => this.#over());
  }

  sockets(): Promise<readonly Given[]> {
    const turn = this.#turn.then(() => this.#asked());
    this.#turn = turn;
    return turn;
  }

  #came(given: Given): void {
    if (this.#taken === undefined) given.handle.close();
    else this.#taken.push(given);
  }

  #asked(): Promise<readonly Given[]> {
    const taken: Given[] = [];
    if (!this.#child.connected) return Promise.resolve(taken);
    this.#taken = taken;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#taken = undefined;
        this.#over = () => undefined;
        resolve(taken);
      };
      const cancel = this.#clock.after(GIVING_MS, () => {
        this.#late++;
        end();
      });
      this.#over = end;
      tell(this.#child, { wants: 'sockets' });
    });
  }
}

/** Whoever has gone meanwhile is told nothing. */
function tell(
  child: ChildProcess,
  said: Said,
  handle?: Handle,
  told: () => void = () => undefined,
): void {
  if (child.connected) child.send(said, handle as never, told);
  else told();
}
