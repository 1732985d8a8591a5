/** The keys of a cluster at one moment. Keyrings do not change: whoever changes one gets another. */
import { ProconsulError } from '../errors.ts';
import type { Key } from './key.ts';

export interface Keyring {
  /** The index of the log's entry that it came with; 0 before the first one. */
  readonly version: number;
  /** The first one is primary: it seals. Never empty. */
  readonly keys: readonly Key[];
  /** Taken out, but something older may be sealed under them still: they open, and seal nothing. */
  readonly retired: readonly Key[];
  /** The ids of all that were ever taken out, the oldest first. */
  readonly removed: readonly string[];
}

/** So many ids are remembered; a write that is sealed under one of them is told so. */
const MAX_REMOVED = 1000;

export function primaryOf({ keys }: Pick<Keyring, 'keys'>): Key {
  const [primary] = keys;
  if (primary === undefined) throw new ProconsulError('internal', 'a keyring without a key');
  return primary;
}

function has(keys: readonly Key[], key: Key): boolean {
  return keys.some(({ id }) => id === key.id);
}

function without(keys: readonly Key[], key: Key): readonly Key[] {
  return keys.filter(({ id }) => id !== key.id);
}

/** These three return the keyring itself where there is nothing to do, and throw in Consul's words. */
export function install(keyring: Keyring, key: Key): Keyring {
  if (has(keyring.keys, key)) return keyring;
  return {
    ...keyring,
    keys: [...keyring.keys, key],
    retired: without(keyring.retired, key),
    removed: keyring.removed.filter((id) => id !== key.id),
  };
}

export function use(keyring: Keyring, key: Key): Keyring {
  const { keys } = keyring;
  if (!has(keys, key)) {
    throw new ProconsulError('rejected', 'Requested key is not in the keyring');
  }
  if (primaryOf(keyring).id === key.id) return keyring;
  return { ...keyring, keys: [key, ...without(keys, key)] };
}

/** From then on it seals nothing; what it has sealed opens until `forgetRetired`. */
export function retire(keyring: Keyring, key: Key): Keyring {
  const { keys, retired, removed } = keyring;
  if (!has(keys, key)) return keyring;
  if (primaryOf(keyring).id === key.id) {
    throw new ProconsulError('rejected', 'Removing the primary key is not allowed');
  }
  return {
    ...keyring,
    keys: without(keys, key),
    retired: [...retired, key],
    removed: [...removed, key.id].slice(-MAX_REMOVED),
  };
}

/** Nothing that has to be read is sealed under them any more. */
export function forgetRetired(keyring: Keyring): Keyring {
  return keyring.retired.length === 0 ? keyring : { ...keyring, retired: [] };
}
