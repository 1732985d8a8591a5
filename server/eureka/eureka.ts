/** Eureka's part of a server: its leases for the leader, and its application for the listeners. */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { LogTime } from '../cluster/log-time.ts';
import type { ServerDeps } from '../http/deps.ts';
import type { Leases } from '../leases.ts';
import { LatelyAnswered } from './lately.ts';
import { EurekaLeases, type EurekaLeasesDeps } from './leases.ts';
import { EurekaRegistry } from './registry.ts';
import { type EurekaPath, eurekaPaths } from './rows.ts';

/** What the configuration asks of it. */
export interface EurekaRules {
  readonly selfPreservation: boolean;
  /** Whether the servers themselves are shown, as the service `consul`. */
  readonly showsConsul: boolean;
}

export interface EurekaDeps extends Omit<EurekaLeasesDeps, 'leases' | 'preserves'> {
  readonly leases: Leases;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly rules: EurekaRules;
}

/** How the servers are called in the catalog. */
const SERVERS = 'consul';

export class Eureka {
  readonly leases: EurekaLeases;
  readonly #deps: EurekaDeps;

  constructor(deps: EurekaDeps) {
    this.#deps = deps;
    const { leases, state, propose, logger, rules } = deps;
    const preserves = rules.selfPreservation;
    this.leases = new EurekaLeases({ leases, state, propose, logger, preserves });
  }

  paths(server: Pick<ServerDeps, Used>): readonly EurekaPath[] {
    const { state, propose, answers, readiness, datacenter } = server;
    const { clock, rules } = this.#deps;
    const { leases } = this;
    return eurekaPaths({
      ...{ state, answers, readiness },
      lately: new LatelyAnswered(answers, clock),
      registry: new EurekaRegistry({ state, propose, readiness, leases, datacenter }),
      logTime: new LogTime(clock),
      hidden: rules.showsConsul ? '' : SERVERS,
    });
  }
}

type Used = 'state' | 'propose' | 'answers' | 'readiness' | 'datacenter';
