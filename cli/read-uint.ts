import { ProconsulError } from '../lib/errors.ts';
import type { FlagValues } from './flag-values.ts';

const MAX_UINT64 = 2n ** 64n - 1n;

/** A flag of 64 bits, 0 where it was not given. Throws ProconsulError 'invalid'. */
export function readUint(flags: FlagValues, name: string): bigint {
  const text = flags.text(name);
  if (!flags.has(name)) return 0n;
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && value <= MAX_UINT64) return value;
  const complaint = `invalid value ${JSON.stringify(text)} for flag -${name}: parse error`;
  throw new ProconsulError('invalid', complaint);
}
