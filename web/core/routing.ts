/** What calls to a service come to, as a drawing: the parts of its discovery chain, and what leads from one to another. */
import type { Line } from './layers.ts';

/** What /v1/discovery-chain answers. */
export interface ChainAnswer {
  readonly Chain: {
    readonly ServiceName: string;
    readonly Datacenter: string;
    readonly Protocol: string;
    readonly StartNode: string;
    readonly Nodes: Readonly<Record<string, ChainNode>>;
    readonly Targets: Readonly<Record<string, ChainTarget>>;
  };
}

export interface ChainNode {
  readonly Type: string;
  readonly Name: string;
  readonly Routes?: readonly { readonly Definition?: RouteDefinition; readonly NextNode: string }[];
  readonly Splits?: readonly { readonly Weight?: number; readonly NextNode: string }[];
  readonly Resolver?: {
    readonly Default?: boolean;
    readonly Target: string;
    readonly Failover?: { readonly Targets: readonly string[] };
  };
}

export interface RouteDefinition {
  readonly Match?: { readonly HTTP?: RouteMatch | null } | null;
}

export interface RouteMatch {
  readonly PathExact?: string;
  readonly PathPrefix?: string;
  readonly PathRegex?: string;
  readonly Methods?: readonly string[] | null;
  readonly Header?: readonly { readonly Name: string }[] | null;
  readonly QueryParam?: readonly { readonly Name: string }[] | null;
}

export interface ChainTarget {
  readonly Service: string;
  readonly ServiceSubset?: string;
  readonly Datacenter: string;
}

export type PartKind = 'router' | 'splitter' | 'resolver' | 'target';

export interface Part {
  readonly id: string;
  readonly kind: PartKind;
  /** Of the service that it is of. */
  readonly service: string;
  /** Of a target, where that is not all of the service here. */
  readonly subset: string;
  readonly datacenter: string;
  /** No entry says anything. */
  readonly isDefault: boolean;
}

export type Label =
  | { readonly kind: 'route'; readonly match: RouteMatch }
  | { readonly kind: 'share'; readonly percent: number }
  | { readonly kind: 'failover'; readonly turn: number }
  | { readonly kind: 'plain' };

export interface Lead extends Line {
  readonly label: Label;
}

export interface Routing {
  readonly parts: readonly Part[];
  readonly leads: readonly Lead[];
}

export function routingOf({ Chain }: ChainAnswer): Routing {
  const { Nodes, Targets } = Chain;
  const parts = [
    ...Object.entries(Nodes).map(([id, node]) => partOf(id, node, Targets)),
    ...Object.entries(Targets).map(([id, target]) => targetOf(id, target)),
  ];
  const leads = Object.entries(Nodes).flatMap(([from, node]) => leadsOf(from, node));
  return { parts, leads };
}

function partOf(
  id: string,
  { Type, Name, Resolver }: ChainNode,
  targets: ChainAnswer['Chain']['Targets'],
): Part {
  const kind = Type === 'router' || Type === 'splitter' ? Type : 'resolver';
  const target = targets[Resolver?.Target ?? ''];
  return {
    id,
    kind,
    // A service may have dots in its name: `my.api.default` is no subset of another one.
    service: target?.Service ?? Name.replace(/\.[^.]*$/, ''),
    subset: target?.ServiceSubset ?? '',
    datacenter: '',
    isDefault: Resolver?.Default === true,
  };
}

function targetOf(id: string, { Service, ServiceSubset = '', Datacenter }: ChainTarget): Part {
  return {
    id: targetId(id),
    kind: 'target',
    service: Service,
    subset: ServiceSubset,
    datacenter: Datacenter,
    isDefault: false,
  };
}

/** A target may be called as a node is. */
function targetId(id: string): string {
  return `target ${id}`;
}

function leadsOf(from: string, { Routes = [], Splits = [], Resolver }: ChainNode): Lead[] {
  const routes = Routes.map(({ Definition, NextNode }): Lead => {
    return { from, to: NextNode, label: { kind: 'route', match: Definition?.Match?.HTTP ?? {} } };
  });
  const splits = Splits.map(({ Weight = 0, NextNode }): Lead => {
    return { from, to: NextNode, label: { kind: 'share', percent: Weight } };
  });
  if (Resolver === undefined) return [...routes, ...splits];
  const failover = (Resolver.Failover?.Targets ?? []).map((id, i): Lead => {
    return { from, to: targetId(id), label: { kind: 'failover', turn: i + 1 } };
  });
  const first: Lead = { from, to: targetId(Resolver.Target), label: { kind: 'plain' } };
  return [...routes, ...splits, first, ...failover];
}
