/** Which keys and which ConfigMap are kept in step, and who says what is so. */

/** Who says it: the key-value store, the cluster, or whoever changed it last. */
export type Direction = 'from-kv' | 'to-kv' | 'both';

export interface MapRule {
  readonly direction: Direction;
  /** With a slash at its end: what comes after it is the name in the map. */
  readonly prefix: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: string;
  /** The key under which is kept what both sides said when they agreed last. */
  readonly agreedKey: string;
}

/** Of a map's values together, as an API server counts them. */
export const MAX_MAP_BYTES = 1024 * 1024;
/** What was agreed of so many finds room in a value. */
export const MAX_NAMES = 2000;

/** What an API server takes for a name in a map; a key below a folder has none. */
export function isMapName(name: string): boolean {
  return /^[-._a-zA-Z0-9]{1,253}$/.test(name) && name !== '.' && !name.startsWith('..');
}

export function writesMap({ direction }: MapRule): boolean {
  return direction !== 'to-kv';
}

export function writesKeys({ direction }: MapRule): boolean {
  return direction !== 'from-kv';
}

/** As lines of the log call it. */
export function shownMap({ namespace, name }: MapRule): string {
  return `ConfigMap "${name}" of namespace "${namespace}"`;
}
