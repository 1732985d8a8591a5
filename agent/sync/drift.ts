/** Where the catalog differs from what an agent knows of itself. */

import { isDeepStrictEqual } from 'node:util';
import { laterFields, localityOf } from '../../lib/later-fields.ts';
import type { NodeDefinition } from '../../lib/model.ts';
import { type CheckDefinition, SERF_HEALTH, type ServiceDefinition } from '../../lib/model.ts';
import type { LocalState } from '../state/local-state.ts';
import type { CatalogNode } from './catalog.ts';

export interface Drift {
  /** The node itself, its own service or its sign of life. */
  readonly node: boolean;
  /** Ids of services to register or, where the agent has none of that id, to take out. */
  readonly services: readonly string[];
  /** Ids of checks, likewise, with the service that each belongs to. */
  readonly checks: readonly (readonly [id: string, serviceId: string])[];
  /** Tags that someone else has set in the catalog, of services that allow it. */
  readonly tags: readonly (readonly [serviceId: string, tags: readonly string[]])[];
}

export interface Own {
  readonly node: NodeDefinition;
  readonly local: LocalState;
  readonly ownService?: ServiceDefinition;
}

/** After so many comparisons others get their turn: 10,000 services take a while. */
const COMPARED_IN_ONE_GO = 500;

/** `deferred` are the checks whose output may differ for now. */
export async function findDrift(
  own: Own,
  known: CatalogNode | undefined,
  deferred: ReadonlySet<string>,
): Promise<Drift> {
  const theirServices = new Map(known?.services.map((service) => [service.ID, service]));
  const theirChecks = new Map(known?.checks.map((check) => [check.CheckID, check]));
  const services = await drifting(
    new Map([...own.local.services].map(([id, { definition }]) => [id, definition])),
    theirServices,
    (ours, theirs) => isDeepStrictEqual(comparable(ours, theirs), comparable(theirs, theirs)),
  );
  const checks = await drifting(
    new Map([...own.local.checks].map(([id, { definition }]) => [id, definition])),
    theirChecks,
    (ours, theirs) => sameCheck(ours, theirs, deferred.has(ours.CheckID)),
  );
  return {
    node: nodeDrifts(own, known),
    services: services.filter((id) => id !== own.ownService?.ID || own.local.services.has(id)),
    checks: checks
      .filter((id) => id !== SERF_HEALTH)
      .map((id) => [id, serviceOf(id, own.local, theirChecks)] as const),
    tags: overriddenTags(own.local, theirServices),
  };
}

async function drifting<T>(
  ours: ReadonlyMap<string, T>,
  theirs: ReadonlyMap<string, T>,
  same: (ours: T, theirs: T) => boolean,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let compared = 0;
  for (const [id, our] of ours) {
    const their = theirs.get(id);
    if (their === undefined || (their !== our && !same(our, their))) ids.push(id);
    if (++compared % COMPARED_IN_ONE_GO === 0) await new Promise((next) => setImmediate(next));
  }
  for (const id of theirs.keys()) if (!ours.has(id)) ids.push(id);
  return ids;
}

function serviceOf(
  id: string,
  local: LocalState,
  theirChecks: ReadonlyMap<string, CheckDefinition>,
): string {
  const ours = local.checks.get(id);
  if (ours !== undefined) return ours.definition.ServiceID;
  const theirs = theirChecks.get(id)?.ServiceID ?? '';
  // With a service that goes, its checks go; a check alone is taken out as one of the node's.
  return local.services.has(theirs) ? theirs : '';
}

function overriddenTags(
  local: LocalState,
  theirServices: ReadonlyMap<string, ServiceDefinition>,
): Drift['tags'] {
  return [...local.services].flatMap(([id, { definition }]) => {
    const theirs = theirServices.get(id)?.Tags;
    const differ = theirs !== undefined && !isDeepStrictEqual(theirs, definition.Tags);
    return definition.EnableTagOverride && differ ? [[id, theirs] as const] : [];
  });
}

function nodeDrifts({ node, ownService }: Own, known: CatalogNode | undefined): boolean {
  if (known === undefined) return true;
  const alive = known.checks.find((check) => check.CheckID === SERF_HEALTH)?.Status === 'passing';
  const served =
    ownService === undefined || known.services.some((service) => service.ID === ownService.ID);
  return (
    !alive || !served || !isDeepStrictEqual(compact(pickNode(node)), compact(pickNode(known.node)))
  );
}

function pickNode(node: NodeDefinition): object {
  const { ID, Node, Address, TaggedAddresses, Meta } = node;
  return { ID, Node, Address, TaggedAddresses, Meta, ...localityOf(node) };
}

/** Someone else may set the tags of a service that allows it: then the catalog's count. */
function comparable(service: ServiceDefinition, theirs: ServiceDefinition): unknown {
  const { Kind, ID, Service, Address, Port, Weights, EnableTagOverride } = service;
  const { TaggedAddresses, Meta, Proxy: proxy, Connect } = service;
  const Tags = EnableTagOverride ? theirs.Tags : service.Tags;
  const plain = { Kind, ID, Service, Address, Port, EnableTagOverride, Tags };
  return compact({
    ...plain,
    ...laterFields(service),
    Weights,
    TaggedAddresses,
    Meta,
    proxy,
    Connect,
  });
}

function sameCheck(ours: CheckDefinition, theirs: CheckDefinition, anyOutput: boolean): boolean {
  return (
    ours.Name === theirs.Name &&
    ours.Status === theirs.Status &&
    ours.Notes === theirs.Notes &&
    ours.ServiceID === theirs.ServiceID &&
    ours.Type === theirs.Type &&
    (anyOutput || ours.Output === theirs.Output)
  );
}

/** Without what is empty: null, {}, [] and '' differ on the wire and mean the same. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(compact);
  if (typeof value !== 'object') return value === '' ? undefined : value;
  if (value === null) return undefined;
  const entries = Object.entries(value)
    .map(([key, v]) => [key, compact(v)] as const)
    .filter(([, v]) => v !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
