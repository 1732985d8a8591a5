/**
 * How a configuration's keys are described: a tree of key → kind, from which the type of what was
 * read follows. `[kind]` is a list of objects. One description serves JSON, HCL and flags.
 */

/**
 * The kinds of a leaf. `tree` is a free object that is passed on as it stands; `newer` is a key of a
 * later Consul: whatever its value, it is accepted, reported and dropped.
 */
export type Leaf =
  | 'bool'
  | 'string'
  | 'int'
  | 'float'
  | 'duration'
  | 'strings'
  | 'map'
  | 'lists'
  | 'addresses'
  | 'tree'
  | 'newer';

export interface Keys {
  readonly [key: string]: Kind;
}

export const ADDRESS_KEYS = { address: 'string', port: 'int' } as const satisfies Keys;

export type Kind = Leaf | Keys | readonly [Keys | 'tree'];

export type Tree = Readonly<Record<string, unknown>>;

interface LeafValues {
  bool: boolean;
  string: string;
  int: number;
  float: number;
  /** Still text: only where it is used is it known what it may be. */
  duration: string;
  strings: readonly string[];
  map: Readonly<Record<string, string>>;
  lists: Readonly<Record<string, readonly string[]>>;
  addresses: Readonly<Record<string, Decoded<typeof ADDRESS_KEYS>>>;
  tree: Tree;
  newer: never;
}

/** What a value of kind K comes to once it is decoded. Every key may be missing. */
export type Decoded<K> = K extends Leaf
  ? LeafValues[K]
  : K extends readonly [infer Item]
    ? readonly Decoded<Item>[]
    : { readonly [Key in keyof K]?: Decoded<K[Key]> };
