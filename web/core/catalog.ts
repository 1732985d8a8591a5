/** What may be done with instances and nodes, and where: an agent is the truth about its own node. */
import {
  type Check,
  type Instance,
  NODE_MAINTENANCE,
  type Node,
  SERF_HEALTH,
  SERVICE_MAINTENANCE_PREFIX,
} from '../../lib/model.ts';
import type { Action } from './action.ts';
import { withQuery } from './asked-path.ts';
import { quoted } from './filter-text.ts';

/** As /v1/health/service has it. */
export interface Entry {
  readonly Node: Node;
  readonly Service: Instance;
  readonly Checks: readonly Check[];
}

/** A node, or one instance on it. */
interface Place {
  readonly node: string;
  readonly id?: string;
}

/** As /v1/internal/ui/node has it. */
export interface NodeInFull extends Node {
  readonly Services: readonly Instance[] | null;
  readonly Checks: readonly Check[] | null;
}

/** An instance without an address of its own has its node's. */
export function addressOf(
  { Address, Port }: Pick<Instance, 'Address' | 'Port'>,
  node: Pick<Node, 'Address'>,
): string {
  const host = Address || node.Address;
  if (Port === 0) return host;
  return `${host.includes(':') ? `[${host}]` : host}:${Port}`;
}

/** Whether an agent keeps the node: what is taken out of the catalog there, it puts back. */
export function isKept(checks: readonly Check[]): boolean {
  return checks.some(({ CheckID, Status }) => CheckID === SERF_HEALTH && Status === 'passing');
}

/**
 * By the agent of the node, of all on it or of one instance. The node is named: where a balancer leads to several
 * agents, another one than that of before may be asked, and refuses.
 */
export function maintenance(
  { node, id }: Place,
  { enable, reason }: { readonly enable: boolean; readonly reason: string },
): Action {
  const what = id === undefined ? 'maintenance' : `service/maintenance/${encodeURIComponent(id)}`;
  const words = ['maint', `-node=${node}`, ...(id === undefined ? [] : [`-service=${id}`])];
  return {
    method: 'PUT',
    path: withQuery(`/v1/agent/${what}`, {
      enable: String(enable),
      reason: enable ? reason : '',
      node,
    }),
    command: { words: [...words, ...(enable ? ['-enable', `-reason=${reason}`] : ['-disable'])] },
  };
}

/** What stands for it at that agent, by which somebody else's is told from one's own. */
export function maintenanceAt({ node, id }: Place): string {
  const check = id === undefined ? NODE_MAINTENANCE : SERVICE_MAINTENANCE_PREFIX + id;
  const filter = `CheckID == ${quoted(check)} and Node == ${quoted(node)}`;
  return withQuery('/v1/agent/checks', { filter });
}

export function deregister({ node, id }: Required<Place>): Action {
  return {
    method: 'PUT',
    path: withQuery(`/v1/agent/service/deregister/${encodeURIComponent(id)}`, { node }),
    command: { words: ['services', 'deregister', `-node=${node}`, `-id=${id}`] },
  };
}

/** Out of the catalog, where no agent keeps it. */
export function takeOut(node: string, id?: string): Action {
  const of = id === undefined ? {} : { ServiceID: id };
  return { method: 'PUT', path: '/v1/catalog/deregister', body: { Node: node, ...of } };
}

/** Where an instance of the catalog is seen. */
export function placeOf(service: string, node: string, id: string): string {
  const filter = `Node.Node == ${quoted(node)} and Service.ID == ${quoted(id)}`;
  return withQuery(`/v1/health/service/${encodeURIComponent(service)}`, { filter });
}

/** As it was. */
export function putBack({ Node: node, Service, Checks }: Entry): Action {
  const { Node: name, Address } = node;
  const own = Checks.filter(({ ServiceID }) => ServiceID === Service.ID).map(definition);
  const body = { Node: name, Address, SkipNodeUpdate: true, Service: plain(Service), Checks: own };
  return { method: 'PUT', path: '/v1/catalog/register', body };
}

/** One request for each: of a node with more nobody waits for it. */
const MAX_PUT_BACK = 64;

/** The node first, then what was on it, one instance after the other; undefined where that is too much. */
export function putNodeBack({
  Services,
  Checks,
  ...node
}: NodeInFull): readonly Action[] | undefined {
  const [services, checks] = [Services ?? [], Checks ?? []];
  if (services.length > MAX_PUT_BACK) return undefined;
  const { Meta: NodeMeta, ...rest } = plain(node);
  const own = checks.filter(({ ServiceID }) => ServiceID === '').map(definition);
  const body = { ...rest, NodeMeta, Checks: own };
  return [
    { method: 'PUT', path: '/v1/catalog/register', body },
    ...services.map((Service) => putBack({ Node: node, Service, Checks: checks })),
  ];
}

/** Where all that is on a node is seen. */
export function nodeAt(node: string): string {
  return `/v1/internal/ui/node/${encodeURIComponent(node)}`;
}

export function forceLeave(node: string): Action {
  return {
    method: 'PUT',
    path: `/v1/agent/force-leave/${encodeURIComponent(node)}`,
    command: { words: ['force-leave'], args: [node] },
  };
}

function definition(check: Check) {
  const { CheckID, Name, Status, Notes, Output, ServiceID, Type, Definition } = check;
  return { CheckID, Name, Status, Notes, Output, ServiceID, Type, Definition };
}

/** Without what the catalog itself says of it. */
function plain<T extends Node | Instance>(row: T): Omit<T, 'CreateIndex' | 'ModifyIndex'> {
  const { CreateIndex: _, ModifyIndex: __, ...rest } = row;
  return rest;
}
