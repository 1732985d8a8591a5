/** TLS: what is shown to others, whom one trusts, and what must be verified. */
import { openSslCipher } from '../cipher-suites.ts';
import type { Problems } from '../problems.ts';
import {
  bool,
  choice,
  duration,
  noEffect,
  optional,
  refused,
  reloaded,
  type Settled,
  strings,
  text,
  tree,
} from '../row.ts';

const NO_AUTO = 'certificates and agents’ settings are not handed out yet';
const AUTO = 'certificates and settings that servers hand out to agents';
const CHECKS = 'checks trust what the system trusts';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** What one side of a connection shows, trusts and speaks. */
export interface TlsSettings {
  /** Paths, each '' where it is not said. */
  readonly caFile: string;
  readonly caPath: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion: TlsVersion;
  /** OpenSSL's names of the suites up to TLS 1.2; empty for those that are good by today. */
  readonly suites: readonly string[];
  readonly prefersOwnSuites: boolean;
  /** Only those are taken who show a certificate of an authority that is trusted. */
  readonly verifyIncoming: boolean;
}

export interface RpcTlsSettings extends TlsSettings {
  /** Only TLS is spoken to servers, and their authority must be trusted. */
  readonly verifyOutgoing: boolean;
  readonly verifyServerHostname: boolean;
}

/** As today's Consul writes them; the older keys have words of their own. */
const MIN_VERSIONS = ['', 'TLS_AUTO', 'TLSv1_0', 'TLSv1_1', 'TLSv1_2', 'TLSv1_3'] as const;
const OLD_MIN_VERSIONS = ['tls12', 'tls10', 'tls11', 'tls13'] as const;
const NODE_VERSIONS: Readonly<Record<string, TlsVersion>> = {
  TLSv1_0: 'TLSv1',
  TLSv1_1: 'TLSv1.1',
  TLSv1_2: 'TLSv1.2',
  TLSv1_3: 'TLSv1.3',
  tls10: 'TLSv1',
  tls11: 'TLSv1.1',
  tls12: 'TLSv1.2',
  tls13: 'TLSv1.3',
};

const SUITES = 'The cipher suites of TLS 1.2 and older, by their names in Go, with commas between.';

/** What each listener has for itself, and `defaults` for all that do not say. */
const SHARED = {
  ca_file: text('A file with the authorities to trust.'),
  ca_path: text('A folder of such files, where ca_file is not said.'),
  cert_file: text('The certificate to show.'),
  key_file: text('Its key.'),
  tls_min_version: choice('The oldest version that is spoken; TLS 1.2 by default.', MIN_VERSIONS),
  tls_cipher_suites: text(SUITES, { rule: cipherSuites }),
  verify_incoming: optional(
    bool('Take only those who show a certificate of an authority that is trusted.'),
  ),
};

const verifiesServers = {
  verify_outgoing: optional(
    bool('Speak only TLS to servers, and only to those whose authority is trusted.'),
  ),
  verify_server_hostname: optional(
    bool('Likewise, and only where the certificate is of server.<datacenter>.<domain>.'),
  ),
};

const ofGrpc = noEffect('no certificates are handed out yet', { use_auto_cert: bool() });

export const TLS_KEYS = {
  ...reloaded({
    ca_file: text('tls.defaults.ca_file.', { shown: 'CAFile' }),
    ca_path: text('tls.defaults.ca_path.', { shown: 'CAPath' }),
    cert_file: text('tls.defaults.cert_file.', { shown: 'CertFile' }),
    key_file: text('tls.defaults.key_file.', { shown: 'KeyFile', secret: true }),
    verify_incoming: bool('tls.defaults.verify_incoming.', { shown: 'VerifyIncoming' }),
    verify_incoming_https: bool('tls.https.verify_incoming.', { shown: 'VerifyIncomingHTTPS' }),
    verify_incoming_rpc: bool('tls.internal_rpc.verify_incoming.', {
      shown: 'VerifyIncomingRPC',
    }),
    verify_outgoing: bool('tls.defaults.verify_outgoing.', { shown: 'VerifyOutgoing' }),
    verify_server_hostname: bool('tls.defaults.verify_server_hostname.', {
      shown: 'VerifyServerHostname',
    }),
    tls_min_version: choice('tls.defaults.tls_min_version.', OLD_MIN_VERSIONS, {
      shown: 'TLSMinVersion',
    }),
    tls_cipher_suites: text('tls.defaults.tls_cipher_suites.', { rule: cipherSuites }),
    tls_prefer_server_cipher_suites: bool("Choose suites in this side's order.", {
      shown: 'TLSPreferServerCipherSuites',
    }),
  }),
  ...noEffect(CHECKS, {
    server_name: text('', { shown: 'ServerName' }),
    enable_agent_tls_for_checks: bool('', { shown: 'EnableAgentTLSForChecks' }),
  }),
  tls: {
    ...reloaded({
      defaults: { ...SHARED, ...verifiesServers, ...ofGrpc },
      https: {
        ...SHARED,
        ...noEffect('an HTTPS listener calls nobody', verifiesServers),
        ...ofGrpc,
      },
      internal_rpc: { ...SHARED, ...verifiesServers, ...ofGrpc },
      grpc: {
        ...SHARED,
        ...noEffect('a listener of gRPC calls nobody', verifiesServers),
        ...ofGrpc,
      },
    }),
    ...noEffect(CHECKS, { enable_agent_tls_for_checks: bool() }),
  },
};

export const AUTO_KEYS = {
  auto_encrypt: {
    ...refused(AUTO, {
      tls: bool('', { shown: 'AutoEncryptTLS' }),
      allow_tls: bool('', { shown: 'AutoEncryptAllowTLS' }),
    }),
    ...noEffect(NO_AUTO, {
      dns_san: strings('', { shown: 'AutoEncryptDNSSAN' }),
      ip_san: strings('', { shown: 'AutoEncryptIPSAN' }),
    }),
  },
  auto_config: {
    ...refused(AUTO, { enabled: bool() }),
    ...noEffect(NO_AUTO, {
      intro_token: text(),
      intro_token_file: text(),
      server_addresses: strings(),
      dns_sans: strings(),
      ip_sans: strings(),
    }),
    authorization: {
      ...refused(AUTO, { enabled: bool() }),
      static: noEffect(NO_AUTO, {
        allow_reuse: bool(),
        claim_assertions: strings(),
        bound_audiences: strings(),
        bound_issuer: text(),
        claim_mappings: tree(),
        list_claim_mappings: tree(),
        clock_skew_leeway: duration(),
        expiration_leeway: duration(),
        not_before_leeway: duration(),
        jwks_ca_cert: text(),
        jwks_url: text(),
        jwt_supported_algs: strings(),
        jwt_validation_pub_keys: strings(),
        oidc_discovery_ca_cert: text(),
        oidc_discovery_url: text(),
      }),
    },
  },
};

type Values = Settled<typeof TLS_KEYS>;
type Shared = Settled<typeof SHARED>;

export interface Sides {
  readonly https: TlsSettings;
  readonly grpc: TlsSettings;
  readonly internalRpc: RpcTlsSettings;
}

/** What each listener says, else what the defaults say, else what the older keys say. */
export function tlsConfig(given: Values, problems: Problems) {
  const { https, grpc, internal_rpc: rpc, defaults } = given.tls;
  const verifyIncoming = defaults.verify_incoming ?? given.verify_incoming;
  const verifyServerHostname =
    rpc.verify_server_hostname ?? defaults.verify_server_hostname ?? given.verify_server_hostname;
  const verifyOutgoing =
    verifyServerHostname ||
    (rpc.verify_outgoing ?? defaults.verify_outgoing ?? given.verify_outgoing);
  const config: Sides = {
    https: {
      ...ownOrDefault(https, given),
      verifyIncoming: https.verify_incoming ?? (verifyIncoming || given.verify_incoming_https),
    },
    grpc: {
      ...ownOrDefault(grpc, given),
      verifyIncoming: grpc.verify_incoming ?? verifyIncoming,
    },
    internalRpc: {
      ...ownOrDefault(rpc, given),
      verifyIncoming: rpc.verify_incoming ?? (verifyIncoming || given.verify_incoming_rpc),
      verifyOutgoing,
      verifyServerHostname,
    },
  };
  refuseHalves(config, problems);
  return config;
}

function ownOrDefault(own: Shared, given: Values): Omit<TlsSettings, 'verifyIncoming'> {
  const { defaults } = given.tls;
  // An authority of its own, as a file or a folder, stands in the place of both.
  const hasAuthority = own.ca_file !== '' || own.ca_path !== '';
  const shared = defaults.ca_file !== '' || defaults.ca_path !== '' ? defaults : given;
  const trusted = hasAuthority ? own : shared;
  const version = own.tls_min_version || defaults.tls_min_version || given.tls_min_version;
  const suites = own.tls_cipher_suites || defaults.tls_cipher_suites || given.tls_cipher_suites;
  return {
    caFile: trusted.ca_file,
    caPath: trusted.ca_path,
    certFile: own.cert_file || defaults.cert_file || given.cert_file,
    keyFile: own.key_file || defaults.key_file || given.key_file,
    minVersion: NODE_VERSIONS[version] ?? 'TLSv1.2',
    suites: suiteNames(suites).flatMap((name) => openSslCipher(name) ?? []),
    prefersOwnSuites: given.tls_prefer_server_cipher_suites,
  };
}

/** In Consul's words, where it refuses them too. */
function refuseHalves({ https, grpc, internalRpc }: Sides, problems: Problems): void {
  if (internalRpc.verifyOutgoing && !namesAuthority(internalRpc)) {
    problems.refuse('VerifyOutgoing set, and no CA certificate provided!');
  }
  for (const side of [https, grpc, internalRpc]) {
    // Consul starts all the same, and is then reached by nobody who insists on TLS.
    if ((side.certFile === '') !== (side.keyFile === '')) {
      problems.refuse('cert_file and key_file go together: without both no TLS is spoken');
    }
    if (!side.verifyIncoming) continue;
    if (!namesAuthority(side)) {
      problems.refuse('VerifyIncoming set but no CA certificates were provided');
    } else if (side.certFile === '' || side.keyFile === '') {
      problems.refuse(
        'VerifyIncoming requires either a Cert and Key pair in the configuration file, ' +
          'or auto_encrypt/auto_config be enabled',
      );
    }
  }
}

function namesAuthority({ caFile, caPath }: TlsSettings): boolean {
  return caFile !== '' || caPath !== '';
}

function suiteNames(text: string): readonly string[] {
  return text.split(/\s*,\s*/).filter((name) => name !== '');
}

function cipherSuites(value: string, _path: string, problems: Problems): string {
  for (const name of suiteNames(value)) {
    if (openSslCipher(name) !== undefined) continue;
    const cause = `unsupported cipher ${JSON.stringify(name)}`;
    problems.error(`tls_cipher_suites: invalid tls cipher suites: ${cause}`);
  }
  return value;
}
