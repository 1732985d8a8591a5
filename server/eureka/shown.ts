/** Instances as Eureka's clients are shown them: the objects of JSON, of which XML is written too. */

import type { Aggregate } from '../../lib/aggregate-status.ts';
import type { StringMap } from '../../lib/model.ts';
import type {
  EurekaDataCenter,
  EurekaInfo,
  EurekaPort,
  EurekaRow,
  EurekaStatus,
} from '../eureka-commands.ts';
import { appOf, type Foreign, foreignId, type Stand } from '../query/eureka-reader.ts';

export type Shape = Readonly<Record<string, unknown>>;

/** Times are milliseconds since 1970; 0 for never. */
export interface Shown {
  readonly info: EurekaInfo;
  readonly status: EurekaStatus;
  readonly overriddenStatus: EurekaStatus;
  readonly action: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly dirtyAt: number;
  readonly changedAt: number;
  readonly registeredAt: number;
  readonly renewedAt: number;
  readonly upAt: number;
  readonly evictedAt: number;
  /** It follows from this alone: what is written of it need not be written again. */
  readonly of?: EurekaRow;
}

export const MY_OWN = 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo';
const EMPTY_MAP = 'java.util.Collections$EmptyMap';

export function shown(stand: Stand, since = 0): Shown {
  return 'row' in stand ? shownRow(stand.row, stand.status) : shownForeign(stand, since);
}

const STATUS = {
  passing: 'UP',
  warning: 'UP',
  critical: 'DOWN',
  maintenance: 'OUT_OF_SERVICE',
} as const satisfies Record<Aggregate, EurekaStatus>;

/** As it is shown, without all else that is. */
function statusOf(stand: Stand): EurekaStatus {
  const own = 'row' in stand ? ownStatus(stand.row) : 'UP';
  return own === 'UP' ? STATUS[stand.status] : own;
}

function ownStatus({ Lapsed, Status }: EurekaRow): EurekaStatus {
  return Lapsed === true ? 'DOWN' : Status;
}

/**
 * Whom nobody renews is not UP to those who ask Consul, and no more to those who ask here; nor is one of which
 * another check says so.
 */
export function shownRow(row: EurekaRow, by: Aggregate = 'passing'): Shown {
  const own = ownStatus(row);
  const status = own === 'UP' ? STATUS[by] : own;
  return {
    info: row.Info,
    status,
    overriddenStatus: row.Override ?? 'UNKNOWN',
    action: row.Action,
    dirtyAt: row.DirtyAt,
    changedAt: row.ChangedAt,
    registeredAt: row.RegisteredAt,
    renewedAt: row.ChangedAt,
    upAt: row.UpAt,
    evictedAt: 0,
    ...(status === own && { of: row }),
  };
}

export function shownGone({ of: _, ...there }: Shown, t: number): Shown {
  return { ...there, action: 'DELETED', changedAt: t, evictedAt: t };
}

/** The log's entries have times, and rows their indexes alone: these stand for the time, in their order. */
export function shownForeign({ instance, node, status, changedAt }: Foreign, since = 0): Shown {
  const address = instance.Address || node?.Address || instance.Node;
  const vipAddress = instance.Service;
  return {
    info: {
      instanceId: foreignId(instance),
      hostName: address,
      app: appOf(instance.Service),
      ipAddr: address,
      status: 'UP',
      overriddenStatus: 'UNKNOWN',
      port: { number: instance.Port, enabled: true },
      securePort: { number: 443, enabled: false },
      countryId: 1,
      dataCenterInfo: { class: MY_OWN, name: 'MyOwn' },
      renewalIntervalInSecs: 30,
      durationInSecs: 90,
      metadata: instance.Meta ?? {},
      vipAddress,
      secureVipAddress: vipAddress,
      isCoordinatingDiscoveryServer: false,
    },
    status: STATUS[status],
    overriddenStatus: 'UNKNOWN',
    action: instance.CreateIndex > since ? 'ADDED' : 'MODIFIED',
    dirtyAt: changedAt,
    changedAt,
    registeredAt: instance.CreateIndex,
    renewedAt: changedAt,
    upAt: instance.CreateIndex,
    evictedAt: 0,
  };
}

export function whole(each: Shown): Shape {
  const { info } = each;
  return {
    ...(info.instanceId !== undefined && { instanceId: info.instanceId }),
    hostName: info.hostName,
    app: info.app,
    ipAddr: info.ipAddr,
    status: each.status,
    overriddenStatus: each.overriddenStatus,
    port: portShape(info.port),
    securePort: portShape(info.securePort),
    countryId: info.countryId,
    dataCenterInfo: dataCenterShape(info.dataCenterInfo),
    leaseInfo: {
      renewalIntervalInSecs: info.renewalIntervalInSecs,
      durationInSecs: info.durationInSecs,
      registrationTimestamp: each.registeredAt,
      lastRenewalTimestamp: each.renewedAt,
      evictionTimestamp: each.evictedAt,
      serviceUpTimestamp: each.upAt,
    },
    metadata: mapShape(info.metadata),
    ...saidOf(info, URLS),
    isCoordinatingDiscoveryServer: String(info.isCoordinatingDiscoveryServer),
    lastUpdatedTimestamp: String(each.changedAt),
    lastDirtyTimestamp: String(each.dirtyAt),
    actionType: each.action,
    ...saidOf(info, ['asgName']),
  };
}

/** For clients that ask for little: without lease, metadata and addresses of pages. */
export function compact(each: Shown): Shape {
  const { info } = each;
  return {
    ...(info.instanceId !== undefined && { instanceId: info.instanceId }),
    app: info.app,
    ipAddr: info.ipAddr,
    ...saidOf(info, VIPS),
    dataCenterInfo: dataCenterShape(info.dataCenterInfo),
    hostName: info.hostName,
    status: each.status,
    lastUpdatedTimestamp: each.changedAt,
    actionType: each.action,
    ...saidOf(info, ['asgName']),
    port: portShape(info.port),
    securePort: portShape(info.securePort),
  };
}

const VIPS = ['vipAddress', 'secureVipAddress'] as const;
const URLS = [
  'appGroupName',
  'homePageUrl',
  'statusPageUrl',
  'healthCheckUrl',
  'secureHealthCheckUrl',
  ...VIPS,
] as const;

function saidOf(info: EurekaInfo, names: readonly (keyof EurekaInfo)[]): Shape {
  const said = names.filter((name) => info[name] !== undefined);
  return Object.fromEntries(said.map((name) => [name, info[name]]));
}

function portShape({ number, enabled }: EurekaPort): Shape {
  return { $: number, '@enabled': String(enabled) };
}

function dataCenterShape({ class: name, metadata, ...rest }: EurekaDataCenter): Shape {
  return { '@class': name, name: rest.name, ...(metadata && { metadata: mapShape(metadata) }) };
}

function mapShape(map: StringMap): Shape {
  for (const _ in map) return map;
  return { '@class': EMPTY_MAP };
}

/** How many there are of each status: clients compare it with what they know after each delta. */
export function hashCode(all: Iterable<Stand>): string {
  const counts = new Map<string, number>();
  for (const stand of all) {
    const status = statusOf(stand);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return [...counts.keys()]
    .sort()
    .map((status) => `${status}_${counts.get(status)}_`)
    .join('');
}
