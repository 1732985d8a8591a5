/** What is said of rows that were kept back from whoever asks. */
import type { Caller } from './rights.ts';

type Headers = Readonly<Record<string, string>>;

export function keptBackHeader(isAnything: boolean, { hearsOfHidden }: Caller): Headers {
  return isAnything && hearsOfHidden ? { 'X-Consul-Results-Filtered-By-Acls': 'true' } : {};
}

/** Those of an agent's own things that may be seen, and the header for the others. */
export function seenBy<T>(
  caller: Caller,
  all: Iterable<T>,
  sees: (each: T) => boolean,
): { readonly seen: readonly T[]; readonly headers: Headers } {
  const each = [...all];
  const seen = each.filter(sees);
  return { seen, headers: keptBackHeader(seen.length < each.length, caller) };
}
