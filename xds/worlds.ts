/** What there is for a client, by who it says that it is. */
import type { Compute } from './derived.ts';
import { type Place, serviceNamed } from './names.ts';
import type { Kind } from './resource.ts';
import { assignment, namedLevel } from './resources/endpoints.ts';

/** As a request says it. */
export interface ClientNode {
  readonly id: string;
  readonly cluster: string;
}

export interface World {
  /** `*` for all that there are. What has the same key is the same to all who have the same rights. */
  resources(kind: Kind, name: string): { readonly key: string; readonly compute: Compute };
}

const NOTHING: Compute = () => [];

export class Worlds {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  of(_node: ClientNode): World {
    return { resources: (kind, name) => this.#named(kind, name) };
  }

  #named(kind: Kind, name: string): { readonly key: string; readonly compute: Compute } {
    const key = `${kind} ${name}`;
    if (kind !== 'endpoints') return { key, compute: NOTHING };
    const named = serviceNamed(name, this.#place);
    const region = named.datacenter || this.#place.datacenter;
    return {
      key,
      compute: (know) => [assignment(name, { region, levels: [namedLevel(know, named)] })],
    };
  }
}
