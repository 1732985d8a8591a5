/**
 * A real Prometheus, of Debian's package, scrapes a real server: every rule of docs/monitoring/alerts.yml
 * loads and evaluates, promtool finds nothing wrong with our own names, and an alert fires when Redis is
 * killed and resolves when it is back.
 *
 *   node --import tsx spec/system/prometheus.system.ts
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AgentProcesses } from '../support/servers/agent-processes.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const RULES = fileURLToPath(new URL('../../docs/monitoring/alerts.yml', import.meta.url));
const PATIENCE_MS = 90_000;
const METRICS = '/v1/agent/metrics?format=prometheus';

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly state: string;
}

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const processes = await AgentProcesses.create();
  let prometheus: ChildProcess | undefined;
  try {
    const redis = await startRedis();
    const telemetry = { prometheus_retention_time: '60s', disable_hostname: true };
    const server = await processes.server({ redis: { url: redis.url }, telemetry });
    await server.start();
    const target = `127.0.0.1:${server.ports.http}`;
    await server.put('/v1/kv/a', { a: 1 });

    const text = await (await fetch(`http://${target}${METRICS}`)).text();
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text });
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
    assert.deepEqual(
      complaints.filter((line) => !line.startsWith('consul_')),
      [],
    );
    say(`promtool reads ${text.split('\n').length} lines, and finds nothing wrong with our names`);

    const port = await freePort();
    const config = join(folder, 'prometheus.yml');
    await writeFile(config, configOf(target));
    const options = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`];
    prometheus = spawn('prometheus', [...options, `--web.listen-address=127.0.0.1:${port}`], {
      stdio: 'ignore',
    });
    const rules = () => rulesAt(port);
    await until(
      async () => {
        const all = await rules();
        return all.length > 0 && all.every(({ health }) => health === 'ok');
      },
      () => 'not every rule evaluates',
      PATIENCE_MS,
    );
    say(`${(await rules()).length} rules evaluate`);
    const isState = async (name: string, state: string) =>
      (await rules()).find((rule) => rule.name === name)?.state === state;
    const alert = 'ProconsulLogTakesNoWrites';
    assert.ok(await isState(alert, 'inactive'));
    await redis.kill();
    await until(
      () => isState(alert, 'firing'),
      () => `${alert} does not fire`,
      PATIENCE_MS,
    );
    say(`${alert} fires without Redis`);
    await redis.start();
    await until(
      () => isState(alert, 'inactive'),
      () => `${alert} goes on`,
      PATIENCE_MS,
    );
    say(`${alert} is over with it`);
    return 0;
  } finally {
    prometheus?.kill();
    await processes.end();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
});

function configOf(target: string): string {
  return [
    'global: {scrape_interval: 1s, evaluation_interval: 1s}',
    `rule_files: [${JSON.stringify(RULES)}]`,
    'scrape_configs:',
    '  - job_name: proconsul',
    '    metrics_path: /v1/agent/metrics',
    '    params: {format: [prometheus]}',
    `    static_configs: [{targets: [${JSON.stringify(target)}]}]`,
    '',
  ].join('\n');
}

async function rulesAt(port: number): Promise<readonly Rule[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/rules`).catch(() => undefined);
  if (answer?.status !== 200) return [];
  const body = (await answer.json()) as { data: { groups: readonly { rules: readonly Rule[] }[] } };
  return body.data.groups.flatMap((group) => group.rules);
}
