/** What founding roots and signing leaves both need: serial numbers, and issuers that are read once. */
import { trustDomainOf } from '../../lib/connect/identity.ts';
import type { Issuer } from '../../lib/connect/leaf.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../commands.ts';
import type { StoredCaConfig } from '../connect-commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';

export interface IssuingDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
}

/** It takes as long to load as all else of a server, and most never make a certificate. */
export function certificates() {
  return import('../../lib/connect/certificates.ts');
}

export class Issuing {
  readonly #deps: IssuingDeps;
  /** By the IDs of the roots. */
  readonly #issuers = new Map<string, Promise<Issuer>>();

  constructor(deps: IssuingDeps) {
    this.#deps = deps;
  }

  get config(): StoredCaConfig {
    const { config } = this.#deps.state().authority;
    if (config === undefined) throw notReady();
    return config;
  }

  get trustDomain(): string {
    return trustDomainOf(this.config.ClusterID);
  }

  /** Of what vouches for services. */
  serial(): Promise<number> {
    return serialOf(this.#deps.propose({ type: 'take-serial', service: '' }));
  }

  /** The root of this ID, to sign by. */
  issuer(id: string): Promise<Issuer> {
    const known = this.#issuers.get(id);
    if (known !== undefined) return known;
    const { authority } = this.#deps.state();
    const [root, key] = [authority.roots.get(id), authority.keys.get(id)];
    if (root === undefined || key === undefined) throw notReady();
    for (const old of this.#issuers.keys()) {
      if (authority.roots.get(old) === undefined) this.#issuers.delete(old);
    }
    const issuer = certificates().then(({ issuerOf }) => issuerOf(root.RootCert, key.privateKey));
    this.#issuers.set(id, issuer);
    return issuer;
  }
}

/** The index of an entry, which no other certificate can have. */
export async function serialOf(taken: Promise<Outcome>): Promise<number> {
  const { index } = await taken;
  if (index === undefined) throw notReady();
  return index;
}

export function notReady(): ProconsulError {
  return new ProconsulError('rejected', 'CA is uninitialized and unable to sign certificates yet');
}
