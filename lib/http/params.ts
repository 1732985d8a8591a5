import { parseDuration } from '../duration.ts';
import { ProconsulError } from '../errors.ts';
import { parseBool, uint64Complaint } from '../go-literals.ts';
import { type RowParams, refuseUnsaid } from './takes.ts';

/** Nothing in it stands for something else. To have it decoded takes as long as the rest of a short request. */
const AS_IT_READS = /^[!-$&-*,-~]*$/;

function split(part: string): [key: string, value: string] {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

/** A request's query string. Consul has flags that count when present and others that are parsed. */
export class Params {
  readonly #values = new Map<string, string[]>();
  #row: { readonly params?: RowParams } | undefined;

  constructor(queryString: string) {
    if (queryString === '') return;
    if (AS_IT_READS.test(queryString)) {
      for (const part of queryString.split('&')) if (part !== '') this.#add(...split(part));
      return;
    }
    // The class takes a '?' in front for the mark before the query, which is off already.
    for (const [key, value] of new URLSearchParams(`&${queryString}`)) this.#add(key, value);
  }

  #add(key: string, value: string): void {
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, [value]);
    else values.push(value);
  }

  /** From now on it is for a row: what that does not say it takes, it must not ask for. */
  handTo(row: { readonly params?: RowParams }): void {
    this.#row = row;
  }

  /** Whether the row takes it; without a row whatever is sent is taken. */
  takes(name: string): boolean {
    return this.#row === undefined || Object.hasOwn(this.#row.params ?? {}, name);
  }

  /** Whether it is there at all: `?stale`, `?stale=`, `?stale=false` are the same. */
  has(name: string): boolean {
    return this.#of(name) !== undefined;
  }

  /** The first value, '' when it is not there. */
  get(name: string): string {
    return this.#of(name)?.[0] ?? '';
  }

  all(name: string): readonly string[] {
    return this.#of(name) ?? [];
  }

  #of(name: string): readonly string[] | undefined {
    if (this.#row !== undefined) refuseUnsaid(name, this.#row.params);
    return this.#values.get(name);
  }

  /** Undefined when it is not there or empty. Refuses what is no boolean, in the words given. */
  bool(
    name: string,
    complaint: (value: string) => string = () => `Invalid value for ?${name}`,
  ): boolean | undefined {
    const value = this.get(name);
    if (value === '') return undefined;
    const parsed = parseBool(value);
    if (parsed !== undefined) return parsed;
    throw new ProconsulError('invalid', complaint(value));
  }

  /** A u64, digit by digit; undefined when it is not there or none. */
  uint64(name: string): bigint | undefined {
    const value = this.get(name);
    return uint64Complaint(value) === undefined ? BigInt(value) : undefined;
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
