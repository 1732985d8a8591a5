/** What is kept of the objects of Kubernetes: a cluster has thousands of them, and little of each counts here. */
import { isIP } from 'node:net';
import {
  numberIn,
  objectIn,
  objectsIn,
  pairsIn,
  type Said,
  textIn,
  textsIn,
} from './api/shapes.ts';
import { BROUGHT_AS } from './ours.ts';

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

/** What annotations begin with that say something to a sync; others may be long, and are not kept. */
export const ANNOTATION = 'consul.hashicorp.com/';
export const SERVICE_OF_SLICE = 'kubernetes.io/service-name';

export function serviceIn(object: Said): KubeService {
  const [meta, spec] = [objectIn(object['metadata']), objectIn(object['spec'])];
  const balancer = objectIn(objectIn(object['status'])['loadBalancer']);
  return {
    namespace: textIn(meta['namespace']),
    name: textIn(meta['name']),
    labels: pairsIn(meta['labels']),
    annotations: new Map([...pairsIn(meta['annotations'])].filter(([name]) => counts(name))),
    type: textIn(spec['type']) || 'ClusterIP',
    hasSelector: hasSelector(object),
    ports: objectsIn(spec['ports']).map((each) => ({
      name: textIn(each['name']),
      port: numberIn(each['port']),
      nodePort: numberIn(each['nodePort']),
    })),
    externalIps: textsIn(spec['externalIPs']),
    ingress: objectsIn(balancer['ingress'])
      .map((each) => textIn(each['ip']) || textIn(each['hostname']))
      .filter((each) => each !== ''),
    family: textsIn(spec['ipFamilies'])[0] ?? '',
  };
}

function counts(annotation: string): boolean {
  return annotation.startsWith(ANNOTATION) || annotation === BROUGHT_AS;
}

export function hasSelector(service: Said): boolean {
  return Object.keys(objectIn(objectIn(service['spec'])['selector'])).length > 0;
}

export function sliceIn(object: Said): Slice {
  const meta = objectIn(object['metadata']);
  return {
    namespace: textIn(meta['namespace']),
    name: textIn(meta['name']),
    service: pairsIn(meta['labels']).get(SERVICE_OF_SLICE) ?? '',
    family: textIn(object['addressType']),
    ports: objectsIn(object['ports']).map((each) => ({
      name: textIn(each['name']),
      port: numberIn(each['port']),
    })),
    endpoints: objectsIn(object['endpoints']).map(endpointIn),
  };
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
    nodeName: textIn(said['nodeName']),
    zone: textIn(said['zone']),
    refKind: textIn(ref['kind']),
    refName: textIn(ref['name']),
  };
}

export function nodeIn(object: Said): KubeNode {
  const addresses = objectsIn(objectIn(object['status'])['addresses']).map((each) => ({
    type: textIn(each['type']),
    address: textIn(each['address']),
  }));
  return { addresses: addresses.filter(({ address }) => address !== '') };
}
