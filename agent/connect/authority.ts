import type { DefaultsPort } from '../../lib/central-defaults.ts';
import type { Matched } from '../../lib/connect/authorization.ts';
import type { CaRoots, Leaf } from '../../lib/connect/model.ts';

/** The roots, and since which index they are so. */
export interface KnownRoots {
  readonly index: number;
  readonly roots: CaRoots;
}

/** What an agent needs of the servers for the mesh; each kind of agent has its own way there. */
export interface Authority extends DefaultsPort {
  /** Once they have another index than this one, or after `waitMs`. Rejects where there is no mesh. */
  roots(seenIndex: number, waitMs: number, signal: AbortSignal): Promise<KnownRoots>;
  /** Rejects where the token does not allow it. */
  sign(asked: AskedLeaf): Promise<Leaf>;
  /** What is said of calls to a service, the first one that counts in front. */
  intentionsOn(service: string, token: string): Promise<KnownIntentions>;
}

export interface AskedLeaf {
  readonly csr: string;
  readonly token: string;
  /** With the names of DNS that the entry of an ingress gateway says. */
  readonly forIngress: boolean;
}

export interface KnownIntentions {
  readonly intentions: readonly Matched[];
  /** They were known before they were asked for. */
  readonly isHit: boolean;
}
