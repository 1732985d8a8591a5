import type { NameOf } from './accounts.ts';
import type { Compute } from './derived.ts';
import type { Kind } from './resource.ts';
import type { Key } from './views.ts';

/** All that a client may subscribe to. */
export interface World {
  /** `*` for all that there are. */
  resources(kind: Kind, name: string): Named;
}

export interface Named {
  /** Of what it follows from, part by part: what has the same is the same to all who have the same rights. */
  readonly key: Key;
  readonly compute: Compute;
  /** Undefined where it can be named in one way alone. */
  readonly of?: NameOf;
}
