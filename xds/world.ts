import type { NameOf } from './accounts.ts';
import type { Compute } from './derived.ts';
import type { Kind, Resource } from './resource.ts';
import type { Know } from './worked.ts';

/** All that a client may subscribe to. */
export interface World {
  /** There are no endpoints but those of its clusters, and no routes but those of its listeners. */
  readonly isUsedAlone: boolean;
  /** `*` for all that there are. */
  resources(kind: Kind, name: string): Wanted;
}

/** Parts, in which names stand as they are: joined with each other, one could be taken for another. */
export type Key = readonly [world: string, ...parts: readonly string[]];

/** Something by itself, or a name that costs next to nothing while nobody has that. */
export type Wanted = Named | Part;

export interface Named {
  /** Of what it follows from, part by part: what has the same is the same to all who have the same rights. */
  readonly key: Key;
  readonly compute: Compute;
  /** Undefined where it can be named in one way alone. */
  readonly of?: NameOf;
}

export interface Part {
  readonly name: string;
  readonly among: Among;
}

/** Where a name stands: with all others that follow from the same, or with those of what is made one by one. */
export type Among = Whole | Apart;

export interface Whole {
  readonly all: Named;
}

export interface Apart {
  readonly key: Key;
  /** Undefined where these are known in one way alone. */
  readonly of?: NameOf;
  /** Of all that there is. Pure, as what makes resources; undefined leaves what was there. */
  readonly names: (know: Know) => Iterable<string> | undefined;
  /** As which of those a name counts, where it may be written in several ways. */
  readonly is?: (name: string) => string;
  readonly each: (name: string) => Named;
  /** What is told of a name of which there is nothing, made once; nothing where that is not said. */
  readonly absent?: (name: string) => Resource;
}

export interface Subscribed {
  /** Undefined until it is known. What is the same is the same object as before. */
  readonly current: readonly Resource[] | undefined;
  cancel(): void;
}
