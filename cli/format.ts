/** How a command shows what it was told: for people, or as JSON for programs. */
import type { Flag } from '../lib/config/flags.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { FlagValues } from './flag-values.ts';

export const FORMAT: readonly [string, Flag] = [
  'format',
  { kind: 'string', help: 'pretty (the default) or json.' },
];

/** Throws ProconsulError 'invalid' for another: asked for before anything is done. */
export function wantsJson(flags: FlagValues): boolean {
  const format = flags.text('format') || 'pretty';
  if (format === 'pretty' || format === 'json') return format === 'json';
  throw new ProconsulError('invalid', `Unknown format: ${format}`);
}
