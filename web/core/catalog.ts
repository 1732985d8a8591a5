/** What may be done with instances and nodes, and where: an agent is the truth about its own node. */
import { type Check, type Instance, isOfEureka, type Node, SERF_HEALTH } from '../../lib/model.ts';
import type { Action } from './action.ts';
import { withQuery } from './asked-path.ts';
import { quoted } from './filter-text.ts';
import type { Place } from './maintenance.ts';

/** As /v1/health/service has it. */
export interface Entry {
  readonly Node: Node;
  readonly Service: Instance;
  readonly Checks: readonly Check[];
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

/** An agent was there and may come back, or somebody has registered that it is gone. */
export function isLost(checks: readonly Check[]): boolean {
  return !isKept(checks) && checks.some(({ CheckID }) => CheckID === SERF_HEALTH);
}

/** By the agent of its node. */
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

/**
 * As it was. What a client of Eureka's has said, only that says again: of what others put there in its place nobody
 * would tell when it has gone.
 */
export function putBack(entry: Entry): Action | undefined {
  return isOfEureka(entry.Service) ? undefined : instanceBack(entry);
}

function instanceBack({ Node: node, Service, Checks }: Entry): Action {
  const { Node: name, Address } = node;
  const own = Checks.filter(({ ServiceID }) => ServiceID === Service.ID).map(definition);
  const body = { Node: name, Address, SkipNodeUpdate: true, Service: plain(Service), Checks: own };
  return { method: 'PUT', path: '/v1/catalog/register', body };
}

/** One request for each: of a node with more nobody waits for it. */
const MAX_PUT_BACK = 64;

/**
 * The node first, then what was on it, one instance after the other; undefined where that is too much, or comes again by
 * itself. Sessions and coordinates do not come back.
 */
export function putNodeBack({
  Services,
  Checks,
  ...node
}: NodeInFull): readonly Action[] | undefined {
  const [services, checks] = [Services ?? [], Checks ?? []];
  if (services.length > MAX_PUT_BACK || [node, ...services].some(isOfEureka)) return undefined;
  const { Meta: NodeMeta, ...rest } = plain(node);
  const own = checks.filter(({ ServiceID }) => ServiceID === '').map(definition);
  // It is made where there is none: one that somebody else has made in this moment stays his, and it needs no address.
  const body = { ...rest, NodeMeta, SkipNodeUpdate: true, Checks: own };
  return [
    { method: 'PUT', path: '/v1/catalog/register', body },
    ...services.map((Service) => instanceBack({ Node: node, Service, Checks: checks })),
  ];
}

/** Where all that is on a node is seen. */
export function nodeAt(node: string): string {
  return `/v1/internal/ui/node/${encodeURIComponent(node)}`;
}

/** Where it is seen that it has come again: its machine may have another name by now, and would lose all under that. */
export function machineAt({ Node: name, ID }: Node): readonly string[] {
  if (ID === '') return [nodeAt(name)];
  return [nodeAt(name), withQuery('/v1/catalog/nodes', { filter: `ID == ${quoted(ID)}` })];
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
