/** Times as people say them. */
import { computed } from '@preact/signals';
import { locale, words } from './words.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', SECOND],
] as const;

const timeWords = words(
  { justNow: 'just now', day: 'd', hour: 'h', minute: 'min', second: 's', shorter: 'under 1 s' },
  { justNow: '刚刚', day: '天', hour: '小时', minute: '分', second: '秒', shorter: '不到 1 秒' },
);

/** To make one takes longer than to write a row of a list: there is one for each language. */
const relative = computed(() => new Intl.RelativeTimeFormat(locale.value, { numeric: 'always' }));
const whole = computed(
  () => new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'long' }),
);
const ofDay = computed(() => new Intl.DateTimeFormat(locale.value, { timeStyle: 'medium' }));

/** How long ago, or how long yet: in the largest unit of which there is one. */
export function ago(at: number, now: number): string {
  const ms = at - now;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(ms) >= each) ?? [];
  if (unit === undefined) return timeWords.value.justNow;
  return relative.value.format(Math.trunc(ms / size), unit);
}

/** How long something took or takes, in its two largest units: 3 h 12 min. */
export function lasting(ms: number): string {
  const first = UNITS.findIndex(([, each]) => ms >= each);
  if (first < 0) return timeWords.value.shorter;
  let left = ms;
  const parts: string[] = [];
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const n = Math.floor(left / size);
    left -= n * size;
    if (n > 0) parts.push(`${n} ${timeWords.value[unit]}`);
  }
  return parts.join(' ');
}

/** The whole of it, as the reader's clock has it. */
export function exact(at: number): string {
  return whole.value.format(at);
}

/** Of what is near enough that nobody asks for the day. */
export function timeOfDay(at: number): string {
  return ofDay.value.format(at);
}

/** Go's durations, of which the API has some as text and some in nanoseconds, in milliseconds. */
export function goDuration(text: string): number {
  let ms = 0;
  for (const [, n = '', unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) {
    ms += Number(n) * (GO_UNITS[unit] ?? 0);
  }
  return ms;
}

const GO_UNITS: Readonly<Record<string, number>> = {
  h: HOUR,
  m: MINUTE,
  s: SECOND,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};
