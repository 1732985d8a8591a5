/**
 * Where an instance of a Eureka client stands in the catalog: on a node of its host's name, and nothing is written
 * that is another's: an agent's node least of all, for it would take the instance out again.
 */
import { isOfEureka } from '../../lib/model.ts';
import type { EurekaInfo, EurekaRow } from '../eureka-commands.ts';
import {
  instanceOf,
  isOutOfService,
  leaseCheck,
  maintenanceCheck,
  nodeOf,
  outOfService,
  type Place,
  serviceOf,
} from './eureka-place.ts';
import { deleteCheck, deleteNode, putCheck, putInstance, putNode } from './registration.ts';
import type { State } from './state.ts';
import { fold } from './topic-names.ts';

/** Of its host's name, where no machine has it that is somebody else's. */
export function placeFor(state: State, info: EurekaInfo, id: string): Place {
  const node = nodeFor(state, info);
  const service = serviceOf(info);
  for (let n = 0; ; n++) {
    const ServiceID = [id, `${service}:${id}`][n] ?? `${service}:${id}#${n}`;
    if (isFree(state, { Node: node, ServiceID }, service)) return { Node: node, ServiceID };
  }
}

function nodeFor({ catalog }: State, { hostName, ipAddr }: EurekaInfo): string {
  for (let n = 0; ; n++) {
    const name = [hostName, `eureka-${ipAddr}`][n] ?? `eureka-${ipAddr}#${n}`;
    const there = catalog.node(name);
    if (there === undefined || isOfEureka(there)) return there?.Node ?? name;
  }
}

/** One that was left behind, with nobody who renews it, is taken over. */
function isFree({ catalog, eureka }: State, { Node: node, ServiceID }: Place, service: string) {
  const there = catalog.instance(node, ServiceID);
  if (there === undefined) return true;
  const isOrphan = isOfEureka(there) && eureka.at(node, ServiceID) === undefined;
  return isOrphan && fold(there.Service) === service;
}

/** Makes the catalog say of it what the row says. */
export function putPlaced(state: State, row: EurekaRow, datacenter: string): void {
  const { Info, Node: name } = row;
  if (state.catalog.node(name) === undefined) putNode(state, nodeOf(name, Info, datacenter));
  putInstance(state, name, instanceOf(row));
  putCheck(state, name, leaseCheck(row));
  if (isOutOfService(row)) putCheck(state, name, outOfService(row));
  else deleteCheck(state, name, maintenanceCheck(row));
}

/** A node that was made for instances goes with the last of them. */
export function dropEmptyNode(state: State, name: string): void {
  const { catalog } = state;
  const node = catalog.node(name);
  if (node === undefined || !isOfEureka(node)) return;
  for (const _ of catalog.instancesOn(name)) return;
  for (const _ of catalog.checksOn(name)) return;
  deleteNode(state, name);
}
