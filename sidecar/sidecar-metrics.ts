/** What a sidecar tells of itself in numbers: of each upstream, and of its hosts. */
import { CIRCUIT_KINDS } from '../lib/balance/circuit.ts';
import type { Host } from '../lib/balance/host.ts';
import { exposition } from '../lib/metrics/exposition.ts';
import { counter, gauge, type Labels, type Metric, timing } from '../lib/metrics/metric.ts';
import type { Target } from './target.ts';
import type { Upstream, UpstreamCounts } from './upstream.ts';

/** Of all upstreams together: each would be a series of its own. */
const MAX_HOSTS = 1000;

const COUNTS: readonly (readonly [keyof UpstreamCounts, string])[] = [
  ['calls', 'Connections or requests of callers.'],
  ['retries', 'Tries at another host after one that did not take a call.'],
  ['hedged', 'Requests that a second host was asked as well, beside a slow one.'],
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
    '1 while it is set aside for its failures; more where several ports call it.',
    ({ outlier }) => (outlier.ejectedUntil === undefined ? 0 : 1),
  ],
];

/** One service may be called by several ports, and a series may stand there once. */
function byName(upstreams: readonly Upstream[]): ReadonlyMap<string, readonly Upstream[]> {
  const groups = new Map<string, Upstream[]>();
  for (const each of upstreams) groups.set(each.name, [...(groups.get(each.name) ?? []), each]);
  return groups;
}

function sidecarMetrics(upstreams: readonly Upstream[]): readonly Metric[] {
  const groups = [...byName(upstreams)];
  return [
    ...groups.flatMap(([name, group]) => ofUpstream(name, group)),
    gauge('proconsul.sidecar.known', '1 once the agent has said what hosts there are.', () =>
      groups.map(([name, group]) => ({
        labels: { upstream: name },
        value: Number(group.every(({ isKnown }) => isKnown)),
      })),
    ),
    gauge(
      'proconsul.sidecar.host.answers',
      'Answers of a host, by the first digit of their status.',
      () => answersOfHosts(upstreams),
      MAX_HOSTS,
    ),
    ...PER_HOST.map(([name, does, read]) =>
      gauge(`proconsul.sidecar.host.${name}`, does, () => ofHosts(upstreams, read), MAX_HOSTS),
    ),
  ];
}

const STATUSES = ['1xx', '2xx', '3xx', '4xx', '5xx'];

function ofUpstream(name: string, group: readonly Upstream[]): readonly Metric[] {
  const labels = { upstream: name };
  const sumOf = (read: (upstream: Upstream) => number) => () =>
    group.reduce((sum, upstream) => sum + read(upstream), 0);
  return [
    ...COUNTS.map(([what, does]) =>
      counter(
        `proconsul.sidecar.${what}`,
        does,
        sumOf(({ counts }) => counts[what]),
        labels,
      ),
    ),
    ...STATUSES.map((status, i) =>
      counter(
        'proconsul.sidecar.answers',
        'Answers to requests.',
        sumOf(({ statuses }) => statuses[i] ?? 0),
        { ...labels, status },
      ),
    ),
    timing(
      'proconsul.sidecar.answer',
      'From a request to the head of its answer.',
      group.map(({ latency }) => latency),
      { labels, buckets: true },
    ),
    ...CIRCUIT_KINDS.map((limit) =>
      counter(
        'proconsul.sidecar.refused',
        'Calls over a limit.',
        sumOf(({ circuit }) => circuit.refused(limit)),
        { ...labels, limit },
      ),
    ),
  ];
}

function ofHosts(upstreams: readonly Upstream[], read: (host: Host) => number) {
  return summed(upstreams, (_, host) => [[{}, read(host)]]);
}

function answersOfHosts(upstreams: readonly Upstream[]) {
  return summed(upstreams, (target, host) =>
    target
      .answersOf(host)
      .flatMap((value, i) =>
        value === 0 ? [] : [[{ status: STATUSES[i] ?? '' }, value] as const],
      ),
  );
}

type ReadHost = (target: Target, host: Host) => readonly (readonly [Labels, number])[];

/** Where a service is called by several ports, what each knows of a host is added up. */
function summed(upstreams: readonly Upstream[], read: ReadHost) {
  const rows = new Map<string, { readonly labels: Labels; value: number }>();
  for (const target of upstreams.flatMap(({ targets }) => targets)) {
    for (const host of target.balancer.hosts.slice(0, MAX_HOSTS)) {
      for (const [more, value] of read(target, host)) {
        const labels = { upstream: target.name, instance: host.id, ...more };
        const key = JSON.stringify(labels);
        rows.set(key, { labels, value: (rows.get(key)?.value ?? 0) + value });
      }
    }
  }
  return [...rows.values()];
}

const NAMING = { prefix: '', host: '', filter: { allowed: [], blocked: [], byDefault: true } };

/** For Prometheus. */
export function sidecarExposition(upstreams: readonly Upstream[], more: readonly Metric[]): string {
  const metrics = [...sidecarMetrics(upstreams), ...more];
  return exposition({ metrics, changedWithin: () => true }, NAMING, 0);
}
