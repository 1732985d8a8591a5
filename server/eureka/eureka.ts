/** Eureka's part of a server: its leases for the leader, and its application for the listeners. */
import { gauge, type Metric } from '../../lib/metrics/metric.ts';
import type { Leader } from '../cluster/leader.ts';
import { LogTime } from '../cluster/log-time.ts';
import type { ServerDeps } from '../http/deps.ts';
import type { Leases } from '../leases.ts';
import { EurekaCounts } from './counts.ts';
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

export interface EurekaDeps extends Omit<EurekaLeasesDeps, 'leases' | 'preserves' | 'counts'> {
  readonly leases: Leases;
  readonly rules: EurekaRules;
}

/** How the servers are called in the catalog. */
const SERVERS = 'consul';

export class Eureka {
  readonly leases: EurekaLeases;
  readonly #deps: EurekaDeps;
  readonly #counts = new EurekaCounts();

  constructor(deps: EurekaDeps) {
    this.#deps = deps;
    const { leases, state, propose, clock, logger, rules } = deps;
    const preserves = rules.selfPreservation;
    const counts = this.#counts;
    this.leases = new EurekaLeases({ leases, state, propose, clock, logger, preserves, counts });
  }

  metrics(leader: Pick<Leader, 'isLeader'>): readonly Metric[] {
    const { state } = this.#deps;
    return [
      ...this.#counts.metrics(),
      gauge(
        'proconsul.eureka.instances',
        "instances of Eureka's clients",
        () => state().eureka.rows.size,
      ),
      gauge(
        'proconsul.eureka.preserving',
        '1 at a leader that keeps all, as too many were not renewed (eureka.self_preservation)',
        () => Number(this.leases.isPreserving && leader.isLeader),
      ),
    ];
  }

  paths(server: Pick<ServerDeps, Used>): readonly EurekaPath[] {
    const { state, propose, answers, readiness, datacenter } = server;
    const { clock, rules } = this.#deps;
    const { leases } = this;
    return eurekaPaths({
      ...{ state, answers, readiness },
      lately: new LatelyAnswered(answers, clock),
      registry: new EurekaRegistry({
        ...{ state, propose, readiness, leases, datacenter },
        counts: this.#counts,
      }),
      logTime: new LogTime(clock),
      hidden: rules.showsConsul ? '' : SERVERS,
    });
  }
}

type Used = 'state' | 'propose' | 'answers' | 'readiness' | 'datacenter';
