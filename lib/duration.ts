const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
/** Both letters that look so, by their codes: see `oneByte` in pack/bundle.ts. */
const PART = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

export const NS_PER_MS = 1e6;

/** Go's time.ParseDuration: '1m30s', '15.0s', '0.001s'. Nanoseconds, or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const negative = text.startsWith('-');
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  let ns = 0;
  let at = 0;
  while (at < body.length) {
    PART.lastIndex = at;
    const part = PART.exec(body);
    if (part === null) return undefined;
    ns += Number(part[1]) * (UNIT_NS[part[2] ?? ''] ?? Number.NaN);
    at = PART.lastIndex;
  }
  // Go's int64 of nanoseconds ends at about 292 years.
  if (at === 0 || !(ns < 2 ** 63)) return undefined;
  return negative ? -Math.round(ns) : Math.round(ns);
}

/** What Go says of a text that is no duration. */
export function durationComplaint(text: string): string {
  const quoted = JSON.stringify(text);
  let rest = text.replace(/^[+-]/, '');
  while (rest !== '') {
    const [part = '', number, unit = ''] = /^(\d+\.?\d*|\.\d+)([^.\d]*)/.exec(rest) ?? [];
    if (number === undefined) break;
    if (unit === '') return `time: missing unit in duration ${quoted}`;
    if (!Object.hasOwn(UNIT_NS, unit)) {
      return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
    }
    rest = rest.slice(part.length);
  }
  return `time: invalid duration ${quoted}`;
}

/** Go's Duration.String(): 90e9 → '1m30s', 1.5e6 → '1.5ms'. */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s';
  const sign = ns < 0 ? '-' : '';
  const size = Math.abs(ns);
  if (size < 1e3) return `${sign}${size}ns`;
  if (size < 1e6) return `${sign}${size / 1e3}µs`;
  if (size < 1e9) return `${sign}${size / 1e6}ms`;
  const hours = Math.floor(size / 3600e9);
  const minutes = Math.floor((size % 3600e9) / 60e9);
  // Nanoseconds as an integer first: 0.1 + 0.2 has no place in a configuration.
  const seconds = Math.round(size % 60e9) / 1e9;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}
