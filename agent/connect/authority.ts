import type { CaRoots, Leaf } from '../../lib/connect/model.ts';

/** The roots, and since which index they are so. */
export interface KnownRoots {
  readonly index: number;
  readonly roots: CaRoots;
}

/** What an agent needs of the servers' certificate authority; each kind of agent has its own way there. */
export interface Authority {
  /** Once they have another index than this one, or after `waitMs`. Rejects where there is no mesh. */
  roots(seenIndex: number, waitMs: number, signal: AbortSignal): Promise<KnownRoots>;
  /** Rejects where the token does not allow it. */
  sign(csr: string, token: string): Promise<Leaf>;
}
