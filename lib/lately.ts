/**
 * What was made of something, for as long as turns of the loop follow one another in which it is asked for: many
 * are told the same together, and then nobody asks for it again. Who waits for long keeps nothing alive by it. A
 * WeakMap for each that waits would do the same, and took a tenth of the processor of an ordinary day.
 */
import { loop } from './clock.ts';

export class Lately<K extends object, V> {
  #of: K | undefined;
  #made: V | undefined;
  #isAsked = false;

  get(of: K): V | undefined {
    if (this.#of !== of) return undefined;
    this.#isAsked = true;
    return this.#made;
  }

  set(of: K, made: V): void {
    if (this.#of === undefined) keepForATurn(this);
    this.#of = of;
    this.#made = made;
    this.#isAsked = true;
  }

  /** A turn is over. Whether it was asked for in it; else it is forgotten. */
  turned(): boolean {
    const wasAsked = this.#isAsked;
    this.#isAsked = false;
    if (wasAsked) return true;
    this.#of = undefined;
    this.#made = undefined;
    return false;
  }
}

interface Turned {
  turned(): boolean;
}

let kept: Turned[] = [];

function keepForATurn(lately: Turned): void {
  if (kept.push(lately) === 1) loop.nextTurn(look);
}

function look(): void {
  kept = kept.filter((lately) => lately.turned());
  if (kept.length > 0) loop.nextTurn(look);
}
