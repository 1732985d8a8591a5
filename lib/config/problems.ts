import { formatDuration, NS_PER_MS, parseDuration } from '../duration.ts';
import { errorList } from './decode.ts';

/** Gathers what is wrong with a configuration, so that one start tells all of it. */
export class Problems {
  /** What cannot be read. */
  readonly errors: string[] = [];
  /** What can be read and is not allowed. */
  readonly refusals: string[] = [];
  readonly warnings: string[] = [];

  error(text: string): void {
    if (!this.errors.includes(text)) this.errors.push(text);
  }

  refuse(text: string): void {
    if (!this.refusals.includes(text)) this.refusals.push(text);
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  /** Milliseconds of a duration such as '1m30s', which must not be negative. */
  durationMs(path: string, text: string | undefined, defaultMs: number): number {
    if (text === undefined) return defaultMs;
    const ns = parseDuration(text);
    if (ns === undefined) {
      this.error(`${path}: invalid duration: ${JSON.stringify(text)}: ${reason(text)}`);
      return defaultMs;
    }
    if (ns < 0) {
      this.refuse(`${path} cannot be ${formatDuration(ns)}. Must be greater than or equal to zero`);
      return defaultMs;
    }
    return ns / NS_PER_MS;
  }

  /** The value, if it is one of these; else the first of them and an error. */
  oneOf<T extends string>(
    path: string,
    value: string | undefined,
    allowed: readonly [T, ...T[]],
  ): T {
    if (value === undefined || value === '') return allowed[0];
    const found = allowed.find((each) => each === value);
    if (found === undefined) {
      const list = allowed.map((each) => JSON.stringify(each)).join(', ');
      this.refuse(`${path} cannot be ${JSON.stringify(value)}. Must be one of ${list}`);
    }
    return found ?? allowed[0];
  }

  /** Consul's words for all of it: a list, or the bare line where something alone is not allowed. */
  summary(): string | undefined {
    const all = [...this.errors, ...this.refusals];
    if (all.length === 0) return undefined;
    return this.errors.length === 0 && all.length === 1 ? all[0] : errorList(all);
  }

  /** The value, if it is an integer from `min` on; else an error. */
  atLeast(path: string, value: number | undefined, { min, fallback }: Bounds): number {
    if (value === undefined) return fallback;
    if (value >= min) return value;
    const bound = min === 0 ? 'zero' : String(min);
    this.refuse(`${path} cannot be ${value}. Must be greater than or equal to ${bound}`);
    return fallback;
  }
}

interface Bounds {
  readonly min: number;
  readonly fallback: number;
}

/** As Go's time package puts it. */
function reason(text: string): string {
  const quoted = JSON.stringify(text);
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return `time: missing unit in duration ${quoted}`;
  const unit = /^[+-]?(?:\d+\.?\d*|\.\d+)([^\d.]+)$/.exec(text)?.[1];
  if (unit !== undefined && parseDuration(`1${unit}`) === undefined) {
    return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
  }
  return `time: invalid duration ${quoted}`;
}
