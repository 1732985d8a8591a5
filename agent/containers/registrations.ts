/**
 * What the watcher needs of the agent. The shapes are the bodies of `PUT /v1/agent/service/register`
 * and `PUT /v1/agent/check/register`, so that they may as well be sent to an agent over HTTP.
 */

import type { CheckStatus, StringMap, Weights } from '../../lib/model.ts';
import type { CheckSpec } from '../definitions/check-spec.ts';

/** A check as it is registered: any of a check's fields, the times as durations as Go writes them. */
export type CheckRegistration = {
  readonly [Key in keyof CheckSpec]?: CheckSpec[Key] | string;
};

/** A service as it is registered, with the checks that its container asks for. */
export interface ServiceRegistration {
  readonly ID: string;
  readonly Name: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly Port: number;
  readonly Meta: StringMap;
  readonly Weights?: Weights;
  readonly EnableTagOverride?: boolean;
  readonly Checks: readonly CheckRegistration[];
}

export interface CurrentService {
  readonly ID: string;
  readonly Meta: StringMap | null;
}

export interface CurrentCheck {
  readonly CheckID: string;
  readonly Status: string;
  readonly Output: string;
}

export interface CheckUpdate {
  readonly CheckID: string;
  readonly Status: CheckStatus;
  readonly Output: string;
}

/**
 * The agent's local state, as the watcher sees it. Each method may reject: the watcher then says
 * so in the log and tries again. None of them may wait for a server.
 */
export interface Registrations {
  /** All services of the agent, those that it remembers from before it was started too. */
  services(): Iterable<CurrentService>;
  checks(): Iterable<CurrentCheck>;
  /**
   * Adds the service or replaces it with the checks that it was registered with; checks that were
   * registered by themselves stay. To register an equal one again changes nothing, no status either.
   */
  registerService(service: ServiceRegistration): Promise<void>;
  /** Removes the service and all of its checks; that there is none is no error. */
  deregisterService(serviceId: string): Promise<void>;
  registerCheck(check: CheckRegistration & { readonly CheckID: string }): Promise<void>;
  deregisterCheck(checkId: string): Promise<void>;
  /** Says what a check with a TTL has come to, and so renews it. */
  updateCheck(update: CheckUpdate): Promise<void>;
}
