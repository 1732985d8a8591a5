/**
 * Which requests a permission is about, as rules of Envoy's. What is denied is denied however it is written: Envoy looks at all
 * values of a header as one, takes methods as they stand, and knows of a path's codes only what it has normalized.
 */
import { objectIn } from '../../sidecar/said.ts';
import type { Message } from '../resource.ts';
import { isPattern } from './acceptable.ts';
import type { HttpMatch, ParamMatch } from './chain.ts';
import { headerOf, regex } from './routes.ts';
import { quoted } from './text-patterns.ts';

export const ANY: Message = { any: true };

export function requestOf(http: HttpMatch, isAllowing: boolean): Message {
  const { Header, Methods } = http;
  const methods = Methods ?? [];
  const rules = [
    ...pathRules(http, isAllowing),
    ...(Header ?? []).map((each) => headerRule(each, isAllowing)),
    ...(methods.length > 0 ? [{ header: byMethod(methods, isAllowing) }] : []),
  ];
  return all(rules);
}

function all(rules: readonly Message[]): Message {
  const [only] = rules;
  if (only === undefined) return ANY;
  return rules.length === 1 ? only : { and_rules: { rules } };
}

function anyOf(rules: readonly Message[]): Message {
  const [only = ANY] = rules;
  return rules.length === 1 ? only : { or_rules: { rules } };
}

/** Some programs take `delete` for the same. */
function byMethod(methods: readonly string[], isAllowing: boolean): Message {
  const among = methods.map(quoted).join('|');
  return { name: ':method', string_match: regex(isAllowing ? among : `(?i:${among})`) };
}

function pathRules({ PathExact, PathPrefix, PathRegex }: HttpMatch, isAllowing: boolean) {
  const by = (path: Message) => ({ url_path: { path } });
  if (PathExact) {
    const coded = isAllowing ? [] : codedPath(PathExact, false);
    return [anyOf([{ exact: PathExact }, ...coded].map(by))];
  }
  if (PathPrefix) {
    const coded = isAllowing ? [] : codedPath(PathPrefix, true);
    return [anyOf([{ prefix: PathPrefix }, ...coded].map(by))];
  }
  return PathRegex ? [by(regex(PathRegex))] : [];
}

const ANYTHING = '(?s:.*)';
/** What Envoy leaves as it is, and as it stands. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]*)+$/;

/** The same path with codes for what is no letter or figure; nothing where there is none, and no other way to write it. */
function codedPath(path: string, isPrefix: boolean): Message[] {
  // Of nothing but slashes Envoy leaves two.
  if (path === '/') return isPrefix ? [] : [{ exact: '//' }];
  if (PLAIN.test(path) && !path.includes('//')) return [];
  const meant = decodedText(path)
    .replaceAll('\\', '/')
    .replace(/\/{2,}/g, '/');
  // Of a prefix nobody knows how its last part goes on.
  const whole = isPrefix ? meant.slice(0, meant.lastIndexOf('/') + 1) : meant;
  const letters = [...withoutDots(whole), ...meant.slice(whole.length)].map((each) => {
    if (/[\w.~/-]/.test(each)) return quoted(each);
    const code = [...Buffer.from(each)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`);
    return `(?:${quoted(each)}|(?i:${code.join('')}))`;
  });
  const pattern = letters.join('') + (isPrefix ? ANYTHING : '');
  return isPattern(pattern) ? [regex(pattern)] : [];
}

/** Codes as what they stand for; those that are no text stay. */
function decodedText(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (codes) => {
    try {
      return decodeURIComponent(codes);
    } catch {
      return codes;
    }
  });
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  const [, ...parts] = path.split('/');
  for (const part of parts) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
  }
  if (/\/\.{1,2}$/.test(path)) kept.push('');
  return `/${kept.join('/')}`;
}

/** Of these a request has one. */
const ALONE = /^(?::.*|host|content-length)$/i;

function headerRule(said: ParamMatch, isAllowing: boolean): Message {
  const plain = { header: headerOf({ ...said, Invert: false }) };
  const member = ALONE.test(said.Name) ? undefined : memberPattern(said);
  const met = [
    plain,
    ...(member === undefined ? [] : [{ header: { name: said.Name, string_match: regex(member) } }]),
  ];
  if (!isAllowing) {
    // A header that is not there Envoy takes for none that is otherwise: what is denied then is denied without it too.
    return said.Invert === true ? { not_rule: plain } : anyOf(met);
  }
  if (said.Invert !== true) return plain;
  const other = { header: headerOf(said) };
  return all([other, ...met.slice(1).map((each) => ({ not_rule: each }))]);
}

/** One of several values, with commas between them: undefined where nothing is asked of it, or where that is one. */
function memberPattern(said: ParamMatch): string | undefined {
  const value = valuePattern(said);
  if (value === undefined) return undefined;
  const pattern = `(?s:.*,)?[ \\t]*${value}[ \\t]*(?s:,.*)?`;
  // It may end within its own signs.
  return isPattern(pattern) ? pattern : undefined;
}

function valuePattern(said: ParamMatch): string | undefined {
  const {
    Exact = '',
    Prefix = '',
    Suffix = '',
    Contains = '',
    Regex = '',
  } = objectIn(said) as Partial<ParamMatch>;
  if (Regex !== '') return `(?:${Regex})`;
  const inCase = (text: string) =>
    said.IgnoreCase === true ? `(?i:${quoted(text)})` : quoted(text);
  if (Prefix !== '') return inCase(Prefix) + ANYTHING;
  if (Suffix !== '') return ANYTHING + inCase(Suffix);
  return Contains === '' && Exact !== '' ? inCase(Exact) : undefined;
}
