/**
 * A real Prometheus discovers by `GET /v1/internal/prometheus/sd`, under access control, what its token may
 * see and nothing else; it scrapes what it found, with the labels that rules make of it, hears of what is
 * registered later, and forgets what has gone.
 *
 *   node --import tsx spec/system/prometheus-sd.system.ts
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentProcesses } from '../support/servers/agent-processes.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const PATIENCE_MS = 90_000;
const MANAGEMENT = '11111111-2222-4333-8444-555555555555';
const SCRAPER = '22222222-2222-4333-8444-555555555555';

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
}

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-sd-'));
  const processes = await AgentProcesses.create();
  let prometheus: ChildProcess | undefined;
  try {
    const server = await processes.server({
      acl: {
        enabled: true,
        default_policy: 'deny',
        tokens: { initial_management: MANAGEMENT, default: MANAGEMENT, agent: MANAGEMENT },
      },
      telemetry: { prometheus_retention_time: '60s' },
    });
    await server.start();
    const own = `127.0.0.1:${server.ports.http}`;
    const put = async (path: string, body: object = {}) =>
      assert.equal(await server.put(path, body), 200);
    const Rules =
      'service_prefix "seen" { policy = "read" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" }';
    await put('/v1/acl/policy', { Name: 'scraper', Rules });
    await put('/v1/acl/token', { SecretID: SCRAPER, Policies: [{ Name: 'scraper' }] });
    const register = (name: string, id = name) =>
      put('/v1/agent/service/register', {
        Name: name,
        ID: id,
        Address: '127.0.0.1',
        Port: server.ports.http,
        Tags: ['scraped'],
        Meta: { team: 'blue' },
      });
    await register('seen');
    await register('hidden');

    const port = await freePort();
    const config = join(folder, 'prometheus.yml');
    await writeFile(config, configOf(own));
    const options = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`];
    prometheus = spawn('prometheus', [...options, `--web.listen-address=127.0.0.1:${port}`], {
      stdio: 'ignore',
    });
    const found = () => targetsAt(port);
    let seen = '';
    const areTargets = (ids: string) =>
      until(
        async () => {
          const all = await found();
          seen = all
            .map(({ labels }) => labels['id'])
            .sort()
            .join();
          return seen === ids;
        },
        () => `targets: ${seen}`,
        PATIENCE_MS,
      );
    await areTargets('seen');
    await until(
      async () => (await found())[0]?.health === 'up',
      () => 'it is not scraped',
      PATIENCE_MS,
    );
    const [target] = await found();
    assert.deepEqual(
      { ...target?.labels },
      {
        instance: own,
        job: 'seen',
        id: 'seen',
        node: server.node,
        team: 'blue',
      },
    );
    say('it scrapes what its token may see, under the labels of consul_sd, and nothing else');
    await register('seen', 'seen-2');
    await areTargets('seen,seen-2');
    await put('/v1/agent/service/deregister/seen');
    await areTargets('seen-2');
    say('it hears of what comes and what goes');
    return 0;
  } finally {
    prometheus?.kill();
    await processes.end();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
});

/** As docs/monitoring/prometheus.md shows it, but for the pace. */
function configOf(own: string): string {
  return `
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: discovered
    http_sd_configs:
      - url: http://${own}/v1/internal/prometheus/sd?tag=scraped
        refresh_interval: 1s
        authorization: {type: Bearer, credentials: ${SCRAPER}}
    metrics_path: /v1/agent/metrics
    params: {format: [prometheus]}
    authorization: {credentials: ${SCRAPER}}
    relabel_configs:
      - {source_labels: [__meta_consul_service], target_label: job}
      - {source_labels: [__meta_consul_service_id], target_label: id}
      - {source_labels: [__meta_consul_node], target_label: node}
      - {regex: __meta_consul_service_metadata_(.+), action: labelmap}
      - {source_labels: [__meta_consul_tags], regex: '.*,scraped,.*', action: keep}
      - {source_labels: [__meta_consul_health], regex: critical|maintenance, action: drop}
`;
}

async function targetsAt(port: number): Promise<readonly Target[]> {
  const url = `http://127.0.0.1:${port}/api/v1/targets?state=active`;
  const answer = await fetch(url).catch(() => undefined);
  if (answer?.status !== 200) return [];
  const body = (await answer.json()) as { data: { activeTargets: readonly Target[] } };
  return body.data.activeTargets;
}
