import { randomUUID } from 'node:crypto';

/** Chance comes in through here, so that specs can repeat it. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  uuid(): string;
}

export const systemRandom: Random = {
  // Looked up at each call: a simulated world puts its own in place.
  next: () => Math.random(),
  uuid: () => randomUUID(),
};
