import { ProconsulError } from '../lib/errors.ts';

/** The two halves of `-flag=key=value`. Throws ProconsulError 'invalid' where there is one. */
export function splitPair(flag: string, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at >= 0) return [text.slice(0, at), text.slice(at + 1)];
  const why = `Missing "=" value in argument: ${text}`;
  throw new ProconsulError(
    'invalid',
    `invalid value ${JSON.stringify(text)} for flag -${flag}: ${why}`,
  );
}
