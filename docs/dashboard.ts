/** The dashboard for Grafana, as rows of panels: docs/monitoring/grafana.json is made of it (`npm run dashboard`). */

interface Panel {
  readonly title: string;
  /** What a person should make of it. */
  readonly says: string;
  readonly unit: string;
  /** The legend, and the expression that it is of. */
  readonly lines: Readonly<Record<string, string>>;
}

type Rows = Readonly<Record<string, readonly Panel[]>>;

const RATE = '[$__rate_interval]';
const ON = '{instance=~"$instance"}';

/** A quantile of one of our histograms, over those that are looked at. */
function quantile(q: number, histogram: string, by = 'instance'): string {
  const rate = `rate(${histogram}_bucket${ON}${RATE})`;
  return `histogram_quantile(${q}, sum by (${by}, le) (${rate}))`;
}

function rate(counter: string, by = 'instance'): string {
  return `sum by (${by}) (rate(${counter}${ON}${RATE}))`;
}

export const DASHBOARD: Rows = {
  'What is there': [
    {
      title: 'Leader',
      says: 'Exactly one server should lead, and every server know that it lives.',
      unit: 'none',
      lines: {
        'lead: {{instance}}': `proconsul_leader${ON}`,
        'know: {{instance}}': `proconsul_leader_known${ON}`,
      },
    },
    {
      title: 'Catalog',
      says: 'Names of services, instances and nodes; each server has them all.',
      unit: 'none',
      lines: {
        services: `max(consul_state_services${ON})`,
        instances: `max(consul_state_service_instances${ON})`,
        nodes: `max(consul_state_nodes${ON})`,
      },
    },
    {
      title: 'Checks by status',
      says: 'Of the whole catalog.',
      unit: 'none',
      lines: { '{{status}}': `max by (status) (proconsul_catalog_checks${ON})` },
    },
    {
      title: 'Members',
      says: 'Nodes that beat, or did; and how many failed or left a second.',
      unit: 'none',
      lines: {
        members: `max(proconsul_members${ON})`,
        'failed/s': `max(rate(consul_serf_member_failed${ON}${RATE}))`,
      },
    },
  ],
  'Who asks': [
    {
      title: 'Requests',
      says: 'By the first digit of their status. 5xx is what to look at.',
      unit: 'reqps',
      lines: { '{{code}} {{instance}}': rate('proconsul_http_answers_total', 'code, instance') },
    },
    {
      title: 'Answers that nobody waited for, 99 %',
      says: 'By route.',
      unit: 's',
      lines: { '{{route}}': quantile(0.99, 'proconsul_http_request_seconds', 'route') },
    },
    {
      title: 'Waiting',
      says: 'Blocking queries at servers and at agents, and topics that somebody watches.',
      unit: 'none',
      lines: {
        'servers: {{instance}}': `consul_rpc_queries_blocking${ON}`,
        'agents: {{instance}}': `proconsul_forwarder_waiting${ON}`,
        'topics: {{instance}}': `proconsul_topics${ON}`,
      },
    },
    {
      title: 'Answers: kept, made anew, woken',
      says: 'What is evaluated should be little beside what is asked.',
      unit: 'ops',
      lines: {
        'stood: {{instance}}': rate('proconsul_answers_cached_total'),
        'evaluated: {{instance}}': rate('proconsul_answers_evaluated_total'),
        'woken: {{instance}}': rate('proconsul_answers_woken_total'),
      },
    },
  ],
  'The event log': [
    {
      title: 'Append',
      says: 'Until the log had taken a batch: Redis, or the disk.',
      unit: 's',
      lines: {
        '50 % {{instance}}': quantile(0.5, 'proconsul_log_append_seconds'),
        '99 % {{instance}}': quantile(0.99, 'proconsul_log_append_seconds'),
      },
    },
    {
      title: 'Redis, fsync',
      says: 'How long Redis took to answer; until a batch was durable on the disk.',
      unit: 's',
      lines: {
        'Redis 99 % {{instance}}': quantile(0.99, 'proconsul_redis_round_trip_seconds'),
        'fsync 99 % {{instance}}': quantile(0.99, 'proconsul_log_fsync_seconds'),
      },
    },
    {
      title: 'Writable, behind, waiting',
      says: '1 where a write stands a chance; how old a stale read may be; writes that wait.',
      unit: 'none',
      lines: {
        'writable: {{instance}}': `proconsul_log_writable${ON}`,
        'behind, s: {{instance}}': `proconsul_log_behind_seconds${ON}`,
        'waiting: {{instance}}': `proconsul_log_waiting${ON}`,
      },
    },
    {
      title: 'Epochs and what was lost',
      says: 'A step up is a Redis that was found again; anything lost is named in the log of a server.',
      unit: 'none',
      lines: {
        'epoch: {{instance}}': `proconsul_redis_epoch${ON}`,
        'lost: {{instance}}': `proconsul_redis_lost_entries_total${ON}`,
        'snapshots failed: {{instance}}': `proconsul_snapshot_failed_total${ON}`,
      },
    },
  ],
  Agents: [
    {
      title: 'Changes that the catalog lacks',
      says: 'Above 0 for long: see the log of that agent.',
      unit: 'none',
      lines: {
        'owed: {{instance}}': `proconsul_sync_owed${ON}`,
        'drift: {{instance}}': `proconsul_sync_drift${ON}`,
      },
    },
    {
      title: 'Servers, as agents find them',
      says: 'Until a server began to answer; servers that gave no answer.',
      unit: 's',
      lines: {
        '99 % {{instance}}': quantile(0.99, 'proconsul_servers_answer_seconds'),
        'failing: {{instance}}': `proconsul_servers_failing${ON}`,
      },
    },
    {
      title: 'DNS',
      says: 'Answers by their code.',
      unit: 'reqps',
      lines: { '{{rcode}}': rate('proconsul_dns_answers_total', 'rcode') },
    },
    {
      title: 'Notices',
      says: 'Sent, and times that a target could not be told.',
      unit: 'ops',
      lines: {
        sent: rate('proconsul_notify_sent_total'),
        failed: rate('proconsul_notify_failed_total'),
      },
    },
  ],
  Processes: [
    {
      title: 'Event loop, 90 %',
      says: 'The longest time of each second in which nobody was heard.',
      unit: 's',
      lines: { '{{instance}}': quantile(0.9, 'proconsul_event_loop_lag_seconds') },
    },
    {
      title: 'Processors',
      says: 'Seconds of processors a second.',
      unit: 'none',
      lines: { '{{instance}}': rate('proconsul_process_cpu_seconds_total') },
    },
    {
      title: 'Memory',
      says: 'All memory of the process, and the heap in use.',
      unit: 'bytes',
      lines: {
        'all: {{instance}}': `consul_runtime_sys_bytes${ON}`,
        'heap: {{instance}}': `consul_runtime_alloc_bytes${ON}`,
      },
    },
    {
      title: 'Connections',
      says: 'That are open.',
      unit: 'none',
      lines: { '{{instance}}': `proconsul_http_connections${ON}` },
    },
  ],
};

const WIDTH = 24;
const HEIGHT = 8;

/** The document as the file has it. */
export function dashboardText(): string {
  const datasource = { type: 'prometheus', uid: '$datasource' };
  const panels: object[] = [];
  for (const [place, [title, row]] of Object.entries(DASHBOARD).entries()) {
    const y = place * (HEIGHT + 1);
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      gridPos: { h: 1, w: WIDTH, x: 0, y },
    });
    for (const [at, { title: name, says, unit, lines }] of row.entries()) {
      const w = WIDTH / row.length;
      panels.push({
        id: panels.length + 1,
        type: 'timeseries',
        title: name,
        description: says,
        datasource,
        gridPos: { h: HEIGHT, w, x: at * w, y: y + 1 },
        fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
        targets: Object.entries(lines).map(([legendFormat, expr], line) => ({
          refId: String.fromCharCode('A'.charCodeAt(0) + line),
          datasource,
          expr,
          legendFormat,
        })),
      });
    }
  }
  const dashboard = {
    title: 'Proconsul',
    uid: 'proconsul',
    tags: ['proconsul'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          type: 'query',
          datasource,
          query: 'label_values(proconsul_http_connections, instance)',
          refresh: 2,
          includeAll: true,
          multi: true,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 1)}\n`;
}
