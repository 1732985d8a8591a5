/**
 * What the page says, in each of its languages. A table of words is made by `words`: what is English decides
 * which words there are, and a word that Chinese lacks, or takes otherwise, is a type error.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals';

export const LANGUAGES = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;

/** The same words, whatever they say. */
export type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...given: infer G) => string
      ? (...given: G) => string
      : Same<T[K]>;
};

export const language = signal<Language>('en');

/** Of all that is written: digits and times are formatted by it. */
export const locale = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en'));

export function words<T extends object>(en: T, zh: Same<T>): ReadonlySignal<Same<T>> {
  const tables = { en: isolating(en as Same<T>), zh: isolating(zh) };
  return computed(() => tables[language.value]);
}

/** What a sentence is given turns nothing round but itself. */
function isolating<T>(said: T): T {
  if (typeof said === 'function') {
    return ((...given: readonly unknown[]) => said(...given.map(isolated))) as T;
  }
  if (Array.isArray(said)) return said.map(isolating) as T;
  if (typeof said !== 'object' || said === null) return said;
  const all = Object.entries(said).map(([name, each]) => [name, isolating(each)] as const);
  return Object.fromEntries(all) as T;
}

/** Letters that are read from the right, and marks that turn others round. */
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;
const MARKS = /[\u2066-\u2069]/g;

function isolated(given: unknown): unknown {
  if (typeof given !== 'string' || !TURNS.test(given)) return given;
  // A mark that closes more than was opened would close this one too.
  let depth = 0;
  const isBalanced = (given.match(MARKS) ?? []).every((mark) => {
    depth += mark === '\u2069' ? -1 : 1;
    return depth >= 0;
  });
  return `\u2068${isBalanced && depth === 0 ? given : given.replaceAll(MARKS, '')}\u2069`;
}

/** The first that we speak of those that somebody likes. */
export function languageFor(liked: readonly string[]): Language {
  const known = liked.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  return known.find(isLanguage) ?? 'en';
}

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}

/** 1234 as people write it. */
export function count(n: number): string {
  return n.toLocaleString(locale.value);
}

/** Of English alone: one thing, two things. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** 1536 as 1.5 kB: in thousands, as disks and Redis's own tools count. */
export function bytes(n: number): string {
  const step = n < 1000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(n) / 3));
  const shown = (n / 1000 ** step).toLocaleString(locale.value, { maximumSignificantDigits: 3 });
  return `${shown} ${SIZES[step]}`;
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** 0.9993 as 99.93 %, which is never rounded to what it has not reached. */
export function percent(share: number): string {
  const cut = share < 1 ? Math.min(Math.floor(share * 10_000) / 100, 99.99) : 100;
  return `${cut.toLocaleString(locale.value, { maximumFractionDigits: 2 })} %`;
}
