/** The outside of a JSON Web Token: what can be said of it before anybody asks whether it is true. */
import { ProconsulError } from '../../../lib/errors.ts';

const PARTS = 3;
const NOT_BASE64URL = /[^A-Za-z0-9_-]/;

/** What is wrong with its form; undefined when nothing is. Says nothing of what it holds. */
export function jwsComplaint(token: string): string | undefined {
  const parts = token.split('.');
  if (parts.length !== PARTS) {
    return 'square/go-jose: compact JWS format must have three parts';
  }
  const bad = parts.find((part) => NOT_BASE64URL.test(part) || part.length % 4 === 1);
  if (bad !== undefined) {
    const at = Math.max(0, bad.search(NOT_BASE64URL));
    return `illegal base64 data at input byte ${at}`;
  }
  return isObject(parts[0] ?? '') ? undefined : 'square/go-jose: the header is no JSON object';
}

function isObject(part: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

export function refuseMalformed(token: string, opening: string): void {
  const complaint = jwsComplaint(token);
  if (complaint !== undefined) throw new ProconsulError('rejected', `${opening}: ${complaint}`);
}
