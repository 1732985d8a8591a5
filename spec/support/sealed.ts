import { type Logger, silentLogger } from '../../lib/logger.ts';
import { parseKey } from '../../lib/seal/key.ts';
import type { Keyring } from '../../lib/seal/keyring.ts';
import {
  SealedPayloads,
  type SealedPayloadsDeps,
} from '../../server/log/sealed/sealed-payloads.ts';

/** Keys of each size that there is. */
export const KEYS = {
  first: 'pUqJrVyVRj5jsiYEkM/tFQ==',
  second: 'cg8StVXbQJ0gPvMd9o7yrg==',
  third: 'MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0',
  fourth: 'pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=',
} as const;

export function keyringOf(...keys: readonly string[]): Keyring {
  return { version: 0, keys: keys.map(parseKey), retired: [], removed: [] };
}

export interface SealedOptions extends Partial<Omit<SealedPayloadsDeps, 'keyring'>> {
  readonly keys?: readonly string[];
  readonly logger?: Logger;
}

/** As a server with these keys has them; what is kept goes nowhere. */
export function sealedPayloads({ keys = [KEYS.first], ...deps }: SealedOptions = {}) {
  return new SealedPayloads({
    datacenter: 'dc1',
    keyring: keyringOf(...keys),
    keep: () => undefined,
    refusesPlain: true,
    seals: true,
    logger: silentLogger,
    ...deps,
  });
}
