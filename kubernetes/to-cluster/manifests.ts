/** A service of the catalog as objects of Kubernetes. */

import { numberIn, objectIn, objectsIn, type Said, textsIn } from '../api/shapes.ts';
import { SERVICE_OF_SLICE } from '../objects.ts';
import { BROUGHT_AS, MANAGER, ownedLabels } from '../ours.ts';
import type { BroughtAddress } from './addresses.ts';
import type { BroughtService } from './brought.ts';
import type { BackRules } from './rules.ts';

/** As Kubernetes' own controller fills one. */
const MAX_ENDPOINTS = 100;
/** Of a service whose instances have a port each, as containers may: all of them in one slice then, without ports. */
const MAX_PORTS = 16;
const SLICES_OF = 'endpointslice.kubernetes.io/managed-by';

export interface Manifest {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly object[];
  };
  readonly [field: string]: unknown;
}

export function serviceManifest(
  service: string,
  { name, addresses = [] }: BroughtService,
  rules: BackRules,
): Manifest {
  const { namespace, owner, kind, domain } = rules;
  const spec =
    kind === 'external-name'
      ? { type: 'ExternalName', externalName: `${name.toLowerCase()}.service.${domain}` }
      : {
          type: 'ClusterIP',
          clusterIP: 'None',
          ports: portsOf(addresses).map((port) => ({
            name: `port-${port}`,
            port,
            protocol: 'TCP',
          })),
        };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: service,
      namespace,
      labels: ownedLabels(owner),
      annotations: { 'consul.hashicorp.com/service-sync': 'false', [BROUGHT_AS]: name },
    },
    spec,
  };
}

/** None where there are too many to be worth a slice each. */
function portsOf(addresses: readonly BroughtAddress[]): readonly number[] {
  const ports = [...new Set(addresses.map(({ port }) => port))].filter((port) => port > 0);
  return ports.length > MAX_PORTS ? [] : ports.sort((a, b) => a - b);
}

export interface SliceParts {
  readonly name: string;
  readonly uid: string;
  readonly addresses: readonly BroughtAddress[];
  /** In which slice an address is already: it stays there, so that one change writes one slice. */
  readonly placed: ReadonlyMap<string, string>;
}

/** By name. */
export function sliceManifests(parts: SliceParts, rules: BackRules): ReadonlyMap<string, Manifest> {
  const ports = portsOf(parts.addresses);
  /** By the group, and by their addresses: of several ports that are not named an address is one endpoint. */
  const groups = new Map<string, Map<string, BroughtAddress>>();
  for (const each of parts.addresses) {
    const port = ports.includes(each.port) ? each.port : 0;
    const group = `${parts.name}-${each.family.toLowerCase()}-${port}`;
    const there = groups.get(group) ?? new Map<string, BroughtAddress>();
    groups.set(group, there);
    if (!there.has(each.address)) there.set(each.address, each);
  }
  const slices = [...groups].flatMap(([group, all]) => place(group, all.values(), parts.placed));
  return new Map(slices.map(([name, all]) => [name, slice(name, all, parts, rules)]));
}

type Named = readonly [name: string, addresses: readonly BroughtAddress[]];

/** Those that have a place keep it, and the others fill up what room there is. */
function place(
  group: string,
  all: Iterable<BroughtAddress>,
  placed: ReadonlyMap<string, string>,
): readonly Named[] {
  const slices = new Map<string, BroughtAddress[]>();
  const put = (name: string, each: BroughtAddress) =>
    void slices.set(name, [...(slices.get(name) ?? []), each]);
  const rest: BroughtAddress[] = [];
  for (const each of all) {
    const name = placed.get(`${each.address} ${group}`);
    if (name === undefined) rest.push(each);
    else put(name, each);
  }
  let at = 0;
  for (const each of rest) {
    while ((slices.get(`${group}-${at}`)?.length ?? 0) >= MAX_ENDPOINTS) at++;
    put(`${group}-${at}`, each);
  }
  return [...slices];
}

function slice(
  name: string,
  addresses: readonly BroughtAddress[],
  { name: service, uid }: SliceParts,
  { namespace, owner }: BackRules,
): Manifest {
  const port = Number(/-(\d+)-\d+$/.exec(name)?.[1] ?? 0);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace,
      labels: {
        ...ownedLabels(owner),
        [SERVICE_OF_SLICE]: service,
        [SLICES_OF]: MANAGER,
      },
      // It goes when the Service does, whoever deletes that.
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: service, uid }],
    },
    addressType: addresses[0]?.family,
    ports: port === 0 ? [] : [{ name: `port-${port}`, port, protocol: 'TCP' }],
    endpoints: [...addresses]
      .sort((a, b) => (a.address < b.address ? -1 : 1))
      .map(({ address, status }) => ({ addresses: [address], conditions: CONDITIONS[status] })),
  };
}

const READY = { ready: true, serving: true, terminating: false };

/** In maintenance is as a pod that ends: nobody new is sent there, and who is there may finish. */
const CONDITIONS = {
  passing: READY,
  warning: READY,
  critical: { ready: false, serving: false, terminating: false },
  maintenance: { ready: false, serving: true, terminating: true },
};

/** What slices of ours say, back again. */
export function addressesOf(slices: ReadonlyMap<string, Said>): readonly BroughtAddress[] {
  return [...slices.values()].flatMap((each) => {
    const family = each['addressType'] === 'IPv6' ? 'IPv6' : 'IPv4';
    const port = numberIn(objectsIn(each['ports'])[0]?.['port']);
    return objectsIn(each['endpoints']).flatMap(({ addresses, conditions }) =>
      textsIn(addresses).map((address) => ({
        address,
        family,
        port,
        status: statusIn(conditions),
      })),
    );
  });
}

function statusIn(conditions: unknown): BroughtAddress['status'] {
  const { ready, serving } = objectIn(conditions);
  if (ready === true) return 'passing';
  return serving === true ? 'maintenance' : 'critical';
}
