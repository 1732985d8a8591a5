/** What `connect.ca_config`, or whoever writes the configuration, may tell the authority. */
import { isPair, type KeyKind, readKey } from '../../lib/connect/keys.ts';
import { plainName, valueDecoder } from '../../lib/decode.ts';
import { formatDuration, NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';

export interface CaSettings {
  /** As PEM; '' where it is to be made here. */
  readonly privateKey: string;
  readonly rootCert: string;
  readonly leafTtlMs: number;
  readonly intermediateTtlMs: number;
  /** Of keys that are made here. */
  readonly kind: KeyKind;
  /** Whether somebody asked for that kind. */
  readonly isKindSaid: boolean;
}

/** As it is shown where nobody has told the authority anything. */
export const DEFAULT_CA_CONFIG = {
  LeafCertTTL: '72h',
  IntermediateCertTTL: '8760h',
  RotationPeriod: '2160h',
};

const HOUR_MS = 3600_000;
const LEAF_TTL = { least: HOUR_MS, most: 8760 * HOUR_MS, usual: 72 * HOUR_MS };
const INTERMEDIATE_TTL_MS = 8760 * HOUR_MS;
const EC_BITS: readonly number[] = [224, 256, 384, 521];
const RSA_BITS: readonly number[] = [2048, 4096];
/** Nobody here can make a key of it. */
const UNKNOWN_EC_BITS = 224;

interface Said {
  readonly PrivateKey: string;
  readonly RootCert: string;
  readonly PrivateKeyType: string;
  readonly PrivateKeyBits: number;
}

const text = { type: 'string', default: '' } as const;

const decode = valueDecoder<Said>({
  type: 'object',
  properties: {
    PrivateKey: text,
    RootCert: text,
    PrivateKeyType: text,
    PrivateKeyBits: { type: 'integer', default: 0, minimum: 0 },
  },
});

/** Throws 'rejected' in Consul's words. */
export function readCaSettings(
  provider: string,
  config: Readonly<Record<string, unknown>> | null,
): CaSettings {
  refuseProvider(provider);
  const said = decode(config ?? {});
  const kind = kindOf(said);
  const leafTtlMs = leafTtl(ttl(config, 'LeafCertTTL'));
  const intermediateTtlMs = ttl(config, 'IntermediateCertTTL') ?? INTERMEDIATE_TTL_MS;
  if (intermediateTtlMs < 3 * HOUR_MS) {
    throw wrong('Intermediate Cert TTL must be greater or equal than 3h');
  }
  refuseStrangeKeys(said);
  return {
    privateKey: said.PrivateKey,
    rootCert: said.RootCert,
    leafTtlMs,
    intermediateTtlMs,
    kind,
    isKindSaid: said.PrivateKeyType !== '' || said.PrivateKeyBits !== 0,
  };
}

/** What is no secret of what is known, as the decoder takes names. */
const PUBLIC: ReadonlySet<string> = new Set(
  [
    'CSRMaxConcurrent',
    'CSRMaxPerSecond',
    'IntermediateCertTTL',
    'LeafCertTTL',
    'PrivateKeyBits',
    'PrivateKeyType',
    'RootCert',
    'RootCertTTL',
    'RotationPeriod',
    'SkipValidate',
  ].map(plainName),
);

/** Without what may be a secret: whoever has the key can be any service of the mesh. */
export function withoutSecrets(
  config: Readonly<Record<string, unknown>> | null,
): Readonly<Record<string, unknown>> | null {
  if (config === null) return null;
  const shown = Object.entries(config).map(([name, value]) => [
    name,
    PUBLIC.has(plainName(name)) ? value : 'hidden',
  ]);
  return Object.fromEntries(shown);
}

/** Consul's others are not offered: they speak to a Vault, or to a cloud. */
function refuseProvider(provider: string): void {
  if (provider === 'consul') return;
  if (provider === 'vault' || provider === 'aws-pca') {
    throw new ProconsulError(
      'rejected',
      `error configuring provider: the CA provider "${provider}" is not offered here, only "consul"`,
    );
  }
  throw new ProconsulError(
    'rejected',
    `could not initialize provider: unknown CA provider ${JSON.stringify(provider)}`,
  );
}

function kindOf({ PrivateKeyType: type, PrivateKeyBits }: Said): KeyKind {
  if (type !== '' && type !== 'ec' && type !== 'rsa') {
    throw wrong("private key type must be either 'ec' or 'rsa'");
  }
  if (type === 'rsa') {
    const bits = PrivateKeyBits || 2048;
    if (!RSA_BITS.includes(bits)) throw wrong('RSA key length must be 2048 or 4096 bits');
    return { type, bits };
  }
  const bits = PrivateKeyBits || 256;
  if (!EC_BITS.includes(bits)) {
    throw wrong('EC key length must be one of (224, 256, 384, 521) bits');
  }
  if (bits === UNKNOWN_EC_BITS) throw wrong('EC keys of 224 bits cannot be made here');
  return { type: 'ec', bits };
}

function leafTtl(given: number | undefined): number {
  const ms = given ?? LEAF_TTL.usual;
  if (ms < LEAF_TTL.least) {
    throw wrong(`leaf cert TTL must be greater or equal than ${shown(LEAF_TTL.least)}`);
  }
  if (ms > LEAF_TTL.most) throw wrong(`leaf cert TTL must be less than ${shown(LEAF_TTL.most)}`);
  return ms;
}

/** Undefined where it is not said; text or nanoseconds. */
function ttl(
  config: Readonly<Record<string, unknown>> | null,
  name: 'LeafCertTTL' | 'IntermediateCertTTL',
): number | undefined {
  const value = config?.[name];
  if (value === undefined || value === null || value === '' || value === 0) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value / NS_PER_MS;
  const ns = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ns !== undefined) return ns / NS_PER_MS;
  const fault = `time: invalid duration ${encodeJson(value)}`;
  throw wrong(
    `error decoding config: 1 error(s) decoding:\n\n* error decoding '${name}': ${fault}`,
  );
}

function shown(ms: number): string {
  return formatDuration(ms * NS_PER_MS);
}

function refuseStrangeKeys({ PrivateKey, RootCert }: Said): void {
  if (PrivateKey === '') {
    if (RootCert === '') return;
    throw wrong('must provide a private key when providing a root cert');
  }
  // What was given is not repeated: it may be nearly a key.
  const key = orElse(() => readKey(PrivateKey));
  if (key === undefined) {
    throw new ProconsulError(
      'rejected',
      'error generating CA root certificate: error generating CA: error parsing private key',
    );
  }
  if (RootCert !== '' && !isPair(RootCert, key)) {
    throw wrong('the root certificate is not that of the private key');
  }
}

function orElse<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function wrong(why: string): ProconsulError {
  return new ProconsulError('rejected', `error configuring provider: ${why}`);
}
