/** A discovery chain: what calls to a service come to, as config entries say. In Consul's words. */

import type { ConfigEntryDefinition } from '../../lib/config-entries/entry.ts';
import type { Kind } from '../../lib/config-entries/kind.ts';
import type { LoadBalancer, Subset } from '../../lib/config-entries/kinds/service-resolver.ts';
import type { ServiceRoute } from '../../lib/config-entries/kinds/service-router.ts';
import type { Split } from '../../lib/config-entries/kinds/service-splitter.ts';

/** Where the entries are found; names count without regard to case. */
export interface ChainEntries {
  entryOf<E extends ConfigEntryDefinition>(kind: Kind<E>, name: string): E | undefined;
}

/** Of whoever asks, instead of what the entries say. */
export interface Overrides {
  /** '' for none. */
  readonly protocol: string;
  /** '' for none. */
  readonly meshGateway: string;
  /** In nanoseconds; 0 for none. */
  readonly connectTimeout: number;
}

export interface ChainRequest {
  readonly service: string;
  /** In which it is to be compiled. */
  readonly datacenter: string;
  /** The one that this is: others are reached through mesh gateways. */
  readonly here: string;
  readonly trustDomain: string;
  readonly overrides: Overrides;
  /**
   * As entries of the log are judged: what one version applied the next must apply too, so a rule that comes later is
   * none here. Peers are passed over, as they were before there was a rule about them.
   */
  readonly asApplied?: true;
}

export const NO_OVERRIDES: Overrides = { protocol: '', meshGateway: '', connectTimeout: 0 };

export interface Chain {
  readonly ServiceName: string;
  readonly Namespace: string;
  readonly Datacenter: string;
  readonly CustomizationHash?: string;
  readonly Protocol: string;
  readonly StartNode: string;
  readonly Nodes: Readonly<Record<string, ChainNode>>;
  readonly Targets: Readonly<Record<string, Target>>;
}

export type ChainNode = RouterNode | SplitterNode | ResolverNode;

export interface RouterNode {
  readonly Type: 'router';
  readonly Name: string;
  readonly Routes: readonly { readonly Definition: ServiceRoute; readonly NextNode: string }[];
}

export interface SplitterNode {
  readonly Type: 'splitter';
  readonly Name: string;
  readonly Splits: readonly SplitTo[];
}

export interface SplitTo {
  /** Where it changes headers, together with the splits that lead to it: as a later Consul has it. */
  readonly Definition?: Split;
  /** Left out where it is 0. */
  readonly Weight?: number;
  readonly NextNode: string;
}

export interface ResolverNode {
  readonly Type: 'resolver';
  readonly Name: string;
  readonly Resolver: {
    readonly ConnectTimeout: string;
    /** As a later Consul has it. */
    readonly RequestTimeout?: string;
    /** Nobody says anything of how it is resolved. */
    readonly Default?: true;
    readonly Target: string;
    readonly Failover?: { readonly Targets: readonly string[] };
  };
  /** As a later Consul has it. */
  readonly LoadBalancer?: LoadBalancer;
}

export interface Target {
  readonly ID: string;
  readonly Service: string;
  readonly ServiceSubset?: string;
  readonly Namespace: string;
  readonly Datacenter: string;
  readonly MeshGateway: { readonly Mode?: string };
  readonly Subset: Subset;
  readonly External?: true;
  readonly SNI: string;
  readonly Name: string;
}
