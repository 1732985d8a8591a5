/** Which services the proxies of each service call: of all of the catalog, for whoever draws it. Proconsul's own. */
import type { UpstreamsRow } from '../../lib/answers.ts';
import type { Instance } from '../../lib/model.ts';
import { destinationOf } from '../state/catalog.ts';
import type { Checked } from './listed.ts';
import { keyOf, type Query } from './query.ts';
import { Reckoned } from './reckoned.ts';

/** What is called, by who calls it. */
type Calls = ReadonlyMap<string, ReadonlySet<string>>;

const CALLS = new Reckoned<Calls>();

export function upstreamsAtAGlance(): Query {
  return {
    key: keyOf('overview/upstreams'),
    run: (reader) => {
      const each = reader.eachService(CALLS, callsOf);
      const parts = each === undefined ? [callsOf(reader.health())] : each.values.values();
      return { json: shown(merged(parts)) };
    },
  };
}

function callsOf({ rows }: Pick<Checked, 'rows'>): Calls {
  const calls = new Map<string, Set<string>>();
  for (const instance of rows) {
    const from = destinationOf(instance);
    if (from === undefined) continue;
    for (const to of upstreamsOf(instance)) add(calls, from, to);
  }
  return calls;
}

/** Of this data centre; what a prepared query finds has no name of its own. */
function upstreamsOf({ Proxy: proxy }: Instance): readonly string[] {
  const said = proxy['Upstreams'];
  if (!Array.isArray(said)) return [];
  return said.flatMap(({ DestinationType, DestinationName, Datacenter }: Upstream) => {
    const isService = DestinationType !== 'prepared_query';
    const isNamed = typeof DestinationName === 'string' && DestinationName !== '';
    return isService && isNamed && !Datacenter ? [DestinationName] : [];
  });
}

interface Upstream {
  readonly DestinationType?: unknown;
  readonly DestinationName?: unknown;
  readonly Datacenter?: unknown;
}

function merged(parts: Iterable<Calls>): Calls {
  const all = new Map<string, Set<string>>();
  for (const calls of parts) {
    for (const [from, names] of calls) for (const to of names) add(all, from, to);
  }
  return all;
}

function add(calls: Map<string, Set<string>>, from: string, to: string): void {
  const names = calls.get(from);
  if (names === undefined) calls.set(from, new Set([to]));
  else names.add(to);
}

function shown(calls: Calls): readonly UpstreamsRow[] {
  const rows = [...calls].sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.map(([Name, names]) => ({ Name, Upstreams: [...names].sort() }));
}
