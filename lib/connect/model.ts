/** What the mesh's authority says, in Consul's words. */
import type { Indexed } from '../model.ts';

/** A certificate that vouches for those of services, until another takes its place. */
export interface CaRoot extends Indexed {
  /** The certificate's fingerprint. */
  readonly ID: string;
  readonly Name: string;
  readonly SerialNumber: number;
  readonly SigningKeyID: string;
  readonly ExternalTrustDomain: string;
  readonly NotBefore: string;
  readonly NotAfter: string;
  readonly RootCert: string;
  /** By which those who only know the root before this one can trust what this one signs. */
  readonly IntermediateCerts: readonly string[] | null;
  readonly Active: boolean;
  readonly PrivateKeyType: string;
  readonly PrivateKeyBits: number;
}

export interface CaRoots {
  readonly ActiveRootID: string;
  /** In which all identities are. */
  readonly TrustDomain: string;
  readonly Roots: readonly CaRoot[];
}

/** What the authority was told, as it was said. */
export interface CaConfig extends Indexed {
  readonly Provider: string;
  readonly Config: Readonly<Record<string, unknown>> | null;
  readonly State: null;
  readonly ForceWithoutCrossSigning: boolean;
}

/** A certificate that says who a service is; with its key where the service is to have it. */
export interface Leaf extends Indexed {
  readonly SerialNumber: string;
  /** Its own first, then what stands between it and a root. */
  readonly CertPEM: string;
  readonly PrivateKeyPEM?: string;
  readonly Service: string;
  readonly ServiceURI: string;
  readonly ValidAfter: string;
  readonly ValidBefore: string;
}

/** Where agents have certificates signed: Proconsul's own. */
export const SIGN_PATH = '/v1/internal/connect/sign';

/** As all say it where connect.enabled does not. */
export const CONNECT_OFF = 'Connect must be enabled in order to use this endpoint';
