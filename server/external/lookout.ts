/** Who looks at things outside: the agent of this process can, a server does not know how. */
import type { Cancel } from '../../lib/clock.ts';
import type { CheckDefinition, CheckStatus } from '../../lib/model.ts';

export interface Sight {
  readonly status: CheckStatus;
  readonly output: string;
}

/** Told of every look. */
export type Found = (sight: Sight) => void;

/** An external node, as it can be reached. */
export interface Reachable {
  readonly node: string;
  readonly address: string;
  /** On which something of it listens, as far as that is known. */
  readonly ports: readonly number[];
}

/** Each looks soon, and again and again until it is cancelled; after that nothing is told. */
export interface Lookout {
  /** At what the definition of a check names: HTTP or TCP. */
  watchCheck(node: string, check: CheckDefinition, found: Found): Cancel;
  /** Whether the node lives. */
  watchNode(reachable: Reachable, found: Found): Cancel;
}
