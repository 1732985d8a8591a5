/** docs/monitoring/metrics.md, made of the rows that a process shows its metrics by. */

import { agentMetrics } from '../agent/agent-metrics.ts';
import { DnsTimes } from '../agent/dns/dns-times.ts';
import { Forwarder } from '../agent/servers/forwarder.ts';
import { ServerList } from '../agent/servers/server-list.ts';
import { Upstream } from '../agent/servers/upstream.ts';
import { AntiEntropy } from '../agent/sync/anti-entropy.ts';
import { listenerMetrics } from '../cli/process/listener-metrics.ts';
import { ProcessMetrics } from '../cli/process/process-metrics.ts';
import { syncMetrics } from '../kubernetes/sync-metrics.ts';
import { systemClock } from '../lib/clock.ts';
import { RouteTimes } from '../lib/http/route-times.ts';
import { exposedName } from '../lib/metrics/exposition.ts';
import { isOwn, type Metric } from '../lib/metrics/metric.ts';
import { Sample } from '../lib/metrics/sample.ts';
import { systemRandom } from '../lib/random.ts';
import { Eureka } from '../server/eureka/eureka.ts';
import { FileLog } from '../server/log/file/file-log.ts';
import { RedisLog } from '../server/log/redis/log/redis-log.ts';
import { Notifier } from '../server/notify/notifier.ts';
import { serverMetrics } from '../server/server-metrics.ts';
import { xdsMetrics } from '../xds/xds-metrics.ts';
import { hollow } from './compat-table.ts';
import { consulTable } from './consul-metrics.ts';

/** Where a row is shown. */
type Role = 'server' | 'client' | 'both' | 'sync';

/** Each row once, whoever has it. */
export function allMetrics(): readonly (readonly [Role, Metric])[] {
  const of = (role: Role, metrics: readonly Metric[]) =>
    metrics.map((metric) => [role, metric] as const);
  return [
    ...of('server', serverMetrics(hollow)),
    ...of('server', new Notifier(hollow).metrics()),
    ...of('server', new Eureka(hollow).metrics(hollow)),
    ...of('server', new FileLog(hollow).metrics()),
    ...of('server', new RedisLog(hollow).metrics()),
    ...of('both', agentMetrics({ local: hollow, checks: hollow, antiEntropy: antiEntropy() })),
    ...of('client', new ServerList(systemClock, systemRandom).metrics()),
    ...of('client', new Upstream(hollow).metrics()),
    ...of('client', new Forwarder(hollow).metrics()),
    ...of('both', new DnsTimes().metrics('NODE')),
    ...of('both', listenerMetrics({ times: new RouteTimes(), listeners: [], fastPaths: [] })),
    ...of('both', xdsMetrics({ counts: hollow, views: hollow, polls: hollow })),
    ...of('both', new ProcessMetrics().metrics()),
    ...of('sync', syncMetrics({ ...sync, isActive: false, turns: 0, late: new Sample() })),
  ];
}

const shown = { written: 0, refused: 0, waiting: 0, leftOut: 0, held: 0 };
const counts = { ...shown, lists: 0, failures: 0 };
const way = { name: 'to-cluster', counts, isWhole: true, lostAt: undefined };
const catalog = { failures: { read: 0, write: 0 }, isFailing: false };
const sync = { ways: [way], catalog };

function antiEntropy(): AntiEntropy {
  return new AntiEntropy(hollow);
}

export const METRICS_BEGIN = '<!-- The rest is made by `npm run metrics`. -->';

export function metricsTable(): string {
  const all = allMetrics();
  return [
    METRICS_BEGIN,
    '',
    "## Under Consul's own names",
    '',
    'In JSON and statsd after `metrics_prefix` and a dot; gauges with the host in between, as in Consul.',
    'Prometheus gets `_` for each dot and dash. Samples are summaries in milliseconds.',
    '',
    ...table(all.filter(([, { name }]) => !isOwn(name))),
    '| `http.METHOD.v1.path` | sample | both | each endpoint, waits included: `http.GET.v1.kv._` |',
    '',
    "## Proconsul's own",
    '',
    ...table(all.filter(([, { name }]) => isOwn(name))),
    '| `proconsul_http_request_seconds{method,route}` | histogram | both | each endpoint, of what nobody waited for |',
    '',
    "## Beside a real Consul's",
    '',
    'All that a real Consul 1.8.7 showed to Prometheus when each part of its API had been used.',
    '',
    ...consulTable(all.map(([, metric]) => metric)),
    '',
  ].join('\n');
}

function table(rows: readonly (readonly [Role, Metric])[]): string[] {
  const lines = rows.map(([role, metric]) => {
    const labels = labelsOf(metric);
    return `| \`${shownAs(metric)}${labels}\` | ${kindOf(metric)} | ${role} | ${metric.does} |`;
  });
  const heads = ['| name | kind | on | what it is |', '| --- | --- | --- | --- |'];
  return [...heads, ...[...new Set(lines)].sort()];
}

/** Ours as Prometheus has them: nobody looks for them in a Consul's JSON. */
function shownAs(metric: Metric): string {
  return isOwn(metric.name) ? exposedName(metric.name, metric) : metric.name;
}

function kindOf(metric: Metric): string {
  if (metric.kind !== 'sample') return metric.kind;
  if (!isOwn(metric.name)) return 'sample';
  return metric.buckets ? 'histogram' : 'summary';
}

function labelsOf(metric: Metric): string {
  const names = Object.keys(metric.labels ?? {});
  const varying = metric.kind === 'gauge' ? READINGS[metric.name] : undefined;
  const all = varying === undefined ? names : [varying];
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

/** Of gauges that have several values: only what is running could be asked. */
const READINGS: Readonly<Record<string, string>> = {
  'proconsul.catalog.checks': 'status',
  'proconsul.agent.checks': 'status',
  'proconsul.ring.share': 'server',
  'proconsul.k8s.whole': 'way',
  'proconsul.k8s.waiting': 'way',
  'proconsul.k8s.left_out': 'way',
};
