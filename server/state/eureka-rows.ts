/**
 * Where an instance of a Eureka client stands in the catalog: a service's instance on a node, with a check
 * that says how it is. These rows follow from the instance's own, and nothing is written that is another's:
 * an agent's node least of all, for it would take the instance out again.
 */
import { faultOfMeta, MAX_META_PAIRS } from '../../lib/meta.ts';
import {
  type CheckDefinition,
  type Instance,
  lookUp,
  type Node,
  type NodeDefinition,
  SERVICE_MAINTENANCE_PREFIX,
  type ServiceDefinition,
  type StringMap,
} from '../../lib/model.ts';
import type { EurekaInfo, EurekaRow, EurekaStatus } from '../eureka-commands.ts';
import { deleteCheck, deleteNode, putCheck, putInstance, putNode } from './registration.ts';
import type { State } from './state.ts';
import { fold } from './topic-names.ts';

const SOURCE = 'external-source';
const EUREKA = 'eureka';

type Marked = Pick<Node | Instance, 'Meta'>;
export type Place = Pick<EurekaRow, 'Node' | 'ServiceID'>;

/** Whether it was made for a Eureka client. */
export function isOfEureka({ Meta }: Marked): boolean {
  return lookUp(Meta, SOURCE) === EUREKA;
}

function serviceOf({ app }: Pick<EurekaInfo, 'app'>): string {
  return app.toLowerCase();
}

export function maintenanceCheck({ ServiceID }: Place): string {
  return SERVICE_MAINTENANCE_PREFIX + ServiceID;
}

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
  const { Info, Node: name, ServiceID } = row;
  if (state.catalog.node(name) === undefined) putNode(state, nodeOf(name, Info, datacenter));
  putInstance(state, name, instanceOf(Info, ServiceID));
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

export function isOutOfService({ Status, Override }: EurekaRow): boolean {
  return Status === 'OUT_OF_SERVICE' || Override === 'OUT_OF_SERVICE';
}

function nodeOf(name: string, { ipAddr }: EurekaInfo, datacenter: string): NodeDefinition {
  return {
    ID: '',
    Node: name,
    Address: ipAddr,
    Datacenter: datacenter,
    TaggedAddresses: null,
    Meta: { [SOURCE]: EUREKA },
  };
}

function instanceOf(info: EurekaInfo, id: string): ServiceDefinition {
  return {
    Kind: '',
    ID: id,
    Service: serviceOf(info),
    Tags: [],
    Address: info.ipAddr,
    TaggedAddresses: null,
    Meta: metaOf(info.metadata),
    Port: portOf(info),
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: {},
    Connect: {},
  };
}

function portOf({ port, securePort }: EurekaInfo): number {
  return !port.enabled && securePort.enabled ? securePort.number : port.number;
}

/** As much of it as Consul's clients may be shown: nearly all have `management.port`, and no key has a dot. */
function metaOf(metadata: StringMap): StringMap {
  const shown = new Map([[SOURCE, EUREKA]]);
  for (const [key, value] of Object.entries(metadata)) {
    const name = key.replaceAll('.', '-');
    if (shown.size >= MAX_META_PAIRS) break;
    if (!shown.has(name) && faultOfMeta(name, value) === undefined) shown.set(name, value);
  }
  return Object.fromEntries([...shown].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const LAPSED = 'Lease not renewed in time';

function leaseCheck({ Status, Lapsed, ServiceID }: EurekaRow): CheckDefinition {
  const isUp = Lapsed !== true && (Status === 'UP' || Status === 'OUT_OF_SERVICE');
  return {
    CheckID: `service:${ServiceID}`,
    Name: 'Eureka lease',
    Status: isUp ? 'passing' : 'critical',
    Notes: '',
    Output: Lapsed === true ? LAPSED : Status,
    ServiceID,
    Type: '',
    Definition: {},
  };
}

function outOfService(row: EurekaRow): CheckDefinition {
  const status: EurekaStatus = 'OUT_OF_SERVICE';
  return {
    CheckID: maintenanceCheck(row),
    Name: 'Service Maintenance Mode',
    Status: 'critical',
    Notes: status,
    Output: '',
    ServiceID: row.ServiceID,
    Type: 'maintenance',
    Definition: {},
  };
}
