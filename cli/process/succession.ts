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
  /** Each is asked by one after the other: what comes says not for whom it is. */
  readonly #turns = new WeakMap<ChildProcess, Promise<readonly Given[]>>();

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
    for (const each of before) {
      for (const { at, handle } of await this.#socketsOf(each)) {
        // Its own copy is there by then, or is not wanted any more.
        tell(child, { at }, handle, () => handle.close());
      }
    }
    tell(child, { isLast: true });
  }

  #socketsOf(child: ChildProcess): Promise<readonly Given[]> {
    const turn = (this.#turns.get(child) ?? Promise.resolve()).then(() => this.#asked(child));
    this.#turns.set(child, turn);
    return turn;
  }

  #asked(child: ChildProcess): Promise<readonly Given[]> {
    const all: Given[] = [];
    if (!child.connected) return Promise.resolve(all);
    return new Promise((resolve) => {
      const over = () => {
        cancel();
        child.off('message', heard);
        child.off('disconnect', over);
        resolve(all);
      };
      const heard = ({ at, isLast }: Said, handle: unknown) => {
        if (at !== undefined && handle !== undefined) all.push({ at, handle: handle as Handle });
        if (isLast === true) over();
      };
      const cancel = this.#clock.after(GIVING_MS, over);
      child.on('message', heard);
      child.once('disconnect', over);
      tell(child, { wants: 'sockets' });
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
