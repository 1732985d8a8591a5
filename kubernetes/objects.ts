/** What is kept of the objects of Kubernetes: a cluster has thousands of them, and little of each counts here. */
import { isIP } from 'node:net';
import { sameJson } from '../lib/equal.ts';
import { MAX_META_PAIRS } from '../lib/meta.ts';
import {
  numberIn,
  objectIn,
  objectsIn,
  pairsIn,
  type Said,
  textIn,
  textsIn,
} from './api/shapes.ts';
import { BROUGHT_AS, isMark } from './ours.ts';

export interface KubeService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly type: string;
  /** It has pods: what comes from a catalog has none. */
  readonly hasSelector: boolean;
  readonly ports: readonly ServicePort[];
  readonly externalIps: readonly string[];
  /** Addresses and names at which a load balancer is reached. */
  readonly ingress: readonly string[];
  /** The family that counts where there are two. */
  readonly family: string;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly nodePort: number;
}

export interface Slice {
  readonly namespace: string;
  readonly name: string;
  /** The service that it is of. */
  readonly service: string;
  readonly family: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly isReady: boolean;
  readonly isServing: boolean;
  readonly isTerminating: boolean;
  readonly nodeName: string;
  readonly zone: string;
  readonly refKind: string;
  readonly refName: string;
}

/** A machine of the cluster, as far as a NodePort is reached there. */
export interface KubeNode {
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
}

/** What annotations begin with that say something to a sync. */
export const ANNOTATION = 'consul.hashicorp.com/';
export const META_ANNOTATION = `${ANNOTATION}service-meta-`;
/** That are looked at; others may be long, and are not kept. */
const ANNOTATIONS = new Set([
  ...['name', 'port', 'sync', 'tags', 'weight'].map((each) => `${ANNOTATION}service-${each}`),
  BROUGHT_AS,
]);

/**
 * What is kept of an object at most, whatever an author wrote: each sync holds those of the whole cluster. It is more of each
 * than what may come to the catalog, so that what is too much is still seen to be.
 */
const MAX_CHARS = 16 * 1024;
/** Of metadata, and of names of others' things. */
const MAX_SHORT_CHARS = 1024;
/** Of pairs of metadata, and of named ports: with our own no more than an instance may have. */
export const MAX_SAID = (MAX_META_PAIRS - 8) / 2;
const MAX_PORTS = 100;
export const MAX_ADDRESSES = 1000;
export const SERVICE_OF_SLICE = 'kubernetes.io/service-name';

export function serviceIn(object: Said): KubeService {
  const [meta, spec] = [objectIn(object['metadata']), objectIn(object['spec'])];
  const balancer = objectIn(objectIn(object['status'])['loadBalancer']);
  return {
    namespace: textIn(meta['namespace']),
    name: textIn(meta['name']),
    labels: new Map([...pairsIn(meta['labels'])].filter(([name]) => isMark(name))),
    annotations: annotationsIn(meta['annotations']),
    type: textIn(spec['type']) || 'ClusterIP',
    hasSelector: hasSelector(object),
    ports: objectsIn(spec['ports'])
      .slice(0, MAX_PORTS)
      .map((each) => ({
        name: textIn(each['name']),
        port: numberIn(each['port']),
        nodePort: numberIn(each['nodePort']),
      })),
    externalIps: textsIn(spec['externalIPs']).slice(0, MAX_ADDRESSES + 1),
    ingress: objectsIn(balancer['ingress'])
      .slice(0, MAX_ADDRESSES + 1)
      .map((each) => textIn(each['ip']) || textIn(each['hostname']))
      .filter((each) => each !== ''),
    family: textsIn(spec['ipFamilies'])[0] ?? '',
  };
}

function annotationsIn(said: unknown): ReadonlyMap<string, string> {
  const all = [...pairsIn(said)];
  const own = all.filter(([name]) => ANNOTATIONS.has(name));
  const metas = all.filter(([name]) => name.startsWith(META_ANNOTATION)).slice(0, MAX_SAID);
  return new Map([
    ...own.map(([name, value]) => [name, cut(value, MAX_CHARS)] as const),
    ...metas.map(([name, value]) => [name, cut(value, MAX_SHORT_CHARS)] as const),
  ]);
}

/** The beginning of a text that is too long, and none of the memory of the rest. */
function cut(text: string, chars: number): string {
  return text.length > chars ? Buffer.from(text.slice(0, chars)).toString() : text;
}

export function hasSelector(service: Said): boolean {
  return Object.keys(objectIn(objectIn(service['spec'])['selector'])).length > 0;
}

/** Where it is as `before`, the same object; else each endpoint that is as it was: by them it is seen what has changed. */
export function sliceIn(object: Said, before?: Slice): Slice {
  const meta = objectIn(object['metadata']);
  const known = new Map(before?.endpoints.map((each) => [each.addresses[0], each]));
  const now: Slice = {
    namespace: textIn(meta['namespace']),
    name: textIn(meta['name']),
    service: pairsIn(meta['labels']).get(SERVICE_OF_SLICE) ?? '',
    family: textIn(object['addressType']),
    ports: objectsIn(object['ports'])
      .slice(0, MAX_PORTS)
      .map((each) => ({
        name: textIn(each['name']),
        port: numberIn(each['port']),
      })),
    endpoints: objectsIn(object['endpoints']).map((said) => {
      const endpoint = endpointIn(said);
      const was = known.get(endpoint.addresses[0]);
      return was !== undefined && sameJson(was, endpoint) ? was : endpoint;
    }),
  };
  return before !== undefined && sameJson(before, now) ? before : now;
}

/** A condition that is not said counts as Kubernetes says: ready, serving, not terminating. */
function endpointIn(said: Said): SliceEndpoint {
  const [conditions, ref] = [objectIn(said['conditions']), objectIn(said['targetRef'])];
  const isReady = conditions['ready'] !== false;
  return {
    addresses: textsIn(said['addresses']).filter((each) => isIP(each) !== 0),
    isReady,
    isServing: conditions['serving'] === undefined ? isReady : conditions['serving'] === true,
    isTerminating: conditions['terminating'] === true,
    nodeName: cut(textIn(said['nodeName']), MAX_SHORT_CHARS),
    zone: cut(textIn(said['zone']), MAX_SHORT_CHARS),
    refKind: cut(textIn(ref['kind']), MAX_SHORT_CHARS),
    refName: cut(textIn(ref['name']), MAX_SHORT_CHARS),
  };
}

export function nodeIn(object: Said): KubeNode {
  const addresses = objectsIn(objectIn(object['status'])['addresses']).map((each) => ({
    type: textIn(each['type']),
    address: textIn(each['address']),
  }));
  return { addresses: addresses.filter(({ address }) => address !== '') };
}
