/** The mesh: whether there is one, and who vouches for services in it. */
import type { Problems } from '../problems.ts';
import { bool, duration, newer, noEffect, optional, type Settled, text, tree } from '../row.ts';

export const CONNECT_KEYS = {
  connect: {
    enabled: bool('Compile chains of calls, and vouch for services to each other.', {
      shown: 'ConnectEnabled',
    }),
    ca_provider: text('Who signs: only `consul`, the authority that is built in.', {
      shown: 'ConnectCAProvider',
      rule: caProvider,
    }),
    ca_config: optional(
      tree('What the authority is told at its beginning: leaf_cert_ttl, private_key, …', {
        secret: true,
      }),
    ),
    test_ca_leaf_root_change_spread: duration(
      'How long agents may take to have certificates made anew after a change of the root; 0: 30 s.',
      { shown: 'ConnectTestCALeafRootChangeSpread' },
    ),
    ...noEffect('other data centres are not built yet', {
      enable_mesh_gateway_wan_federation: bool('', {
        shown: 'ConnectMeshGatewayWANFederationEnabled',
      }),
    }),
    ...newer('enable_serverless_plugin'),
  },
};

const CA_PROVIDERS = new Set(['', 'consul', 'vault', 'aws-pca']);
const ROOT_CHANGE_SPREAD_MS = 30_000;

function caProvider(value: string, _path: string, problems: Problems): string {
  if (!CA_PROVIDERS.has(value)) problems.refuse(`${value} is not a valid CA provider`);
  else if (value !== '' && value !== 'consul') {
    problems.refuse(`connect.ca_provider: ${value} is not offered here, only consul`);
  }
  return value;
}

/** As files say them; others are kept as they are. */
const CA_CONFIG_NAMES: Readonly<Record<string, string>> = {
  address: 'Address',
  csr_max_concurrent: 'CSRMaxConcurrent',
  csr_max_per_second: 'CSRMaxPerSecond',
  intermediate_cert_ttl: 'IntermediateCertTTL',
  leaf_cert_ttl: 'LeafCertTTL',
  private_key: 'PrivateKey',
  private_key_bits: 'PrivateKeyBits',
  private_key_type: 'PrivateKeyType',
  root_cert: 'RootCert',
  rotation_period: 'RotationPeriod',
  skip_validate: 'SkipValidate',
};

export function connectConfig({ connect }: Settled<typeof CONNECT_KEYS>) {
  const said = Object.entries(connect.ca_config ?? {});
  return {
    enabled: connect.enabled,
    caProvider: connect.ca_provider || 'consul',
    caConfig: Object.fromEntries(said.map(([name, value]) => [nameOf(name), value])),
    rootChangeSpreadMs: connect.test_ca_leaf_root_change_spread || ROOT_CHANGE_SPREAD_MS,
  };
}

function nameOf(name: string): string {
  return Object.hasOwn(CA_CONFIG_NAMES, name) ? (CA_CONFIG_NAMES[name] ?? name) : name;
}
