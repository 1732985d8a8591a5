/** How an agent knows of the others, and has them know of it. */
import type { Member } from '../../lib/membership.ts';

export interface Membership {
  /** Whether there is a server that can be asked. */
  knowsServer(): boolean;
  /** All agents and servers, this one among them. */
  members(): Promise<readonly Member[]>;
  /** Joins those that the agent at this address knows; rejects with why it could not. */
  join(address: string): Promise<void>;
  /** Takes a node that is dead out, under the token of who asks; false when nobody knows it. */
  forceLeave(node: string, prune: boolean, token: string): Promise<boolean>;
  /** Says that this node goes on purpose: it is taken out of the catalog. */
  leave(): Promise<void>;
}
