/** Config entries drawn from pools so small that they meet: chains that lead into one another. */
import fc from 'fast-check';
import type {
  ConfigEntryDefinition,
  IntentionDefinition,
} from '../../../lib/config-entries/entry.ts';
import { decodeEntry, refuseFaulty } from '../../../lib/config-entries/kinds.ts';
import type { Command } from '../../../server/commands.ts';

const SERVICES = ['a', 'b', 'B', 'c', 'd', 'web', '__proto__'] as const;
const SUBSETS = ['v1', 'v2'] as const;
const service = fc.constantFrom(...SERVICES);
const protocol = fc.constantFrom('', 'http', 'http', 'grpc', 'tcp');
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 1 });

const defaults = fc.record({
  Kind: fc.constant('service-defaults'),
  Name: service,
  Protocol: protocol,
  ExternalSNI: fc.constantFrom('', '', '', 'x.example'),
  MeshGateway: fc.constantFrom({}, { Mode: 'local' }),
});
const scaling = fc.record({
  Kind: fc.constant('service-scaling'),
  Name: service,
  Max: fc.constantFrom(1, 5),
  CPUPercent: fc.constantFrom(0, 50),
  RequestsPerSecond: fc.constantFrom(0.5, 10),
  Season: fc.constantFrom('', '1h', '24h'),
});
const everywhere = fc.record({
  Kind: fc.constant('proxy-defaults'),
  Name: fc.constant('global'),
  Config: fc.constantFrom({ protocol: 'http' }, { protocol: 'http' }, { protocol: 'tcp' }, {}),
  MeshGateway: fc.constantFrom({}, { Mode: 'remote' }),
});
const place = {
  Service: some(service),
  ServiceSubset: some(fc.constantFrom(...SUBSETS)),
};
const resolver = fc.record({
  Kind: fc.constant('service-resolver'),
  Name: service,
  ConnectTimeout: fc.constantFrom('0s', '3s'),
  DefaultSubset: fc.constantFrom('', 'v1'),
  Subsets: fc.constantFrom({}, { v1: { Filter: 'f' } }, { v1: {}, v2: { OnlyPassing: true } }),
  Redirect: some(fc.record({ ...place, Datacenter: fc.constantFrom('', 'dc1', 'dc2') })),
  Failover: some(
    fc.dictionary(
      fc.constantFrom('*', ...SUBSETS),
      fc.record({ ...place, Datacenters: fc.subarray(['dc1', 'dc2', 'dc3']) }),
    ),
  ),
});
const splitter = fc
  .tuple(service, fc.array(fc.record(place), { minLength: 1, maxLength: 3 }))
  .map(([Name, places]) => {
    const rest = 100 - 33.33 * (places.length - 1);
    const Splits = places.map((each, i) => ({ ...each, Weight: i === 0 ? rest : 33.33 }));
    return { Kind: 'service-splitter', Name, Splits };
  });
const router = fc.record({
  Kind: fc.constant('service-router'),
  Name: service,
  Routes: fc.array(
    fc.record({
      Match: fc.constantFrom({}, { HTTP: { PathPrefix: '/x' } }),
      Destination: some(fc.record(place)),
    }),
    { maxLength: 3 },
  ),
});
/** Some of them are services that the catalog's experiments register. */
const gateway = fc.constantFrom('a', 'web', 'Web', 'ıi');
const behind = fc.constantFrom('a', 'B', 'web', 'Web', 'db', '__proto__', '*');
const listener = fc.record({
  Port: fc.constantFrom(1, 2, 300),
  Protocol: fc.constantFrom('http', 'http', 'tcp'),
  Services: fc.array(
    fc.record({ Name: behind, Hosts: fc.constantFrom(null, null, ['x.example'], ['*']) }),
    { minLength: 1, maxLength: 2 },
  ),
});
const ingress = fc.record({
  Kind: fc.constant('ingress-gateway'),
  Name: gateway,
  Listeners: fc.array(listener, { maxLength: 2 }),
});
const terminating = fc.record({
  Kind: fc.constant('terminating-gateway'),
  Name: gateway,
  Services: fc.array(fc.record({ Name: behind, CAFile: fc.constantFrom('', '/ca.pem') }), {
    maxLength: 3,
  }),
});

/** Such as a server would take, one by one. */
export const configEntry: fc.Arbitrary<ConfigEntryDefinition> = fc
  .oneof(
    ...[defaults, defaults, everywhere, resolver, resolver, splitter, router],
    ...[ingress, ingress, terminating, terminating, scaling],
  )
  .map(decodeEntry)
  .filter(isSound);

function isSound(entry: ConfigEntryDefinition): boolean {
  try {
    refuseFaulty(entry);
    return true;
  } catch {
    return false;
  }
}

const kindAndName = configEntry.map(({ Kind, Name }) => ({ kind: Kind, name: Name }));
const IDS = ['i1', 'i2', 'i3'] as const;
const ends = {
  SourceName: fc.constantFrom('a', 'A', '*', '__proto__'),
  DestinationName: fc.constantFrom('a', 'b', '*'),
};
const intention: fc.Arbitrary<IntentionDefinition> = fc.record({
  ID: fc.constantFrom(...IDS),
  ...ends,
  Action: fc.constantFrom('allow', 'deny'),
  Description: fc.constantFrom('', 'd'),
  Meta: fc.constantFrom({}, { k: 'v' }),
  DefaultAddr: fc.constant(''),
  DefaultPort: fc.constantFrom(0, 80),
});
const cas = fc.option(fc.nat(40), { nil: undefined });

type ConfigType = 'set-config-entry' | 'delete-config-entry' | 'set-intention' | 'delete-intention';

export const CONFIG_KINDS: {
  readonly [T in ConfigType]: [number, fc.Arbitrary<Command>];
} = {
  'set-config-entry': [
    4,
    fc.tuple(configEntry, cas, fc.boolean()).map(([entry, index, dates]) => ({
      type: 'set-config-entry',
      entry,
      ...(index !== undefined && { cas: index }),
      ...(dates && { dates }),
    })),
  ],
  'set-intention': [
    3,
    fc.record({
      type: fc.constant('set-intention'),
      intention,
      how: fc.constantFrom('create', 'update', 'upsert'),
    }),
  ],
  'delete-intention': [
    1,
    fc.record({
      type: fc.constant('delete-intention'),
      which: fc.oneof(fc.record({ ID: fc.constantFrom(...IDS) }), fc.record(ends)),
    }),
  ],
  'delete-config-entry': [
    2,
    kindAndName.map((named) => ({ type: 'delete-config-entry', ...named })),
  ],
};
