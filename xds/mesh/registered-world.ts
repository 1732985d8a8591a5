/** For an Envoy of the mesh, as it is registered with its agent: beside a service, or as a gateway. */
import type { Compute } from '../derived.ts';
import { isWhole, type Kind, type Resource } from '../resource.ts';
import { unheededOfMesh } from '../resources/mesh-entry.ts';
import type { Key } from '../views.ts';
import type { Fact, Know } from '../worked.ts';
import type { Named, World } from '../world.ts';
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
  readonly #options: RegisteredWorldOptions;

  constructor(options: RegisteredWorldOptions) {
    this.#options = options;
  }

  resources(kind: Kind, name: string): Named {
    const compute: Compute = (know) => {
      // Each of them follows from all that the proxy calls: who names many has that once.
      const isOfAll = isWhole(kind) && name !== ALL;
      const made = isOfAll ? know.shared(this.#allOf(kind)) : this.#made(know, kind, name);
      return name === ALL ? made : made?.filter((each) => each.name === name);
    };
    return { key: this.#key(kind, name), compute };
  }

  #allOf(kind: Kind): Fact<readonly Resource[]> {
    return { key: this.#key(kind, ALL), of: (know) => this.#made(know, kind, ALL) };
  }

  #key(kind: Kind, name: string): Key {
    const { id, takesLongPatterns } = this.#options;
    return ['registered', kind, name, id, String(takesLongPatterns)];
  }

  /** Undefined where it is not registered yet, or not any more: what was told stands. */
  #made(know: Know, kind: Kind, name: string): readonly Resource[] | undefined {
    const { id, ...how } = this.#options;
    const registration = registrationOf(know, id);
    const identity = registration && know.shared(identityFact(registration.service));
    if (registration === undefined || identity === undefined) return undefined;
    const seen = { know, registration, identity, id, ...how };
    if (kind === 'listeners') sayUnheeded(seen);
    return PROXIES[registration.kind][kind](seen, name);
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
