/** What an agent measures of itself: docs/monitoring/metrics.md is made from these rows. */
import { gauge, type Metric, type Reading } from '../lib/metrics/metric.ts';
import type { CheckSet } from './checks/check-set.ts';
import type { LocalState } from './state/local-state.ts';
import type { AntiEntropy } from './sync/anti-entropy.ts';

export interface MeasuredAgent {
  readonly local: Pick<LocalState, 'services' | 'checks'>;
  readonly checks: Pick<CheckSet, 'counts'>;
  readonly antiEntropy: Pick<AntiEntropy, 'metrics'>;
}

const STATUSES = ['passing', 'warning', 'critical'] as const;

export function agentMetrics({ local, checks, antiEntropy }: MeasuredAgent): readonly Metric[] {
  const byStatus = (): readonly Reading[] => {
    const all = [...local.checks.values()];
    return STATUSES.map((status) => ({
      labels: { status },
      value: all.filter(({ definition }) => definition.Status === status).length,
    }));
  };
  return [
    gauge('agent.services', 'services registered here', () => local.services.size),
    gauge('agent.checks', 'checks registered here', () => local.checks.size),
    gauge('agent.check_ttls', 'checks that wait for reports', () => checks.counts.ttls),
    gauge('agent.check_monitors', 'checks that look by themselves', () => checks.counts.monitors),
    gauge('proconsul.agent.checks', 'checks registered here, by status', byStatus),
    ...antiEntropy.metrics(),
  ];
}
