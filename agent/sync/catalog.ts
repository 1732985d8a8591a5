/** What an agent needs of the servers' catalog to keep it true; each side of it is a port. */
import type { CheckDefinition, Indexed, Node, ServiceDefinition } from '../../lib/model.ts';

export type NodeDefinition = Omit<Node, keyof Indexed>;

/** One atomic change: the node, and on it an instance and any number of checks. */
export interface Registration {
  readonly node: NodeDefinition;
  /** The catalog's node is left as it is when it is there. */
  readonly skipNodeUpdate: boolean;
  readonly service?: ServiceDefinition;
  readonly checks: readonly CheckDefinition[];
}

/** Of an instance with its checks, or of a check; of neither, the whole node. */
export interface Deregistration {
  readonly node: string;
  readonly serviceId?: string;
  readonly checkId?: string;
}

/** What the catalog holds of one node. */
export interface CatalogNode {
  readonly node: NodeDefinition;
  readonly services: readonly ServiceDefinition[];
  readonly checks: readonly CheckDefinition[];
}

/**
 * Every call settles within seconds. It rejects with ProconsulError 'unavailable' or 'unknown' when
 * no server could be asked, with another code when a server refused.
 */
export interface Catalog {
  node(name: string, token: string): Promise<CatalogNode | undefined>;
  register(registration: Registration, token: string): Promise<void>;
  deregister(deregistration: Deregistration, token: string): Promise<void>;
}
