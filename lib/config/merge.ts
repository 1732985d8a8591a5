import type { Tree } from './row.ts';
import { isTree } from './row.ts';

/**
 * Joins what several sources say, the later ones last: of single values the last one stands, lists
 * are strung together, objects are joined key by key. As Consul does it.
 */
export function merge(sources: readonly Tree[]): Tree {
  return sources.reduce(mergeTwo, {});
}

function mergeTwo(earlier: Tree, later: Tree): Tree {
  const merged = new Map(Object.entries(earlier));
  for (const [key, value] of Object.entries(later)) {
    merged.set(key, mergeValues(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function mergeValues(earlier: unknown, later: unknown): unknown {
  if (Array.isArray(earlier) && Array.isArray(later)) return [...earlier, ...later];
  if (isTree(earlier) && isTree(later)) return mergeTwo(earlier, later);
  return later;
}
