import { compileFilter } from '../../lib/filter/compile-filter.ts';
import { checkFields, instanceFields } from '../../lib/filter/fields.ts';
import { parseFilter } from '../../lib/filter/parse.ts';

const FIELDS = { service: instanceFields, check: checkFields };

/** Those of the named things that `?filter=` lets pass. */
export function filtered<T>(
  named: readonly (readonly [id: string, thing: T])[],
  filter: string,
  kind: keyof typeof FIELDS,
): readonly (readonly [id: string, thing: T])[] {
  if (filter === '') return named;
  // Consul looks at the fields that a filter names only when there is a check to look at.
  if (kind === 'check' && named.length === 0) {
    parseFilter(filter);
    return named;
  }
  const passes = compileFilter(filter, FIELDS[kind]);
  return named.filter(([, thing]) => passes(thing));
}
