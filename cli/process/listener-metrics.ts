/** What the HTTP listeners of a process measure: docs/monitoring/metrics.md is made from these rows. */
import type { FastPath } from '../../lib/http/fast/fast-path.ts';
import type { Listener } from '../../lib/http/listener.ts';
import type { RouteTimes } from '../../lib/http/route-times.ts';
import { counter, gauge, type Metric } from '../../lib/metrics/metric.ts';

export interface MeasuredListeners {
  readonly times: RouteTimes;
  readonly listeners: readonly Pick<Listener, 'connections'>[];
  readonly fastPaths: readonly Pick<FastPath, 'answered' | 'size'>[];
}

export function listenerMetrics(of: MeasuredListeners): readonly Metric[] {
  const connections = () => sum(of.listeners.map((each) => each.connections));
  return [
    ...of.times.metrics(),
    gauge('proconsul.http.connections', 'connections that are open', connections),
    counter('proconsul.http.fast', 'requests that were answered unparsed', () =>
      sum(of.fastPaths.map(({ answered }) => answered)),
    ),
    gauge('proconsul.http.fast_parked', 'requests that wait unparsed', () =>
      sum(of.fastPaths.map(({ size }) => size.parked)),
    ),
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
