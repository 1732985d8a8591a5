import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { loadConfig } from '../../../lib/config/load.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { counter, gauge, type Metric, timing } from '../../../lib/metrics/metric.ts';
import { Sample } from '../../../lib/metrics/sample.ts';
import { Telemetry } from '../../../lib/metrics/telemetry.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

interface Shown {
  readonly Name: string;
  readonly Labels: object;
}

interface Json {
  readonly Timestamp: string;
  readonly Gauges: readonly Shown[];
  readonly Counters: readonly Shown[];
  readonly Samples: readonly Shown[];
}

const started: Telemetry[] = [];

afterEach(() => {
  for (const each of started.splice(0)) each.stop();
});

function configOf(hcl: string) {
  const argv = ['-dev', '-node=n1', '-hcl', `telemetry { ${hcl} }`];
  return loadConfig({ argv, host: fakeConfigHost() }).config.telemetry;
}

function start(hcl: string, metrics: readonly Metric[]) {
  // A second after an interval has begun.
  const clock = new FakeClock(1_700_000_001_000);
  const system = { clock, logger: silentLogger };
  const telemetry = new Telemetry({ config: configOf(hcl), system });
  started.push(telemetry);
  telemetry.start(metrics);
  const json = () => telemetry.json() as Json;
  const names = () => {
    const { Gauges, Counters, Samples } = json();
    return [...Gauges, ...Counters, ...Samples].map(({ Name }) => Name);
  };
  const lines = () => (telemetry.prometheus() ?? '').split('\n');
  return { clock, telemetry, json, names, lines };
}

describe("the metrics as Consul's JSON", () => {
  it('show the interval that is over, and before there is one the first', async () => {
    let calls = 0;
    const sample = new Sample();
    const { clock, json } = start('', [
      counter('client.rpc', '', () => calls),
      timing('kvs.apply', '', sample),
    ]);
    calls += 2;
    for (const ms of [0.432, 0.599]) sample.observe(ms);
    // As a real Consul shows the same two observations.
    const aggregate = {
      Name: 'consul.kvs.apply',
      Count: 2,
      Sum: 1.031,
      Min: 0.432,
      Max: 0.599,
      Mean: 0.5155,
      Stddev: 0.118087,
      Rate: 0.1031,
      Labels: {},
    };
    const round = (each: object | undefined) =>
      Object.fromEntries(
        Object.entries(each ?? {}).map(([key, value]) => [
          key,
          typeof value === 'number' ? Number(value.toFixed(6)) : value,
        ]),
      );
    assert.deepEqual(round(json().Samples[0]), aggregate);
    assert.equal(json().Timestamp, '2023-11-14 22:13:20 +0000 UTC');
    await clock.advance(9000);
    calls += 5;
    assert.equal(json().Timestamp, '2023-11-14 22:13:20 +0000 UTC');
    assert.deepEqual(round(json().Samples[0]), aggregate);
    assert.deepEqual(json().Counters, [
      {
        ...{ Name: 'consul.client.rpc', Count: 2, Rate: 0.2, Sum: 2, Min: 1, Max: 1, Mean: 1 },
        ...{ Stddev: 0, Labels: {} },
      },
    ]);
    await clock.advance(10_000);
    assert.equal(json().Timestamp, '2023-11-14 22:13:30 +0000 UTC');
    assert.deepEqual(json().Samples, []);
    assert.equal((json().Counters[0] as { Count?: number }).Count, 5);
  });

  it('name a gauge with the host where something is sent somewhere, as Consul does', () => {
    const metrics = [gauge('agent.checks', '', () => 1), gauge('proconsul.topics', '', () => 1)];
    const sent = 'prometheus_retention_time = "1h"';
    assert.deepEqual(start('', metrics).names(), ['consul.agent.checks', 'proconsul.topics']);
    assert.deepEqual(start(sent, metrics).names(), [
      `consul.${hostname()}.agent.checks`,
      'proconsul.topics',
    ]);
    assert.deepEqual(start(`${sent} disable_hostname = true`, metrics).names(), [
      'consul.agent.checks',
      'proconsul.topics',
    ]);
  });

  it('have the prefix of the configuration', () => {
    const metrics = [gauge('agent.checks', '', () => 1)];
    assert.deepEqual(start('metrics_prefix = "acme"', metrics).names(), ['acme.agent.checks']);
  });

  it('leave out what prefix_filter says, by the longest rule that fits', () => {
    const read = () => 1;
    const metrics = [
      ...['raft.applied_index', 'raft.applied', 'rpc.queries_blocking'],
      ...['proconsul.topics', 'agent.checks'],
    ].map((name) => gauge(name, '', read));
    const rules =
      'prefix_filter = ["-consul.raft", "+consul.raft.applied_index", "-proconsul", "+consul.rpc"]';
    assert.deepEqual(start(rules, metrics).names(), [
      'consul.agent.checks',
      'consul.raft.applied_index',
      'consul.rpc.queries_blocking',
    ]);
    assert.deepEqual(start(`${rules} filter_default = false`, metrics).names(), [
      'consul.raft.applied_index',
      'consul.rpc.queries_blocking',
    ]);
  });

  it('take over another filter by a reload, and nothing else', () => {
    const { telemetry, names } = start('', [gauge('raft.applied_index', '', () => 1)]);
    telemetry.takeOver(
      configOf('prefix_filter = ["-consul.raft"] prometheus_retention_time = "1h"'),
    );
    assert.deepEqual(names(), []);
    assert.equal(telemetry.prometheus(), undefined);
  });

  it('show a hundred values of a gauge at most', () => {
    const many = Array.from({ length: 500 }, (_, i) => ({ labels: { i: `${i}` }, value: i }));
    const { json } = start('', [gauge('proconsul.ring.share', '', () => many)]);
    assert.equal(json().Gauges.length, 100);
  });
});

describe('the metrics as Prometheus reads them', () => {
  const on = 'prometheus_retention_time = "60s" disable_hostname = true';

  it('are none where the retention time is 0', () => {
    assert.equal(start('', []).telemetry.prometheus(), undefined);
  });

  it("have Consul's summaries in milliseconds, and ours in seconds and buckets", () => {
    const sample = new Sample();
    const { lines } = start(on, [
      timing('http.GET.v1.kv._', 'keys', [sample]),
      timing('proconsul.log.append', 'batches', sample, { buckets: true }),
      counter('proconsul.log.turned_away', 'writes', () => 3),
    ]);
    for (let i = 0; i < 4; i++) sample.observe(1);
    assert.deepEqual(
      lines().filter((line) => line.includes('consul_http')),
      [
        '# HELP consul_http_GET_v1_kv__ keys',
        '# TYPE consul_http_GET_v1_kv__ summary',
        'consul_http_GET_v1_kv__{quantile="0.5"} 1',
        'consul_http_GET_v1_kv__{quantile="0.9"} 1',
        'consul_http_GET_v1_kv__{quantile="0.99"} 1',
        'consul_http_GET_v1_kv___sum 4',
        'consul_http_GET_v1_kv___count 4',
      ],
    );
    const ours = lines().filter((line) => line.startsWith('proconsul_log_append'));
    assert.ok(ours.includes('proconsul_log_append_seconds_bucket{le="0.000512"} 0'));
    assert.ok(ours.includes('proconsul_log_append_seconds_bucket{le="0.001024"} 4'));
    assert.ok(ours.includes('proconsul_log_append_seconds_bucket{le="+Inf"} 4'));
    assert.ok(ours.includes('proconsul_log_append_seconds_sum 0.004'));
    assert.ok(lines().includes('proconsul_log_turned_away_total 3'));
  });

  it("forget what of Consul's has not changed for the retention time, and nothing of ours", async () => {
    let rare = 1;
    const sample = new Sample();
    const { clock, lines } = start(on, [
      counter('raft.state.leader', '', () => rare),
      counter('proconsul.rare', '', () => rare),
      timing('kvs.apply', '', sample),
    ]);
    sample.observe(1);
    const shown = () =>
      ['consul_raft_state_leader', 'proconsul_rare_total', 'consul_kvs_apply_count'].filter(
        (name) => lines().some((line) => line.startsWith(`${name} `)),
      );
    const all = shown();
    assert.equal(all.length, 3);
    await clock.advance(50_000);
    assert.deepEqual(shown(), all);
    await clock.advance(30_000);
    assert.deepEqual(shown(), ['proconsul_rare_total']);
    rare++;
    sample.observe(1);
    assert.ok(lines().includes('consul_raft_state_leader 2'));
    assert.ok(lines().includes('consul_kvs_apply_count 2'));
  });

  it('are none of a thing that never happened, but for what is counted', () => {
    const { lines } = start(on, [
      timing('proconsul.http.request', 'x', new Sample(), { buckets: true }),
      counter('proconsul.log.turned_away', 'x', () => 0),
    ]);
    assert.deepEqual(
      lines().filter((line) => !line.startsWith('#')),
      ['proconsul_log_turned_away_total 0', ''],
    );
  });

  it('stand together by their names, and nothing in a label or a prefix breaks a line', () => {
    const labels = { server: 'a"b\\c\nd' };
    const { lines } = start(`${on} metrics_prefix = "9 a.b{}"`, [
      counter('rpc.query', 'a\nb\\c', () => 1, { op: 'x' }),
      gauge('proconsul.ring.share', '', () => [{ labels, value: 0.5 }]),
      counter('rpc.query', 'a\nb\\c', () => 2, { op: 'y' }),
    ]);
    assert.deepEqual(lines(), [
      '# HELP _9_a_b___rpc_query a\\nb\\\\c',
      '# TYPE _9_a_b___rpc_query counter',
      '_9_a_b___rpc_query{op="x"} 1',
      '_9_a_b___rpc_query{op="y"} 2',
      '# HELP proconsul_ring_share ',
      '# TYPE proconsul_ring_share gauge',
      'proconsul_ring_share{server="a\\"b\\\\c\\nd"} 0.5',
      '',
    ]);
  });
});
