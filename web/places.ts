/** Every page there is, by its address. A page is one file of `pages/`, loaded when it is first shown. */
import type { ComponentType } from 'preact';
import { type Given, matched } from './core/path.ts';
import type { shellWords } from './words/shell-words.ts';

export interface Place {
  /** Behind the data centre: `:name` is one part, `*name` all that is left. */
  readonly address: string;
  readonly load: () => Promise<{ readonly Page: ComponentType<Given> }>;
}

/** What stands in the navigation: its name is in shell-words, its key is pressed behind `g`. */
export interface Entrance extends Place {
  readonly name: keyof typeof shellWords.value.places;
  readonly key: string;
}

/** In the order of the navigation. */
export const ENTRANCES: readonly Entrance[] = [
  {
    address: 'services',
    name: 'services',
    key: 's',
    load: () => import('./pages/services.tsx'),
  },
  {
    address: 'nodes',
    name: 'nodes',
    key: 'n',
    load: () => import('./pages/nodes.tsx'),
  },
  {
    address: 'kv',
    name: 'kv',
    key: 'k',
    load: () => import('./pages/kv.tsx'),
  },
  {
    address: 'sessions',
    name: 'sessions',
    key: 'l',
    load: () => import('./pages/sessions.tsx'),
  },
  {
    address: 'queries',
    name: 'queries',
    key: 'q',
    load: () => import('./pages/queries.tsx'),
  },
  {
    address: 'events',
    name: 'events',
    key: 'e',
    load: () => import('./pages/events.tsx'),
  },
  {
    address: 'intentions',
    name: 'intentions',
    key: 'i',
    load: () => import('./pages/intentions.tsx'),
  },
  {
    address: 'config',
    name: 'config',
    key: 'f',
    load: () => import('./pages/config.tsx'),
  },
  {
    address: 'topology',
    name: 'topology',
    key: 't',
    load: () => import('./pages/topology.tsx'),
  },
  {
    address: 'access',
    name: 'access',
    key: 'a',
    load: () => import('./pages/access.tsx'),
  },
  {
    address: 'cluster',
    name: 'cluster',
    key: 'c',
    load: () => import('./pages/cluster.tsx'),
  },
];

export const PLACES: readonly Place[] = [
  ...ENTRANCES,
  { address: 'services/:name', load: () => import('./pages/service.tsx') },
  { address: 'services/:name/:node/:id', load: () => import('./pages/instance.tsx') },
  { address: 'nodes/:name', load: () => import('./pages/node.tsx') },
  { address: 'intentions/new', load: () => import('./pages/intention-new.tsx') },
  { address: 'intentions/:source/:destination', load: () => import('./pages/intention.tsx') },
  { address: 'config/new', load: () => import('./pages/config-new.tsx') },
  { address: 'config/:kind/:name', load: () => import('./pages/config-entry.tsx') },
  { address: 'queries/:id', load: () => import('./pages/query.tsx') },
  { address: 'access/new/:kind', load: () => import('./pages/access-new.tsx') },
  { address: 'access/tokens/:id', load: () => import('./pages/access-token.tsx') },
  { address: 'access/policies/:id', load: () => import('./pages/access-policy.tsx') },
  { address: 'access/roles/:id', load: () => import('./pages/access-role.tsx') },
  { address: 'access/methods/:id', load: () => import('./pages/access-method.tsx') },
];

export interface Found {
  readonly place: Place;
  readonly given: Given;
}

/** Undefined where there is no such page. */
export function placeOf(parts: readonly string[]): Found | undefined {
  for (const place of PLACES) {
    const given = matched(place.address, parts);
    if (given !== undefined) return { place, given };
  }
  return undefined;
}
