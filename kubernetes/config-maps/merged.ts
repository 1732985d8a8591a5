/**
 * What the keys and the map ought to hold, by what each holds now and what both held when they agreed last: so what
 * was changed on one side is told from what was not, and what is done halfway comes to the same when it is done again.
 */
import {
  type Agreed,
  isKnown,
  isUnchanged,
  type Known,
  knownOf,
  type Sides,
  wasBefore,
  wasThere,
} from './agreed.ts';
import type { Contents } from './contents.ts';
import type { Direction } from './rules.ts';

export interface Found {
  readonly keys: Contents;
  /** Undefined where there is no map: that says nothing of any key. */
  readonly map: Contents | undefined;
  readonly agreed: Agreed;
  /** Of what was agreed as the map was written last; 0 where nobody knows. */
  readonly mapSerial: number;
}

export interface Merged {
  readonly keys: Contents;
  readonly map: Contents;
  /** Names of which both sides said something else; the key's value counts. */
  readonly conflicts: readonly string[];
  /** Whether a name is kept in step: a key that somebody else wrote is not, though it may hold the same. */
  readonly isKept: (name: string) => boolean;
}

export function merged(direction: Direction, { keys, map, agreed, mapSerial }: Found): Merged {
  const [conflicts, isKept]: [readonly string[], () => boolean] = [[], () => true];
  if (direction === 'from-kv') return { keys, map: keys, conflicts, isKept };
  if (map === undefined)
    return { keys, map: direction === 'both' ? keys : new Map(), conflicts, isKept };
  const isGiven = mapSerial > 0 && mapSerial === agreed.serial;
  const settle = direction === 'both' ? (name: Name) => either(name, isGiven) : ofMap;
  return eachMerged(settle, { keys, map }, agreed);
}

function eachMerged(settle: (name: Name) => Settled, { keys, map }: Sides, agreed: Agreed): Merged {
  const [wantedKeys, wantedMap] = [new Map<string, string>(), new Map<string, string>()];
  const conflicts: string[] = [];
  const others = new Set<string>();
  for (const name of new Set([...keys.keys(), ...map.keys()])) {
    const is = settle({ key: keys.get(name), map: map.get(name), known: knownOf(agreed, name) });
    put(wantedKeys, name, is.key);
    put(wantedMap, name, is.map);
    if (is.isConflict) conflicts.push(name);
    if (is.isOthers) others.add(name);
  }
  const isKept = (name: string) => !others.has(name);
  return { keys: wantedKeys, map: wantedMap, conflicts, isKept };
}

interface Name {
  readonly key: string | undefined;
  readonly map: string | undefined;
  readonly known: Known;
}

interface Settled extends Pick<Name, 'key' | 'map'> {
  readonly isConflict: boolean;
  /** The key was not brought by the map. */
  readonly isOthers: boolean;
}

/**
 * What the map says, but over no key that it did not bring: what it brought and somebody changed is put back while the
 * map has it, and is his once it has not.
 */
function ofMap({ key, map, known }: Name): Settled {
  if (map === undefined) {
    const isOurs = key !== undefined && isKnown(known, key);
    return { key: isOurs ? undefined : key, map, isConflict: false, isOthers: !isOurs };
  }
  const isOurs = key === undefined || wasThere(known);
  return { key: isOurs ? map : key, map, isConflict: !isOurs && key !== map, isOthers: !isOurs };
}

/**
 * What was changed; of two changes the key's, but that a value is never lost to a deletion. Where neither was, one was
 * about to be given what the other holds.
 */
function either({ key, map, known }: Name, isGiven: boolean): Settled {
  const both = (value: string | undefined, isConflict = false) => ({
    key: value,
    map: value,
    isConflict,
    isOthers: false,
  });
  const isKey = isUnchanged(known, 'keys', key, isGiven);
  const isMap = isUnchanged(known, 'map', map, isGiven);
  if (isKey && isMap) return both(known.to === 'keys' ? map : key);
  if (key === map) return both(key);
  // The key may never have been given what the map has.
  if (isMap) return both(key, known.to === 'keys' && !wasBefore(known, map));
  if (isKey || key === undefined) return both(map);
  return both(key, map !== undefined);
}

function put(contents: Map<string, string>, name: string, value: string | undefined): void {
  if (value !== undefined) contents.set(name, value);
}
