/** For an Envoy of the mesh, as it is registered with its agent: beside a service, or as a gateway. */
import type { Compute } from '../derived.ts';
import type { Kind } from '../resource.ts';
import { unheededOfMesh } from '../resources/mesh-entry.ts';
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
    const { id, ...how } = this.#options;
    const compute: Compute = (know) => {
      const registration = registrationOf(know, id);
      const identity = registration && know.shared(identityFact(registration.service));
      // Not yet, or not any more: what was told stands.
      if (registration === undefined || identity === undefined) return undefined;
      const proxy = PROXIES[registration.kind];
      const seen = { know, registration, identity, id, ...how };
      if (kind === 'listeners') sayUnheeded(seen);
      const made = proxy[kind](seen, name);
      return name === '*' ? made : made.filter((each) => each.name === name);
    };
    return { key: ['registered', kind, name, id, String(how.takesLongPatterns)], compute };
  }
}

const UNHEEDED = 'no Envoy is told of it';

/** What is said of it, or of the whole mesh, and has no effect. */
function sayUnheeded({ know, registration: { service, unheeded } }: Seen): void {
  const whose = `of the proxy of ${JSON.stringify(service)}`;
  for (const name of unheeded) know.omit(`${name} ${whose}`, UNHEEDED);
  for (const name of unheededOfMesh(know)) know.omit(`${name} of the mesh`, UNHEEDED);
}
