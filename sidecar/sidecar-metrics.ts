/** What a sidecar tells of itself in numbers: of each upstream, and of its hosts. */
import type { Host } from '../lib/balance/host.ts';
import { exposition } from '../lib/metrics/exposition.ts';
import { counter, gauge, type Metric } from '../lib/metrics/metric.ts';
import type { Upstream, UpstreamCounts } from './upstream.ts';

/** Of all upstreams together: each would be a series of its own. */
const MAX_HOSTS = 1000;

const COUNTS: readonly (readonly [keyof UpstreamCounts, string])[] = [
  ['calls', 'Connections or requests of callers.'],
  ['retries', 'Tries at another host after one that did not take a call.'],
  ['failed', 'Calls that no host took.'],
  ['sent', 'Bytes from callers to hosts.'],
  ['received', 'Bytes from hosts to callers.'],
];

const PER_HOST: readonly (readonly [string, string, (host: Host) => number])[] = [
  ['active', 'Calls under way.', ({ active }) => active],
  ['begun', 'Calls since it came.', ({ begun }) => begun],
  [
    'failed',
    'Of those, how many it did not take or answered with an error.',
    ({ failed }) => failed,
  ],
  [
    'ejected',
    '1 while it is set aside for its failures.',
    ({ outlier }) => (outlier.ejectedUntil === undefined ? 0 : 1),
  ],
];

function sidecarMetrics(upstreams: readonly Upstream[]): readonly Metric[] {
  return [
    ...upstreams.flatMap(ofUpstream),
    gauge('proconsul.sidecar.known', '1 once the agent has said what hosts there are.', () =>
      upstreams.map(({ name, isKnown }) => ({
        labels: { upstream: name },
        value: Number(isKnown),
      })),
    ),
    ...PER_HOST.map(([name, does, read]) =>
      gauge(`proconsul.sidecar.host.${name}`, does, () => ofHosts(upstreams, read), MAX_HOSTS),
    ),
  ];
}

function ofUpstream({ name, counts, circuit }: Upstream): readonly Metric[] {
  const labels = { upstream: name };
  const figures = circuit
    .figures()
    .map(({ kind }) => ({ kind, of: () => figureOf(circuit, kind) }));
  return [
    ...COUNTS.map(([what, does]) =>
      counter(`proconsul.sidecar.${what}`, does, () => counts[what], labels),
    ),
    ...figures.map(({ kind, of }) =>
      counter('proconsul.sidecar.refused', 'Calls over a limit.', () => of()?.refused ?? 0, {
        ...labels,
        limit: kind,
      }),
    ),
  ];
}

function figureOf(circuit: Upstream['circuit'], wanted: string) {
  return circuit.figures().find(({ kind }) => kind === wanted);
}

function ofHosts(upstreams: readonly Upstream[], read: (host: Host) => number) {
  return upstreams.flatMap(({ name, balancer }) =>
    balancer.hosts.slice(0, MAX_HOSTS).map((host) => ({
      labels: { upstream: name, instance: host.id },
      value: read(host),
    })),
  );
}

const NAMING = { prefix: '', host: '', filter: { allowed: [], blocked: [], byDefault: true } };

/** For Prometheus. */
export function sidecarExposition(upstreams: readonly Upstream[]): string {
  const metrics = sidecarMetrics(upstreams);
  return exposition({ metrics, changedWithin: () => true }, NAMING, 0);
}
