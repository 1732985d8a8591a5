/** What is said of rows that were kept back from whoever asks. */
import { ANONYMOUS_ACCESSOR_ID } from './model.ts';
import type { Caller } from './rights.ts';

/** A stranger, as in Consul, is not even told that there are some. */
export function keptBackHeader(
  anything: boolean,
  { accessorId }: Pick<Caller, 'accessorId'>,
): Readonly<Record<string, string>> {
  const tells = anything && accessorId !== ANONYMOUS_ACCESSOR_ID;
  return tells ? { 'X-Consul-Results-Filtered-By-Acls': 'true' } : {};
}

/** Those of an agent's own things that may be seen, and the header that says so. */
export function seenBy<T>(
  caller: Caller,
  all: Iterable<T>,
  sees: (each: T) => boolean,
): { readonly seen: readonly T[]; readonly headers: Readonly<Record<string, string>> } {
  const each = [...all];
  const seen = each.filter(sees);
  return { seen, headers: keptBackHeader(seen.length < each.length, caller) };
}
