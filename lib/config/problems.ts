import { formatDuration, NS_PER_MS, parseDuration } from '../duration.ts';

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

  /** Consul's words for all of it: a list, or the bare line where something alone is not allowed. */
  summary(): string | undefined {
    const all = [...this.errors, ...this.refusals];
    if (all.length === 0) return undefined;
    return this.errors.length === 0 && all.length === 1 ? all[0] : errorList(all);
  }
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

/** Several errors as Consul prints them. */
export function errorList(errors: readonly string[]): string {
  const count = errors.length === 1 ? '1 error' : `${errors.length} errors`;
  return `${count} occurred:\n${errors.map((error) => `\t* ${error}\n`).join('')}\n`;
}
