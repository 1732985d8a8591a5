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
  return computed(() => (language.value === 'zh' ? zh : (en as Same<T>)));
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
