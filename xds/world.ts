import type { Compute } from './derived.ts';
import type { Kind } from './resource.ts';

/** All that a client may subscribe to. */
export interface World {
  /** `*` for all that there are. What has the same key is the same to all who have the same rights. */
  resources(kind: Kind, name: string): Named;
}

export interface Named {
  readonly key: string;
  readonly compute: Compute;
}
