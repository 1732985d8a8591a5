/**
 * What a DNS server asks of a catalog. A server process answers from its own state, a client
 * agent from the servers.
 */
import type { Check, Node, ServiceDefinition } from './model.ts';

/** An instance with its node and the checks that count for it. */
export interface HealthEntry {
  readonly Node: Node;
  readonly Service: Pick<
    ServiceDefinition,
    'ID' | 'Service' | 'Address' | 'Port' | 'Ports' | 'Weights'
  >;
  readonly Checks: readonly Pick<Check, 'Status'>[];
}

/** GET, below it an IP: AddressOwner or null. Client agents ask servers. */
export const ADDRESS_OWNER_PATH = '/v1/internal/dns/address/';
/** GET, below it a service: the address that it has in the mesh, or null. */
export const VIRTUAL_ADDRESS_PATH = '/v1/internal/dns/virtual/';
/** Says beside an executed prepared query that the order of its nodes means something. */
export const ORDERED_HEADER = 'X-Proconsul-Ordered';

export interface QueryFound {
  /** The service that the prepared query looks for. */
  readonly service: string;
  /** '' for the service's own. */
  readonly ttl: string;
  /** The healthy ones, as the query means it. */
  readonly entries: readonly HealthEntry[];
  /** Whether their order says something: the nearest first. */
  readonly ordered: boolean;
}

/** Who has an address; a node goes before an instance. */
export type AddressOwner = { readonly node: string } | { readonly service: string };

export interface Found<T> {
  readonly value: T;
  /**
   * Whether whoever looks again finds the same. Cheap, for it is asked before every answer; it
   * stands alone, so that what is made of a value need not keep the value.
   */
  readonly isCurrent: () => boolean;
}

/** At once where it can be: an answer from memory must not wait for a turn of the event loop. */
export type Lookup<T> = Found<T> | Promise<Found<T>>;

/** Names count whatever their case. All reject with a ProconsulError when nobody could be asked. */
export interface Lookups {
  /** The instances with the tag, '' for all of them, whatever their health. */
  service(name: string, tag: string): Lookup<readonly HealthEntry[]>;
  /** What speaks for the service in the mesh. */
  connect(name: string): Lookup<readonly HealthEntry[]>;
  /** The gateways that let calls to the service into the mesh. */
  ingress(name: string): Lookup<readonly HealthEntry[]>;
  node(name: string): Lookup<Node | undefined>;
  query(idOrName: string): Lookup<QueryFound | undefined>;
  address(ip: string): Lookup<AddressOwner | undefined>;
  /** The address that a service of the mesh has of its own. */
  virtual(name: string): Lookup<string | undefined>;
}
