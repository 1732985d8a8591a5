/** Who vouches for services to each other, where there is a mesh. */
import { ingressNames } from '../lib/config-entries/ingress-names.ts';
import { INGRESS_GATEWAY } from '../lib/config-entries/kinds/ingress-gateway.ts';
import type { System } from '../lib/system.ts';
import { CertificateAuthority, type ConnectRules } from './connect/authority.ts';
import { Issuing, type IssuingDeps } from './connect/issuing.ts';
import { LeafSigner } from './connect/leaf-signer.ts';

export interface ConnectPartsOptions {
  /** Without them there is none. */
  readonly rules: { readonly connect?: ConnectRules };
  readonly self: { readonly datacenter: string; readonly domain: string };
  readonly system: System;
}

export function connectPartsOf(
  { rules: { connect: rules }, self, system }: ConnectPartsOptions,
  deps: IssuingDeps,
) {
  if (rules === undefined) return undefined;
  const issuing = new Issuing(deps);
  const { datacenter, domain } = self;
  // Whoever may write the service may not choose them: the entry is the mesh's.
  const hostsOf = (gateway: string) => {
    const entry = deps.state().configEntries.entryOf(INGRESS_GATEWAY, gateway);
    return entry === undefined ? [] : ingressNames(entry, { datacenter, domain });
  };
  return {
    authority: new CertificateAuthority({ ...deps, ...system, issuing, rules }),
    signer: new LeafSigner({ ...deps, issuing, datacenter, hostsOf, clock: system.clock }),
  };
}
