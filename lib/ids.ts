/** Ids as Consul takes them. */
import { createHash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const ID_LENGTH = 36;
const MAX_HYPHENS = 4;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * What is wrong with an id that something is looked up by; undefined when nothing is. Consul asks
 * for 36 characters, hex digits and up to four hyphens, wherever they stand.
 */
export function idComplaint(id: string): string | undefined {
  const bytes = Buffer.from(id);
  if (bytes.length !== ID_LENGTH) return 'UUID must be 36 characters';
  const digits = bytes.toString('latin1').replaceAll('-', '');
  const hyphens = ID_LENGTH - digits.length;
  if (hyphens > MAX_HYPHENS)
    return `UUID should have maximum of ${MAX_HYPHENS} "-"; got ${hyphens}`;
  if (digits.length % 2 !== 0) return 'Input (without hyphens) must be even length';
  const [bad] = /[^0-9a-f]/i.exec(digits) ?? [];
  if (bad === undefined) return undefined;
  const code = bad.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `Invalid UUID: encoding/hex: invalid byte: U+${code} '${bad}'`;
}

/** The one way to write an id: the digits say which it is, wherever the hyphens stood. */
export function canonicalId(id: string): string {
  const digits = id.replaceAll('-', '').toLowerCase();
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The same for the same parts, each time and everywhere. */
export function derivedUuid(...parts: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return canonicalId(digest.slice(0, 32));
}
