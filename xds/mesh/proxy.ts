/** What an Envoy of the mesh needs, by what it is registered as. */

import type { Kind, Resource } from '../resource.ts';
import type { Know } from '../worked.ts';
import type { Identity } from './identity.ts';
import type { Registration } from './registration.ts';

export interface Registered {
  readonly know: Know;
  readonly registration: Registration;
}

export interface Seen extends Registered {
  /** That it is registered by. */
  readonly id: string;
  /** Of the service that it speaks for. */
  readonly identity: Identity;
  /** Of DNS, as the agent answers it. */
  readonly domain: string;
  /** Who may call a service of which no intention says anything. */
  readonly callsByDefault: boolean;
  /** Of more than 100 steps: else Envoy would refuse what has one. */
  readonly takesLongPatterns: boolean;
}

/** Of each kind all that there is; `name` is the one that is asked for, or `*`. */
type Made = Readonly<Record<Kind, (seen: Seen, name: string) => readonly Resource[]>>;

export interface MeshProxy extends Made {
  /** Of what is asked for by its name: to look through them is little beside what is made of one. */
  readonly names: Readonly<Record<'endpoints' | 'routes', (seen: Seen) => Iterable<string>>>;
}
