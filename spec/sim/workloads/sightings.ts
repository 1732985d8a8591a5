/** Every value that anybody was shown, with its index: a write has one index, an index one write. */
import type { Violations } from './workload.ts';

export interface Row {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

export class Sightings {
  readonly #violations: Violations;
  readonly #dirty: boolean;
  /** By key and index; values are written once each. */
  readonly #values = new Map<string, string>();
  readonly #indexes = new Map<string, number>();

  /** `dirty`: seen may be what was never acknowledged, and was written again elsewhere. */
  constructor(violations: Violations, dirty: boolean) {
    this.#violations = violations;
    this.#dirty = dirty;
  }

  /** At which a value was seen; undefined for one that nobody was shown. */
  indexOf(value: string): number | undefined {
    return this.#indexes.get(value);
  }

  add({ Key, Value, ModifyIndex }: Row): void {
    const value = Buffer.from(Value ?? '', 'base64').toString();
    const at = `${Key} ${ModifyIndex}`;
    const known = this.#values.get(at) ?? value;
    if (known !== value) {
      this.#violations.add('an index is of two writes', `${at} was ${known}, then ${value}`);
    }
    this.#values.set(at, value);
    const index = this.#indexes.get(value) ?? ModifyIndex;
    if (index !== ModifyIndex && !this.#dirty) {
      this.#violations.add('a write happened twice', `${value} at ${index} and ${ModifyIndex}`);
    }
    if (!this.#indexes.has(value)) this.#indexes.set(value, ModifyIndex);
  }
}
