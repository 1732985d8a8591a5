/** By what of a request its host is chosen, where the policy hashes: as service-resolver says it. */
import type { HashBy } from '../../lib/balance/tunings.ts';
import { listIn, msIn, objectIn, type Said, textIn } from '../said.ts';
import { fieldIn, isFieldValue, trimmed } from './fields.ts';
import type { Head } from './head.ts';
import { parameterIn } from './matching.ts';

export interface HashRule {
  readonly field: 'header' | 'cookie' | 'query_parameter' | 'source';
  readonly name: string;
  /** A caller that has no such cookie is given one. */
  readonly cookie: { readonly attributes: string } | undefined;
  /** Where it finds something those after it do not count. */
  readonly isLast: boolean;
}

export interface Keyed {
  /** Undefined where the request has nothing of it. */
  readonly key: string | undefined;
  /** Of `set-cookie`, for the answer; '' for none. */
  readonly cookie: string;
}

/** As connections by TCP are, of which nothing else is known. */
export const BY_SOURCE: HashRule = { field: 'source', name: '', cookie: undefined, isLast: false };
/** Until the caller forgets it, and below whichever path it came by: else it would have another for each folder. */
const GIVEN = { attributes: '; Path=/; HttpOnly' };

const FIELDS: ReadonlySet<string> = new Set(['header', 'cookie', 'query_parameter']);
const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const MAX_RULES = 16;

export function hashRulesIn(json: unknown): readonly HashRule[] {
  return listIn(json).slice(0, MAX_RULES).flatMap(ruleIn);
}

function ruleIn(said: Said): readonly HashRule[] {
  const isLast = said['Terminal'] === true;
  if (said['SourceIP'] === true) return [{ ...BY_SOURCE, isLast }];
  const [field, name] = [textIn(said['Field']), textIn(said['FieldValue'])];
  if (!FIELDS.has(field) || name === '') return [];
  const cookie = field === 'cookie' && COOKIE_NAME.test(name) ? givenIn(said) : undefined;
  const asWritten = field === 'header' ? name.toLowerCase() : name;
  return [{ field: field as HashRule['field'], name: asWritten, cookie, isLast }];
}

/** As a flag says it: who has no such cookie is given one. */
export function hashRuleOf({ field, name }: HashBy): HashRule {
  if (field === 'source') return BY_SOURCE;
  const asSaid = { name, cookie: undefined, isLast: false };
  if (field === 'parameter') return { ...asSaid, field: 'query_parameter' };
  if (field === 'header') return { ...asSaid, field, name: name.toLowerCase() };
  return { ...asSaid, field, cookie: COOKIE_NAME.test(name) ? GIVEN : undefined };
}

function givenIn(said: Said): HashRule['cookie'] {
  if (said['CookieConfig'] === undefined) return undefined;
  const config = objectIn(said['CookieConfig']);
  const [ttl, path] = [msIn(config['TTL']), textIn(config['Path'])];
  const age = ttl === undefined ? '' : `; Max-Age=${Math.floor(ttl / 1000)}`;
  const below = path === '' || path.includes(';') || !isFieldValue(path) ? '' : `; Path=${path}`;
  return { attributes: `${age}${below}; HttpOnly` };
}

/** `newId`: what a caller is given that is to be known again. */
export function keyOf(
  rules: readonly HashRule[],
  head: Pick<Head, 'path' | 'fields' | 'authority'>,
  from: string,
  newId: () => string,
): Keyed {
  let [key, cookie]: [string | undefined, string] = [undefined, ''];
  for (const rule of rules) {
    let found = foundBy(rule, head, from);
    if (found === undefined && rule.cookie !== undefined) {
      found = newId();
      cookie = `${rule.name}="${found}"${rule.cookie.attributes}`;
    }
    if (found === undefined) continue;
    key = key === undefined ? found : `${key}\n${found}`;
    if (rule.isLast) break;
  }
  return { key, cookie };
}

function foundBy(
  { field, name }: HashRule,
  { path, fields, authority }: Pick<Head, 'path' | 'fields' | 'authority'>,
  from: string,
): string | undefined {
  switch (field) {
    case 'source':
      return from;
    case 'header':
      return name === 'host' || name === ':authority' ? authority : fieldIn(fields, name);
    case 'query_parameter':
      return parameterIn(path, name);
    case 'cookie':
      return cookieIn(fieldIn(fields, 'cookie') ?? '', name);
  }
}

function cookieIn(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=');
    // Without one it is a value that has no name.
    if (equals < 0 || trimmed(pair.slice(0, equals)) !== name) continue;
    return trimmed(pair.slice(equals + 1)).replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}
