/** The flags of `k8s-sync`, named as consul-k8s names them, and what they come to. */
import { hostname } from 'node:os';
import type { Direction, MapRule } from '../kubernetes/config-maps/rules.ts';
import { DEFAULT_OWNER } from '../kubernetes/ours.ts';
import type { SyncOptions } from '../kubernetes/sync.ts';
import type { ToCatalogOptions } from '../kubernetes/to-catalog/to-catalog.ts';
import type { BackRules } from '../kubernetes/to-cluster/rules.ts';
import type { Flag, FlagTable } from '../lib/config/flags.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { FlagValues } from './flag-values.ts';
import { durationIn } from './proxy-flags.ts';

const NODE = 'k8s-sync';
const LEAST_LEASE_MS = 500;
/** By which what it made in the cluster is found again. */
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

const text = (help: string) => ({ kind: 'string', help }) as const;
const bool = (help: string) => ({ kind: 'bool', help }) as const;
const texts = (help: string) => ({ kind: 'strings', help }) as const;

const ROWS: readonly (readonly [string, Flag])[] = [
  ['add-k8s-namespace-suffix', bool('Put the namespace after the name: web-default.')],
  ['admin', text('Address and port for /live, /ready and /metrics.')],
  ['allow-consul-service', texts('Bring back this service; all by default. May end in *.')],
  [
    'allow-k8s-namespace',
    texts('Take Services of this namespace; of all by default. May end in *.'),
  ],
  [
    'both-families',
    bool('Of a pod with two addresses make two instances; the first family counts.'),
  ],
  [
    'config-map-both',
    texts(
      'PREFIX=NAMESPACE/NAME: keys and ConfigMap, whichever is changed; of two changes the key counts.',
    ),
  ],
  ['config-map-from-kv', texts('PREFIX=NAMESPACE/NAME: what the keys hold, the ConfigMap holds.')],
  ['config-map-to-kv', texts('PREFIX=NAMESPACE/NAME: what the ConfigMap holds, the keys hold.')],
  ['consul-domain', text("The domain of the catalog's names, for external-name; consul.")],
  ['consul-node-name', text(`The node that all instances are on; ${NODE}.`)],
  ['consul-service-prefix', text('What comes before the name of a Service in the catalog.')],
  [
    'deny-consul-service',
    texts('Do not bring back this service, whatever is allowed. May end in *.'),
  ],
  ['deny-k8s-namespace', texts('Take none of this namespace, whatever is allowed. May end in *.')],
  ['k8s-default-sync', bool('Take Services that do not say; true.')],
  ['k8s-label-selector', text('Take Services with these labels alone, as kubectl takes them.')],
  ['k8s-service-prefix', text('What comes before the name of a service in the cluster.')],
  [
    'k8s-service-type',
    text('headless: addresses, ports and readiness; or external-name: a name that DNS looks up.'),
  ],
  ['k8s-source-namespace', text('Read this namespace alone; all by default.')],
  ['k8s-write-namespace', text('Where services of the catalog come to; default.')],
  ['k8s-tag', text('The tag of each instance, by which it does not come back; k8s.')],
  ['kubeconfig', text("kubectl's file; else KUBECONFIG, else the pod's own account.")],
  ['lease', text('After so long without a beat another sync takes over; 3s.')],
  ['lock-key', text(`The key of the lock; ${NODE}/NODE/OWNER/lock.`)],
  ['log-json', bool('Write the log as JSON.')],
  ['log-level', text('trace, debug, info, warn or err; info.')],
  ['node-port-sync-type', text('ExternalOnly, InternalOnly or ExternalFirst; ExternalOnly.')],
  ['owner', text('Marks what this cluster brought, and nothing else is changed; k8s-sync.')],
  ['sync-clusterip-services', bool('Take Services of type ClusterIP; true.')],
  ['sync-name', text('Of this process among others of its owner; the host name.')],
  ['to-consul', bool('Bring Services to the catalog; true.')],
  ['to-k8s', bool('Bring services of the catalog to the cluster.')],
];

export const K8S_FLAGS: FlagTable = new Map(ROWS);

/** Flags that say something of one way alone. */
const OF_WAYS: Readonly<Record<string, readonly string[]>> = {
  'to-consul': [
    ...['add-k8s-namespace-suffix', 'allow-k8s-namespace', 'both-families'],
    ...['consul-service-prefix', 'deny-k8s-namespace', 'k8s-default-sync', 'k8s-label-selector'],
    ...['k8s-source-namespace', 'node-port-sync-type', 'sync-clusterip-services'],
  ],
  'to-k8s': [
    ...['allow-consul-service', 'consul-domain', 'deny-consul-service', 'k8s-service-prefix'],
    ...['k8s-service-type', 'k8s-write-namespace'],
  ],
};

/** What is set and counts for nothing is a mistake: the way that it is of does not run. */
function refuseIdle(flags: FlagValues, way: keyof typeof OF_WAYS): undefined {
  const idle = OF_WAYS[way]?.find((name) => flags.has(name));
  if (idle !== undefined) throw refused(`-${idle} says nothing without -${way}`);
}

export function syncOptionsOf(flags: FlagValues): SyncOptions {
  const or = (name: string, otherwise: string) => flags.text(name) || otherwise;
  const isOn = (name: string) => !flags.has(name) || flags.isSet(name);
  const [node, owner] = [or('consul-node-name', NODE), or('owner', DEFAULT_OWNER)];
  const leaseMs = durationIn(flags, 'lease', 3000);
  if (leaseMs < LEAST_LEASE_MS) throw refused('-lease must be at least 500ms');
  if (!LABEL_VALUE.test(owner)) throw refused(`-owner is no value of a label: ${owner}`);
  const tag = or('k8s-tag', 'k8s');
  const toCatalog = isOn('to-consul')
    ? toCatalogOf(flags, { node, owner, tag })
    : refuseIdle(flags, 'to-consul');
  const toCluster = flags.isSet('to-k8s')
    ? toClusterOf(flags, { owner, tag })
    : refuseIdle(flags, 'to-k8s');
  const lockKey = or('lock-key', `${NODE}/${node}/${owner}/lock`);
  const maps = mapsOf(flags, { node, owner, lockKey });
  if (toCatalog === undefined && toCluster === undefined && maps.length === 0) {
    throw refused('there is nothing to do: say -to-consul, -to-k8s or a -config-map');
  }
  return {
    node,
    owner,
    instance: or('sync-name', hostname()),
    leaseMs,
    lockKey,
    toCatalog,
    toCluster,
    maps,
  };
}

type Marks = Pick<ToCatalogOptions['rules'], 'node' | 'owner' | 'tag'>;

function toCatalogOf(flags: FlagValues, marks: Marks): ToCatalogOptions {
  const isOn = (name: string) => !flags.has(name) || flags.isSet(name);
  return {
    rules: {
      ...marks,
      byDefault: isOn('k8s-default-sync'),
      namePrefix: flags.text('consul-service-prefix'),
      addsNamespace: flags.isSet('add-k8s-namespace-suffix'),
      allowNamespaces: allOr(flags, 'allow-k8s-namespace'),
      denyNamespaces: flags.all('deny-k8s-namespace'),
      clusterIps: isOn('sync-clusterip-services'),
      nodePorts: nodePortsOf(flags.text('node-port-sync-type') || 'ExternalOnly'),
      bothFamilies: flags.isSet('both-families'),
    },
    sourceNamespace: flags.text('k8s-source-namespace'),
    labelSelector: flags.text('k8s-label-selector'),
  };
}

function toClusterOf(flags: FlagValues, marks: Omit<Marks, 'node'>): BackRules {
  const kind = flags.text('k8s-service-type') || 'headless';
  if (kind !== 'headless' && kind !== 'external-name') {
    throw refused(`-k8s-service-type is headless or external-name: ${kind}`);
  }
  return {
    ...marks,
    kind,
    namespace: flags.text('k8s-write-namespace') || 'default',
    namePrefix: flags.text('k8s-service-prefix'),
    domain: flags.text('consul-domain') || 'consul',
    allow: allOr(flags, 'allow-consul-service'),
    deny: flags.all('deny-consul-service'),
  };
}

const DIRECTIONS: readonly (readonly [Direction, string])[] = [
  ['from-kv', 'config-map-from-kv'],
  ['to-kv', 'config-map-to-kv'],
  ['both', 'config-map-both'],
];
const MAP = /^(.+)=([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)$/;
/** Each is watched by itself. */
const MAX_MAPS = 100;

function mapsOf(
  flags: FlagValues,
  { node, owner, lockKey }: Omit<Marks, 'tag'> & { readonly lockKey: string },
): readonly MapRule[] {
  const rules = DIRECTIONS.flatMap(([direction, flag]) =>
    flags.all(flag).map((said): MapRule => {
      const [, before = '', namespace = '', , name = ''] = MAP.exec(said) ?? [];
      const prefix = before.replace(/^\/+/, '').replace(/\/*$/, '/');
      if (prefix === '/') throw refused(`-${flag} is PREFIX=NAMESPACE/NAME: ${said}`);
      if (prefix.startsWith(`${NODE}/`) || lockKey.startsWith(prefix)) {
        throw refused(`-${flag}: under ${prefix} is what syncs keep for themselves`);
      }
      const agreedKey = `${NODE}/${node}/${owner}/config-maps/${namespace}/${name}`;
      return { direction, prefix, namespace, name, owner, agreedKey };
    }),
  );
  if (rules.length > MAX_MAPS) throw refused(`more than ${MAX_MAPS} ConfigMaps`);
  refuseTwice(rules, ({ namespace, name }) => `ConfigMap ${namespace}/${name}`);
  const writers = rules.filter(({ direction }) => direction !== 'from-kv');
  refuseTwice(writers, ({ prefix }) => `prefix ${prefix}`);
  return rules;
}

/** Two that write the same would write over each other without end. */
function refuseTwice(rules: readonly MapRule[], what: (rule: MapRule) => string): void {
  const twice = rules.map(what).find((each, i, all) => all.indexOf(each) !== i);
  if (twice !== undefined) throw refused(`two of -config-map write ${twice}`);
}

function allOr(flags: FlagValues, name: string): readonly string[] {
  return flags.has(name) ? flags.all(name) : ['*'];
}

function nodePortsOf(said: string): ToCatalogOptions['rules']['nodePorts'] {
  if (said === 'ExternalOnly' || said === 'InternalOnly' || said === 'ExternalFirst') return said;
  throw refused(`-node-port-sync-type is ExternalOnly, InternalOnly or ExternalFirst: ${said}`);
}

function refused(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}
