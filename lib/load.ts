/** What instances use, as their agents tell servers: never a log entry for each time. docs/scaling.md. */

import { NOTHING_SERVED, type Served, servedSum } from './served.ts';

/** PUT by an agent to any server: LoadReport → true. */
export const LOAD_PATH = '/v1/internal/agent/load';

/** Agents look this often, and tell at once. */
export const LOOK_MS = 15_000;

/** What is told at once is of no longer time, and of no more requests. */
export const MAX_LOAD_MS = 120_000;
export const MAX_LOAD_REQUESTS = 1e9;
export const MAX_SHARE = 2;
/** What was counted over less says nothing: of a moment, a few requests are millions a second. */
export const MIN_LOAD_MS = 1000;

/**
 * What an instance used since its agent told last. All are amounts over a time, so that what several
 * servers have heard of a service adds up.
 */
export interface InstanceLoad {
  readonly ServiceID: string;
  /** For so long its use was looked at; 0 where only its requests are counted. */
  readonly Ms: number;
  /** Shares of what it may use, over that time: from 0 to 1, or a little more. */
  readonly CPU: number;
  readonly Memory: number;
  /** For so long its memory was looked at too; `Ms` where nothing is said. */
  readonly MemoryMs?: number;
  /** For so long its requests were counted, and how many there were. */
  readonly RequestMs: number;
  readonly Requests: number;
  /** Of those, that failed, and how many took how long: see `Served`. */
  readonly Errors?: number;
  readonly Latency?: readonly number[];
}

export interface LoadReport {
  /** Of the node that tells. */
  readonly ID: string;
  readonly Node: string;
  readonly Instances: readonly InstanceLoad[];
}

/** By so long steps it is added up: each agent tells in each of them. */
export const STEP_MS = 2 * LOOK_MS;

/** The same of all instances of a service within a step: each share times the time over which it was so. */
export interface ServiceLoad {
  /** How many told what they use. */
  readonly told: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly memoryMs: number;
  /** The time over which memory was looked at; all of `ms` where a step of before says nothing. */
  readonly memoryOver?: number;
  /** How many had their requests counted. */
  readonly counted: number;
  readonly requestMs: number;
  /** As far as they are believed where somebody scales by them. */
  readonly requests: number;
  /** As it was told, whether anybody scales the service or not. */
  readonly served?: Served;
}

export const NO_LOAD: ServiceLoad = {
  ...{ told: 0, ms: 0, cpuMs: 0, memoryMs: 0, memoryOver: 0 },
  ...{ counted: 0, requestMs: 0, requests: 0 },
};

export function sumOf(a: ServiceLoad, b: ServiceLoad): ServiceLoad {
  return {
    told: a.told + b.told,
    ms: a.ms + b.ms,
    cpuMs: a.cpuMs + b.cpuMs,
    memoryMs: a.memoryMs + b.memoryMs,
    memoryOver: memoryOver(a) + memoryOver(b),
    counted: a.counted + b.counted,
    requestMs: a.requestMs + b.requestMs,
    requests: a.requests + b.requests,
    ...((a.served ?? b.served) && { served: servedSum(servedIn(a), servedIn(b)) }),
  };
}

export function servedIn({ served }: Pick<ServiceLoad, 'served'>): Served {
  return served ?? NOTHING_SERVED;
}

export function memoryOver(load: Pick<ServiceLoad, 'memoryOver' | 'ms'>): number {
  return load.memoryOver ?? load.ms;
}
