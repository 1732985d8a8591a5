/** A container service's metadata: its attributes, and where it comes from. */
import { MAX_META_PAIRS, MAX_META_VALUE_BYTES, metaPairFault } from '../../lib/meta.ts';
import { lookUp, type StringMap } from '../../lib/model.ts';
import type { Attributes } from './attributes.ts';
import type { Container } from './runtime.ts';

/** Marks what the watcher registered, and so may remove. */
const SOURCE_KEY = 'proconsul-source';
const SOURCE = 'docker';
const CONTAINER_ID_KEY = 'container-id';

export interface MetaReading {
  readonly meta: StringMap;
  readonly problems: readonly string[];
}

/** Attributes that no registration may hold are left out, and said so. */
export function metaOf(container: Container, attributes: Attributes): MetaReading {
  const own: [string, string][] = [
    [SOURCE_KEY, SOURCE],
    [CONTAINER_ID_KEY, container.id],
    ['container-name', container.name],
    ['container-image', container.image.slice(0, MAX_META_VALUE_BYTES)],
  ];
  // A registration with one that Consul takes not would be refused as a whole.
  const fits = ([key, value]: [string, string]) => metaPairFault(key, value) === undefined;
  const fitting = [...attributes].filter(fits).slice(0, MAX_META_PAIRS - own.length);
  const kept = new Set(fitting.map(([key]) => key));
  const left = [...attributes.keys()].filter((key) => !kept.has(key));
  return {
    meta: Object.fromEntries([...fitting, ...own]),
    problems: left.map((key) => `attribute ${JSON.stringify(key)} cannot be metadata`),
  };
}

export function isOurs(meta: StringMap | null): boolean {
  return lookUp(meta, SOURCE_KEY) === SOURCE;
}

/** The container that a service was registered for; undefined when it is none of ours. */
export function containerIdOf(meta: StringMap | null): string | undefined {
  return isOurs(meta) ? lookUp(meta, CONTAINER_ID_KEY) : undefined;
}
