/**
 * Lets so many look at a time, in order. Whoever takes long gives its place to the next, and holds one of
 * those that the slow have; where there is none it is put off. So thousands that hang hold up the quick for
 * seconds, and not for as long as they hang.
 */
import type { Clock } from '../../lib/clock.ts';
import { Slots } from '../../lib/slots.ts';

const MAX_QUICK = 512;
const MAX_SLOW = 512;
const QUICK_MS = 2000;

export class Lanes {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #quick = new Slots(MAX_QUICK);
  #slow = 0;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** `putOff` ends the work without what it was for. */
  run<T>(work: () => Promise<T>, putOff: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      void this.#quick.run(async () => {
        const done = work();
        done.then(resolve, reject);
        await this.#quickPartOf(done, putOff);
      });
    });
  }

  async #quickPartOf(done: Promise<unknown>, putOff: () => void): Promise<void> {
    let isOver = false;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(QUICK_MS, resolve);
      const end = () => {
        isOver = true;
        cancel();
        resolve();
      };
      done.then(end, end);
    });
    if (isOver) return;
    if (this.#slow >= MAX_SLOW) {
      putOff();
      return;
    }
    this.#slow++;
    const leave = () => {
      this.#slow--;
    };
    done.then(leave, leave);
  }
}
