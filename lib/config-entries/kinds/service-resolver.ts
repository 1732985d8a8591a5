import { formatDuration } from '../../duration.ts';
import { quote } from '../../go-literals.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import {
  duration,
  flag,
  list,
  map,
  maybe,
  namespace,
  natural,
  struct,
  type Table,
  text,
  texts,
} from '../fields.ts';
import { firstFault, HEAD, type Kind, META } from '../kind.ts';
import { failoverPolicyFault, localityFault } from '../locality.ts';

export interface ServiceResolver extends ConfigEntryDefinition {
  readonly ConnectTimeout?: number;
  readonly RequestTimeout?: number;
  readonly DefaultSubset?: string;
  readonly Subsets?: Readonly<Record<string, Subset>>;
  readonly Redirect?: Redirect;
  /** By the subset that it is for; '*' is every one that has none of its own. */
  readonly Failover?: Readonly<Record<string, Failover>>;
  readonly LoadBalancer?: LoadBalancer;
  readonly PrioritizeByLocality?: { readonly Mode?: string };
}

/** How one of the instances is chosen. */
export interface LoadBalancer {
  readonly Policy?: string;
  readonly RingHashConfig?: {
    readonly MinimumRingSize?: number;
    readonly MaximumRingSize?: number;
  };
  readonly LeastRequestConfig?: { readonly ChoiceCount?: number };
  readonly HashPolicies?: readonly HashPolicy[];
}

/** By what of a request its instance is chosen. */
interface HashPolicy {
  readonly Field?: string;
  readonly FieldValue?: string;
  readonly CookieConfig?: {
    readonly Session?: boolean;
    /** In nanoseconds. */
    readonly TTL?: number;
    readonly Path?: string;
  };
  readonly SourceIP?: boolean;
  readonly Terminal?: boolean;
}

export interface Subset {
  readonly Filter?: string;
  readonly OnlyPassing?: boolean;
}

export interface Redirect {
  readonly Service?: string;
  readonly ServiceSubset?: string;
  readonly Namespace?: string;
  readonly Datacenter?: string;
  readonly Peer?: string;
  readonly SamenessGroup?: string;
}

export interface Failover {
  readonly Service?: string;
  readonly ServiceSubset?: string;
  readonly Namespace?: string;
  readonly Datacenters?: readonly string[];
  readonly Targets?: readonly Redirect[];
  readonly Policy?: { readonly Mode?: string };
  readonly SamenessGroup?: string;
}

export const LOAD_BALANCER: Table = {
  Policy: text,
  RingHashConfig: maybe({ MinimumRingSize: natural, MaximumRingSize: natural }),
  LeastRequestConfig: maybe({ ChoiceCount: natural }),
  HashPolicies: list({
    Field: text,
    FieldValue: text,
    CookieConfig: maybe({ Session: flag, TTL: duration, Path: text }),
    SourceIP: flag,
    Terminal: flag,
  }),
};

const place = { Service: text, ServiceSubset: text, Namespace: namespace, Partition: namespace };

export const SERVICE_RESOLVER: Kind<ServiceResolver> = {
  kind: 'service-resolver',
  says: 'which instances of a service are meant, and which when those are not there',
  changedBy: 'service',
  seenBy: 'service',
  fields: {
    ConnectTimeout: duration,
    RequestTimeout: duration,
    ...HEAD,
    DefaultSubset: text,
    Subsets: map(struct({ Filter: text, OnlyPassing: flag })),
    Redirect: maybe({ ...place, Datacenter: text, Peer: text, SamenessGroup: text }),
    Failover: map(
      struct({
        ...place,
        Datacenters: texts,
        Targets: list({ ...place, Datacenter: text, Peer: text }),
        Policy: maybe({ Mode: text, Regions: texts }),
        SamenessGroup: text,
      }),
    ),
    PrioritizeByLocality: maybe({ Mode: text }),
    LoadBalancer: maybe(LOAD_BALANCER),
    ...META,
  },
  fault: faultOf,
  unwritable: (entry) =>
    negativeFault('RequestTimeout', entry) ??
    localityFault(entry) ??
    elsewhereFault('Redirect', entry.Redirect ?? {}) ??
    firstFault(Object.entries(entry.Failover ?? {}), ([subset, failover]) => {
      const at = `Failover[${quote(subset)}]`;
      const fault = failoverPolicyFault(`${at}.Policy`, failover.Policy);
      if (fault !== undefined) return fault;
      return firstFault([failover, ...(failover.Targets ?? [])], (each) =>
        elsewhereFault(at, each),
      );
    }),
  refersTo: ({ Redirect: redirect, Failover: failover = {} }) => {
    const targets = Object.values(failover).flatMap((each) => [each, ...(each.Targets ?? [])]);
    return [redirect, ...targets].flatMap((each) => each?.Service ?? []);
  },
};

/** A part of a DNS name. */
const SUBSET_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBSET_RULE =
  "must be 63 characters or fewer, begin or end with lower case alphanumeric characters, and contain lower case alphanumeric characters or '-' in between";

function faultOf(entry: ServiceResolver): string | undefined {
  const { Name, DefaultSubset = '', Subsets = {}, Redirect: redirect, Failover: failover } = entry;
  if (Name === '') return 'Name is required';
  const fault = firstFault(Object.keys(Subsets), subsetFault);
  if (fault !== undefined) return fault;
  if (DefaultSubset !== '' && !Object.hasOwn(Subsets, DefaultSubset)) {
    return `DefaultSubset ${quote(DefaultSubset)} is not a valid subset`;
  }
  if (redirect !== undefined) {
    return failover === undefined
      ? redirectFault(redirect)
      : 'Redirect and Failover cannot both be set';
  }
  const bad = firstFault(Object.entries(failover ?? {}), (each) => failoverFault(entry, each));
  if (bad !== undefined) return bad;
  return negativeFault('ConnectTimeout', entry);
}

function negativeFault(
  name: 'ConnectTimeout' | 'RequestTimeout',
  { [name]: said = 0 }: ServiceResolver,
): string | undefined {
  return said < 0 ? `Bad ${name} '${formatDuration(said)}', must be >= 0` : undefined;
}

function subsetFault(name: string): string | undefined {
  if (name === '') return 'Subset defined with empty name';
  return SUBSET_NAME.test(name) ? undefined : `Subset ${quote(name)} is invalid: ${SUBSET_RULE}`;
}

/** Who is to be called in another cluster must not be called here. */
function elsewhereFault(
  at: string,
  { Peer, SamenessGroup }: Pick<Redirect, 'Peer' | 'SamenessGroup'>,
): string | undefined {
  if (Peer !== undefined) return `${at}.Peer ${quote(Peer)}: clusters are not peered here`;
  if (SamenessGroup === undefined) return undefined;
  return `${at}.SamenessGroup: sameness groups are a consul enterprise feature`;
}

function redirectFault(redirect: Redirect): string | undefined {
  if (Object.keys(redirect).length === 0) return 'Redirect is empty';
  if (redirect.Service !== undefined) return undefined;
  const lone = (['ServiceSubset', 'Namespace'] as const).find(
    (name) => redirect[name] !== undefined,
  );
  return lone && `Redirect.${lone} defined without Redirect.Service`;
}

function failoverFault(
  { Name, Subsets = {} }: ServiceResolver,
  [subset, failover]: readonly [string, Failover],
): string | undefined {
  const bad = `Bad Failover[${quote(subset)}]`;
  if (subset !== '*' && !Object.hasOwn(Subsets, subset)) return `${bad}: not a valid subset`;
  const { Service = '', ServiceSubset = '', Datacenters = [] } = failover;
  if (Object.keys(failover).length === 0) {
    return `${bad} one of Service, ServiceSubset, Namespace, or Datacenters is required`;
  }
  const isOwn = Service === '' || Service === Name;
  if (ServiceSubset !== '' && isOwn && !Object.hasOwn(Subsets, ServiceSubset)) {
    return `${bad}.ServiceSubset ${quote(ServiceSubset)} is not a valid subset of ${quote(Service)}`;
  }
  return Datacenters.includes('') ? `${bad}.Datacenters: found empty datacenter` : undefined;
}
