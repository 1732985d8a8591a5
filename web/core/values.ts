/** Values of keys: base64 in the API, text or bytes to people. */
import { readJson } from './exact-json.ts';

/** What a value says; undefined where it is no text. */
export function textOf(value: string | null): string | undefined {
  const bytes = Uint8Array.from(atob(value ?? ''), (char) => char.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** How many bytes a value has. */
export function sizeOf(value: string | null): number {
  if (value === null) return 0;
  return (value.length / 4) * 3 - (/=*$/.exec(value)?.[0].length ?? 0);
}

/** Why a text that looks like JSON is none; '' where it is, or is something else. */
export function jsonProblem(text: string): string {
  if (!/^\s*[[{]/.test(text)) return '';
  try {
    readJson(text);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
