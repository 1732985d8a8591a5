/** What Eureka's clients say of their instances: what the log says of it, and what the state keeps. */
import type { Indexed, StringMap } from '../lib/model.ts';

export const EUREKA_STATUSES = ['UP', 'DOWN', 'STARTING', 'OUT_OF_SERVICE', 'UNKNOWN'] as const;

export type EurekaStatus = (typeof EUREKA_STATUSES)[number];

export interface EurekaPort {
  readonly number: number;
  readonly enabled: boolean;
}

/** Where it runs, as it says; AmazonInfo has metadata of its own. */
export interface EurekaDataCenter {
  readonly class: string;
  readonly name: string;
  readonly metadata?: StringMap;
}

/** Addresses and names that an instance may have; absent where it says nothing of them. */
export interface EurekaTexts {
  readonly appGroupName?: string;
  readonly homePageUrl?: string;
  readonly statusPageUrl?: string;
  readonly healthCheckUrl?: string;
  readonly secureHealthCheckUrl?: string;
  readonly vipAddress?: string;
  readonly secureVipAddress?: string;
  readonly asgName?: string;
}

/** An InstanceInfo as its client sends it, whole. */
export interface EurekaInfo extends EurekaTexts {
  /** Without one it is known by its machine's id at Amazon, or its host's name. */
  readonly instanceId?: string;
  readonly hostName: string;
  /** In upper case. */
  readonly app: string;
  readonly ipAddr: string;
  readonly status: EurekaStatus;
  readonly overriddenStatus: EurekaStatus;
  readonly port: EurekaPort;
  readonly securePort: EurekaPort;
  readonly countryId: number;
  readonly dataCenterInfo: EurekaDataCenter;
  readonly renewalIntervalInSecs: number;
  readonly durationInSecs: number;
  readonly metadata: StringMap;
  readonly isCoordinatingDiscoveryServer: boolean;
  /** When its client last changed it, by that one's clock. */
  readonly lastDirtyTimestamp?: number;
}

/** An instance of a Eureka client. Its rows in the catalog follow from it: see state/eureka-place.ts. */
export interface EurekaRow extends Indexed {
  readonly Id: string;
  /** As it was sent. */
  readonly Info: EurekaInfo;
  readonly Status: EurekaStatus;
  /** What somebody has said in its place. */
  readonly Override?: EurekaStatus;
  readonly DirtyAt: number;
  readonly Action: 'ADDED' | 'MODIFIED';
  /** By the log's clock, milliseconds since 1970; 0 for never. */
  readonly RegisteredAt: number;
  readonly UpAt: number;
  readonly ChangedAt: number;
  /** Nobody has renewed it in time. */
  readonly Lapsed?: true;
  /** Its place in the catalog. */
  readonly Node: string;
  readonly ServiceID: string;
}

/** Which instance; ids are told apart by case. */
export interface EurekaName {
  readonly app: string;
  readonly id: string;
}

export interface EurekaRegister {
  readonly type: 'eureka-register';
  readonly info: EurekaInfo;
  readonly datacenter: string;
  /** Another server passes on what it was told: what was said there counts. */
  readonly isReplica?: true;
}

export interface EurekaCancel extends EurekaName {
  readonly type: 'eureka-cancel';
}

/** Its lease had ended, and it is renewed after all. */
export interface EurekaRevive extends EurekaName {
  readonly type: 'eureka-revive';
}

/** Somebody says how it stands, whatever it says itself; without `override` he says so no longer. */
export interface EurekaSetStatus extends EurekaName {
  readonly type: 'eureka-status';
  readonly status: EurekaStatus;
  readonly override: boolean;
  /** Its client's, where that one says it, and it is newer. */
  readonly dirtyAt?: number;
}

export interface EurekaMetadata extends EurekaName {
  readonly type: 'eureka-metadata';
  readonly metadata: StringMap;
}

/** The leader saw leases end; `term` as in ExpireSessions. One that has changed since `at` stays. */
export interface EurekaExpire {
  readonly type: 'eureka-expire';
  readonly term: number;
  /** `gone`: for so long that it is taken out; else it is critical from now on. */
  readonly instances: readonly (EurekaName & { readonly at: number; readonly gone: boolean })[];
}

export type EurekaCommand =
  | EurekaRegister
  | EurekaCancel
  | EurekaRevive
  | EurekaSetStatus
  | EurekaMetadata
  | EurekaExpire;

export function eurekaKey({ app, id }: EurekaName): string {
  return `${app}\0${id}`;
}

/** By what its client means it. */
export function eurekaId(info: EurekaInfo): string {
  const { instanceId, dataCenterInfo, hostName } = info;
  if (instanceId !== undefined && instanceId !== '') return instanceId;
  const machine = dataCenterInfo.metadata?.['instance-id'];
  return machine === undefined || machine === '' ? hostName : machine;
}
