/** Every page there is, by its address. A page is one file of `pages/`, loaded when it is first shown. */
import type { ComponentType } from 'preact';
import type { shellWords } from './words/shell-words.ts';

export type Given = Readonly<Record<string, string>>;

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
    address: 'cluster',
    name: 'cluster',
    key: 'c',
    load: () => import('./pages/cluster.tsx'),
  },
];

export const PLACES: readonly Place[] = [...ENTRANCES];
