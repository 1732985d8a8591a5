/**
 * What the catalog says of an instance of a Eureka client: a service's instance, and a check that says how it
 * is. All of that follows from the instance's own row, and stands there as that says: it is changed there.
 */
import { sameJson } from '../../lib/equal.ts';
import { faultOfMeta, MAX_META_PAIRS } from '../../lib/meta.ts';
import {
  type Check,
  type CheckDefinition,
  EUREKA,
  EXTERNAL_SOURCE,
  type NodeDefinition,
  SERVICE_MAINTENANCE_PREFIX,
  type ServiceDefinition,
  type StringMap,
} from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { EurekaInfo, EurekaRow, EurekaStatus } from '../eureka-commands.ts';
import { fold } from './topic-names.ts';

export type Place = Pick<EurekaRow, 'Node' | 'ServiceID'>;

export function serviceOf({ app }: Pick<EurekaInfo, 'app'>): string {
  return app.toLowerCase();
}

export function maintenanceCheck({ ServiceID }: Place): string {
  return SERVICE_MAINTENANCE_PREFIX + ServiceID;
}

export function isOutOfService({ Status, Override }: EurekaRow): boolean {
  return Status === 'OUT_OF_SERVICE' || Override === 'OUT_OF_SERVICE';
}

export function nodeOf(name: string, { ipAddr }: EurekaInfo, datacenter: string): NodeDefinition {
  return {
    ID: '',
    Node: name,
    Address: ipAddr,
    Datacenter: datacenter,
    TaggedAddresses: null,
    Meta: { [EXTERNAL_SOURCE]: EUREKA },
  };
}

export function instanceOf({ Info: info, ServiceID: id }: EurekaRow): ServiceDefinition {
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

/** What Consul shows of a service has empty settings of a sidecar in it, also where whoever read it writes it back. */
export function saysTheSame(said: ServiceDefinition, own: ServiceDefinition): boolean {
  const full = (settings: object) => (isHollow(settings) ? {} : settings);
  const settings = { Proxy: full(said.Proxy), Connect: full(said.Connect) };
  return sameJson(withFields(said, settings), own);
}

function isHollow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isHollow);
}

function portOf({ port, securePort }: EurekaInfo): number {
  return !port.enabled && securePort.enabled ? securePort.number : port.number;
}

/** As much of it as Consul's clients may be shown: nearly all have `management.port`, and no key has a dot. */
function metaOf(metadata: StringMap): StringMap {
  const shown = new Map([[EXTERNAL_SOURCE, EUREKA]]);
  for (const [key, value] of Object.entries(metadata)) {
    const name = key.replaceAll('.', '-');
    if (shown.size >= MAX_META_PAIRS) break;
    if (!shown.has(name) && faultOfMeta(name, value) === undefined) shown.set(name, value);
  }
  return Object.fromEntries([...shown].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const LAPSED = 'Lease not renewed in time';

export function leaseId({ ServiceID }: Place): string {
  return `service:${ServiceID}`;
}

export function isLease({ CheckID }: Pick<Check, 'CheckID'>, place: Place): boolean {
  return fold(CheckID) === fold(leaseId(place));
}

export function leaseCheck(row: EurekaRow): CheckDefinition {
  const { Status, Lapsed, ServiceID } = row;
  const isUp = Lapsed !== true && (Status === 'UP' || Status === 'OUT_OF_SERVICE');
  return {
    CheckID: leaseId(row),
    Name: 'Eureka lease',
    Status: isUp ? 'passing' : 'critical',
    Notes: '',
    Output: Lapsed === true ? LAPSED : Status,
    ServiceID,
    Type: '',
    Definition: {},
  };
}

export function outOfService(row: EurekaRow): CheckDefinition {
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
