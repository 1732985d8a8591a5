/** The mesh's authority in an archive: records of Consul's as rows. */

import type { Raw } from '../../../lib/archive/records.ts';
import { asGoWrites, fingerprintOf } from '../../../lib/connect/keys.ts';
import { valueDecoder } from '../../../lib/decode.ts';
import { isUuid } from '../../../lib/ids.ts';
import { withFields } from '../../../lib/with-fields.ts';
import type { StagedRow } from '../../commands.ts';
import type { RootKey } from '../../connect-commands.ts';
import { type Fields, timeOf } from './go-values.ts';

/** The longest that a certificate may be valid: what was signed is not in there. */
const LEAF_TTL_MS = 8760 * 3600_000;
const LIVES_AFTER = 2;

const text = { type: 'string', default: '' } as const;
const flag = { type: 'boolean', default: false } as const;
const count = { type: 'integer', default: 0, minimum: 0 } as const;

interface RootFields {
  readonly ID: string;
  readonly Name: string;
  readonly SerialNumber: number;
  readonly SigningKeyID: string;
  readonly ExternalTrustDomain: string;
  readonly RootCert: string;
  readonly IntermediateCerts?: readonly string[];
  readonly Active: boolean;
  readonly PrivateKeyType: string;
  readonly PrivateKeyBits: number;
}

const rootBody = valueDecoder<RootFields>({
  type: 'object',
  properties: {
    ID: text,
    Name: text,
    SerialNumber: count,
    SigningKeyID: text,
    ExternalTrustDomain: text,
    RootCert: text,
    IntermediateCerts: { type: 'array', items: { type: 'string' } },
    Active: flag,
    PrivateKeyType: text,
    PrivateKeyBits: count,
  },
});

const configBody = valueDecoder<{
  readonly ClusterID: string;
  readonly Provider: string;
  readonly Config?: Readonly<Record<string, unknown>>;
  readonly ForceWithoutCrossSigning: boolean;
}>({
  type: 'object',
  properties: {
    ClusterID: text,
    Provider: text,
    Config: { type: 'object', free: true },
    ForceWithoutCrossSigning: flag,
  },
});

const keyBody = valueDecoder<{
  readonly ID: string;
  readonly PrivateKey: string;
  readonly RootCert: string;
}>({ type: 'object', properties: { ID: text, PrivateKey: text, RootCert: text } });

/** Throws where the certificate is none, or not the one that the record names. */
export function caRootRows({ fields, raw, indexed }: Fields): readonly StagedRow[] {
  const { IntermediateCerts, ...root } = rootBody(fields);
  if (fingerprintOf(root.RootCert) !== root.ID) throw new Error('a root is not what it says');
  const caRoot = withFields(root, {
    IntermediateCerts: IntermediateCerts ?? null,
    NotBefore: timeIn(raw['NotBefore']),
    NotAfter: timeIn(raw['NotAfter']),
    ...indexed,
  });
  if (root.Active) return [{ caRoot }];
  const goesAt = timeOf(raw['RotatedOutAt']) + LIVES_AFTER * LEAF_TTL_MS;
  return [{ caRoot }, { rootKey: withFields(keyOf(root.ID), { goesAt }) }];
}

export function caConfigRow({ fields, indexed }: Fields): StagedRow {
  const { Config, ...config } = configBody(fields);
  if (!isUuid(config.ClusterID)) throw new Error('the authority names no cluster');
  return { caConfig: withFields(config, { Config: Config ?? null, State: null, ...indexed }) };
}

/** Of the root that signs; others have none any more. */
export function rootKeyRow({ fields }: Fields): StagedRow {
  const { ID, PrivateKey, RootCert } = keyBody(fields);
  const root = fingerprintOf(RootCert);
  return { rootKey: withFields(keyOf(root), { privateKey: PrivateKey, madeOf: ID }) };
}

function keyOf(root: string): RootKey {
  return { root, privateKey: '', madeOf: '', leafTtlMs: LEAF_TTL_MS, goesAt: 0 };
}

function timeIn(value: Raw | undefined): string {
  return asGoWrites(timeOf(value));
}
