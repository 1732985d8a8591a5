/** What an agent needs of the servers' catalog to keep it true; each side of it is a port. */
import type {
  CheckDefinition,
  Deregistration,
  NodeDefinition,
  Registration,
  ServiceDefinition,
} from '../../lib/model.ts';

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
  /** The node itself and its sign of life. */
  registerSelf(registration: Registration, token: string): Promise<void>;
  register(registration: Registration, token: string): Promise<void>;
  deregister(deregistration: Deregistration, token: string): Promise<void>;
}
