import { parseDuration } from '../duration.ts';
import { ProconsulError } from '../errors.ts';

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);
const MAX_UINT64 = 2n ** 64n - 1n;

/** A request's query string. Consul has flags that count when present and others that are parsed. */
export class Params {
  readonly #values = new Map<string, string[]>();

  constructor(queryString: string) {
    for (const [key, value] of new URLSearchParams(queryString)) {
      const values = this.#values.get(key);
      if (values === undefined) this.#values.set(key, [value]);
      else values.push(value);
    }
  }

  /** Whether it is there at all: `?stale`, `?stale=`, `?stale=false` are the same. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The first value, '' when it is not there. */
  get(name: string): string {
    return this.#values.get(name)?.[0] ?? '';
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  entries(): IterableIterator<[string, readonly string[]]> {
    return this.#values.entries();
  }

  /** Go's ParseBool; undefined when it is not there or empty. */
  bool(name: string): boolean | undefined {
    const value = this.get(name);
    if (value === '') return undefined;
    if (TRUE.has(value)) return true;
    if (FALSE.has(value)) return false;
    throw new ProconsulError('invalid', `Invalid value for ?${name}`);
  }

  /** A u64, digit by digit; undefined when it is not there or none. */
  uint64(name: string): bigint | undefined {
    const value = this.get(name);
    if (!/^\d{1,20}$/.test(value)) return undefined;
    const number = BigInt(value);
    return number <= MAX_UINT64 ? number : undefined;
  }

  /** Nanoseconds; undefined when it is not there. Refuses what is none with the text given. */
  duration(name: string, complaint: string): number | undefined {
    const value = this.get(name);
    if (value === '') return undefined;
    const ns = parseDuration(value);
    if (ns === undefined) throw new ProconsulError('invalid', complaint);
    return ns;
  }
}

/** What Go says of a text that is no u64; undefined when it is one. */
export function uint64Complaint(text: string): string | undefined {
  const parsing = `strconv.ParseUint: parsing ${JSON.stringify(text)}`;
  if (!/^\d+$/.test(text)) return `${parsing}: invalid syntax`;
  return BigInt(text.slice(0, 400)) > MAX_UINT64 ? `${parsing}: value out of range` : undefined;
}
