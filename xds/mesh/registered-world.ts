/** For an Envoy of the mesh, as it is registered with its agent: beside a service, or as a gateway. */
import type { Compute } from '../derived.ts';
import type { Kind, Resource } from '../resource.ts';
import { unheededOfMesh } from '../resources/mesh-entry.ts';
import type { Know } from '../worked.ts';
import type { Among, Apart, Key, Named, Wanted, World } from '../world.ts';
import { identityFact } from './identity.ts';
import { INGRESS } from './ingress.ts';
import { MESH_GATEWAY } from './mesh-gateway.ts';
import type { MeshProxy, Seen } from './proxy.ts';
import { type ProxyKind, registrationOf } from './registration.ts';
import { SIDECAR } from './sidecar-proxy.ts';
import { TERMINATING } from './terminating.ts';

const PROXIES: Readonly<Record<ProxyKind, MeshProxy>> = {
  'connect-proxy': SIDECAR,
  'ingress-gateway': INGRESS,
  'terminating-gateway': TERMINATING,
  'mesh-gateway': MESH_GATEWAY,
};

export interface RegisteredWorldOptions {
  /** The id that it is registered by. */
  readonly id: string;
  /** Of DNS. */
  readonly domain: string;
  readonly callsByDefault: boolean;
  /** Of more than 100 steps. */
  readonly takesLongPatterns: boolean;
}

export class RegisteredWorld implements World {
  readonly isUsedAlone = true;
  readonly #options: RegisteredWorldOptions;
  readonly #among: Readonly<Record<Kind, Among>>;

  constructor(options: RegisteredWorldOptions) {
    this.#options = options;
    this.#among = {
      clusters: { all: this.#named('clusters', ALL) },
      endpoints: this.#apart('endpoints'),
      listeners: { all: this.#named('listeners', ALL) },
      routes: this.#apart('routes'),
    };
  }

  resources(kind: Kind, name: string): Wanted {
    return name === ALL ? this.#named(kind, name) : { name, among: this.#among[kind] };
  }

  #apart(kind: 'endpoints' | 'routes'): Apart {
    const names = (know: Know) => {
      const seen = this.#seen(know);
      return seen && PROXIES[seen.registration.kind].names[kind](seen);
    };
    const { id } = this.#options;
    return { key: ['names', kind, id], names, each: (name) => this.#named(kind, name) };
  }

  #named(kind: Kind, name: string): Named {
    const compute: Compute = (know) => {
      const made = this.#made(know, kind, name);
      return name === ALL ? made : made?.filter((each) => each.name === name);
    };
    return { key: this.#key(kind, name), compute };
  }

  #key(kind: Kind, name: string): Key {
    const { id, takesLongPatterns } = this.#options;
    return ['registered', kind, name, id, String(takesLongPatterns)];
  }

  #made(know: Know, kind: Kind, name: string): readonly Resource[] | undefined {
    const seen = this.#seen(know);
    if (seen === undefined) return undefined;
    if (kind === 'listeners') sayUnheeded(seen);
    return PROXIES[seen.registration.kind][kind](seen, name);
  }

  /** Undefined where it is not registered yet, or not any more: what was told stands. */
  #seen(know: Know): Seen | undefined {
    const { id, ...how } = this.#options;
    const registration = registrationOf(know, id);
    const identity = registration && know.shared(identityFact(registration.service));
    if (registration === undefined || identity === undefined) return undefined;
    return { know, registration, identity, id, ...how };
  }
}

/** By this name all that there is of a kind is asked for. */
const ALL = '*';
const UNHEEDED = 'no Envoy is told of it';

/** What is said of it, or of the whole mesh, and has no effect. */
function sayUnheeded({ know, registration: { service, unheeded } }: Seen): void {
  const whose = `of the proxy of ${JSON.stringify(service)}`;
  for (const name of unheeded) know.omit(`${name} ${whose}`, UNHEEDED);
  for (const name of unheededOfMesh(know)) know.omit(`${name} of the mesh`, UNHEEDED);
}
