/** What an agent's JSON says: whoever may write it says these, and nothing of it is sure but that it is JSON. */
import { isIP } from 'node:net';
import { NS_PER_MS, parseDuration } from '../lib/duration.ts';

export type Said = Readonly<Record<string, unknown>>;

export function objectIn(said: unknown): Said {
  return typeof said === 'object' && said !== null && !Array.isArray(said) ? (said as Said) : {};
}

export function listIn(said: unknown): readonly Said[] {
  return (Array.isArray(said) ? said : []).map(objectIn);
}

export function textIn(said: unknown): string {
  return typeof said === 'string' ? said : '';
}

export function textsIn(said: unknown): readonly string[] {
  return (Array.isArray(said) ? said : []).map(textIn).filter((each) => each !== '');
}

/** 0 for what is no number that can be counted by. */
export function countIn(said: unknown): number {
  return Number.isSafeInteger(said) && (said as number) > 0 ? (said as number) : 0;
}

/** In milliseconds; undefined for what is none, and for none at all. */
export function msIn(said: unknown): number | undefined {
  const ns = parseDuration(textIn(said));
  return ns === undefined || ns <= 0 ? undefined : ns / NS_PER_MS;
}

/** '' for what is no address: a proxy listens at addresses, and names are none. */
export function addressIn(said: unknown): string {
  return isIP(textIn(said)) === 0 ? '' : textIn(said);
}

/** 0 for what is none. */
export function portIn(said: unknown): number {
  const port = Number(said);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}
