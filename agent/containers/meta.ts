/** A container service's metadata: its attributes, and where it comes from. */
import { lookUp, type StringMap } from '../../lib/model.ts';
import type { Attributes } from './attributes.ts';
import type { Container } from './runtime.ts';

/** Marks what the watcher registered, and so may remove. */
export const SOURCE_KEY = 'proconsul-source';
export const SOURCE = 'docker';
export const CONTAINER_ID_KEY = 'container-id';

/** Consul's limits: a registration beyond them would be refused as a whole. */
const MAX_PAIRS = 64;
const MAX_KEY = 128;
const MAX_VALUE = 512;
const KEY = /^[A-Za-z0-9_-]+$/;

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
    ['container-image', container.image.slice(0, MAX_VALUE)],
  ];
  const fits = ([key, value]: [string, string]) =>
    KEY.test(key) && key.length <= MAX_KEY && value.length <= MAX_VALUE;
  const fitting = [...attributes].filter(fits).slice(0, MAX_PAIRS - own.length);
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
