/**
 * What the keys and the map ought to hold, by what each holds now and what both held when they agreed last: so what
 * was changed on one side is told from what was not, and what is done halfway comes to the same when it is done again.
 */
import { type Agreed, type Contents, digest, knownOf } from './contents.ts';
import type { Direction } from './rules.ts';

export interface Sides {
  readonly keys: Contents;
  /** Undefined where there is no map: that says nothing of any key. */
  readonly map: Contents | undefined;
  readonly agreed: Agreed;
}

export interface Merged {
  readonly keys: Contents;
  readonly map: Contents;
  /** Names of which both sides said something else; the key's value counts. */
  readonly conflicts: readonly string[];
}

export function merged(direction: Direction, { keys, map, agreed }: Sides): Merged {
  if (direction === 'from-kv') return { keys, map: keys, conflicts: [] };
  if (map === undefined)
    return { keys, map: direction === 'both' ? keys : new Map(), conflicts: [] };
  const names = new Set([...keys.keys(), ...map.keys(), ...agreed.keys()]);
  const [wantedKeys, wantedMap] = [new Map<string, string>(), new Map<string, string>()];
  const conflicts: string[] = [];
  for (const name of names) {
    const each = { key: keys.get(name), map: map.get(name), known: knownOf(agreed, name) };
    const is = direction === 'both' ? either(each) : ofMap(each);
    put(wantedKeys, name, is.key);
    put(wantedMap, name, is.map);
    if (is.isConflict) conflicts.push(name);
  }
  return { keys: wantedKeys, map: wantedMap, conflicts };
}

interface Name {
  readonly key: string | undefined;
  readonly map: string | undefined;
  /** Digests of what both said, and of what one was about to be given. */
  readonly known: readonly string[];
}

interface Settled extends Pick<Name, 'key' | 'map'> {
  readonly isConflict: boolean;
}

/** What the map says, but over no key that somebody else wrote. */
function ofMap({ key, map, known }: Name): Settled {
  const isOurs = known.some((each) => each !== digest(undefined));
  if (map === undefined) return { key: isOurs ? undefined : key, map, isConflict: false };
  const mayWrite = isOurs || key === undefined || key === map;
  return { key: mayWrite ? map : key, map, isConflict: !mayWrite };
}

/**
 * What was changed; of two changes the key's, but that a value is never lost to a deletion. Where both are known the
 * map was about to be given what the key holds.
 */
function either({ key, map, known }: Name): Settled {
  const isKnown = (value: string | undefined) => known.includes(digest(value));
  const both = (value: string | undefined, isConflict = false) => ({
    key: value,
    map: value,
    isConflict,
  });
  if (key === map || isKnown(map)) return both(key);
  if (isKnown(key) || key === undefined) return both(map);
  return both(key, map !== undefined);
}

function put(contents: Map<string, string>, name: string, value: string | undefined): void {
  if (value !== undefined) contents.set(name, value);
}
