/**
 * Every alert of docs/monitoring/alerts.yml fires in a real Prometheus for what it is said to be about, and is
 * over when that is. Only the times are others: it must go on for 2 s, and what is looked back at is half a
 * minute. Two servers on a Redis, behind proxies, a pair of a server and an agent, and a sync of Kubernetes.
 *
 *   node --import tsx spec/system/alerts.system.ts [alerts, all]
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cutOff, lead, promoteReplica, put } from '../support/experiments/redis-masters.ts';
import { SyncInTrouble, type Trouble } from '../support/experiments/sync-troubles.ts';
import { type AgentProcess, AgentProcesses } from '../support/servers/agent-processes.ts';
import { Cluster, type ServerProcess } from '../support/servers/cluster.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const RULES = fileURLToPath(new URL('../../docs/monitoring/alerts.yml', import.meta.url));
const PATIENCE_MS = 180_000;
const TELEMETRY = { prometheus_retention_time: '60s' };

interface World {
  readonly cluster: Cluster;
  readonly a: ServerProcess;
  readonly b: ServerProcess;
  readonly server: AgentProcess;
  readonly agent: AgentProcess;
}

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'alerts-'));
  const processes = await AgentProcesses.create();
  const hcl = 'telemetry { prometheus_retention_time = "60s" }';
  const cluster = await Cluster.start({ servers: 2, flags: [`-hcl=${hcl}`] });
  let prometheus: ChildProcess | undefined;
  let sync: SyncInTrouble | undefined;
  try {
    const server = await processes.server({ telemetry: TELEMETRY });
    await server.start();
    const agent = await processes.agent('a1', server, { telemetry: TELEMETRY });
    await agent.start();
    sync = await SyncInTrouble.start(server);
    const [a, b] = cluster.servers;
    assert.ok(a !== undefined && b !== undefined);
    const port = await freePort();
    const targets = [a.port, b.port, agent.ports.http].map((each) => `127.0.0.1:${each}`);
    prometheus = await startPrometheus(folder, port, { targets, sync: sync.target });
    const firing = async () =>
      (await rulesAt(port)).filter(({ state }) => state === 'firing').map(({ name }) => name);
    await until(
      async () => {
        const all = await rulesAt(port);
        return (
          all.length >= 15 && all.every((rule) => rule.state !== 'firing' && rule.health === 'ok')
        );
      },
      () => 'not every rule is at rest',
      PATIENCE_MS,
    );
    const wanted = process.argv.slice(2);
    const tried = new Set<string>();
    const all = [...sync.troubles(), ...troubles({ cluster, a, b, server, agent })];
    for (const trouble of all) {
      if (wanted.length > 0 && !trouble.alerts.some((name) => wanted.includes(name))) continue;
      const seen = new Set<string>();
      await trouble.begin();
      await until(
        async () => {
          await trouble.goOn();
          for (const name of await firing()) seen.add(name);
          return trouble.alerts.every((name) => seen.has(name));
        },
        () => `${trouble.alerts.join(', ')} do not fire: ${[...seen].join(', ')}`,
        PATIENCE_MS,
      );
      await trouble.end();
      await until(
        async () => {
          const still = await firing();
          return !trouble.alerts.some((name) => still.includes(name));
        },
        () => `${trouble.alerts.join(', ')} go on`,
        PATIENCE_MS,
      );
      for (const name of trouble.alerts) tried.add(name);
      say(`fired, and over: ${trouble.alerts.join(', ')}`);
    }
    const names = (await rulesAt(port)).map(({ name }) => name);
    if (wanted.length === 0) assert.deepEqual([...tried].sort(), names.sort());
    return 0;
  } finally {
    prometheus?.kill();
    await sync?.stop();
    await processes.end();
    await cluster.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
});

function troubles({ cluster, a, b, server, agent }: World): readonly Trouble[] {
  const { redis } = cluster;
  assert.ok(redis !== undefined);
  const nothing = async () => undefined;
  const write = async () => void (await put(a, 'x', String(performance.now())));
  return [
    {
      alerts: ['ProconsulLogSlow'],
      begin: nothing,
      async goOn() {
        await redis.admin.call('CLIENT', 'PAUSE', '400', 'WRITE');
        await write();
      },
      end: nothing,
    },
    {
      alerts: [
        'ProconsulNoLeader',
        'ProconsulLogTakesNoWrites',
        'ProconsulReplicaBehind',
        'ProconsulErrors',
      ],
      begin: () => redis.kill(),
      goOn: async () => void (await Promise.all(Array.from({ length: 20 }, write))),
      end: () => redis.start(),
    },
    {
      alerts: ['ProconsulSnapshotsFail'],
      begin: async () => void (await redis.admin.config('SET', 'maxmemory', '1mb')),
      goOn: write,
      end: async () => void (await redis.admin.config('SET', 'maxmemory', '0')),
    },
    {
      alerts: ['ProconsulEventLoopStands'],
      begin: nothing,
      async goOn() {
        b.signal('SIGSTOP');
        await sleep(800);
        b.signal('SIGCONT');
        await sleep(300);
      },
      end: nothing,
    },
    {
      alerts: ['ProconsulAgentNotInSync', 'ProconsulServersUnanswering'],
      begin: async () => server.signal('SIGSTOP'),
      goOn: async () =>
        void (await agent
          .put('/v1/agent/service/register', { Name: 'web' })
          .catch(() => undefined)),
      end: async () => server.signal('SIGCONT'),
    },
    // Last: it leaves another Redis.
    {
      alerts: ['ProconsulEntriesLost'],
      begin: async () => await fork(cluster, a, b),
      goOn: nothing,
      end: nothing,
    },
  ];
}

/** B goes on with a younger master, and A with the old one for a while, which takes a write that is lost. */
async function fork(cluster: Cluster, a: ServerProcess, b: ServerProcess): Promise<void> {
  const next = await promoteReplica(cluster);
  cutOff(a);
  lead(b, next);
  await until(async () => await put(b, 'x', 'kept'), undefined, PATIENCE_MS);
  if (a.proxy !== undefined) a.proxy.frozen = false;
  a.proxy?.cutAll();
  await until(async () => await put(a, 'x', 'lost'), undefined, PATIENCE_MS);
  lead(a, next);
}

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly state: string;
}

interface Targets {
  readonly targets: readonly string[];
  readonly sync: string;
}

async function startPrometheus(folder: string, port: number, { targets, sync }: Targets) {
  const rules = join(folder, 'alerts.yml');
  const text = await readFile(RULES, 'utf8');
  const quick = text.replaceAll(/for: \w+/g, 'for: 2s').replaceAll(/\[(5m|1h)\]/g, '[30s]');
  await writeFile(rules, quick);
  const config = join(folder, 'prometheus.yml');
  await writeFile(
    config,
    [
      'global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}',
      `rule_files: [${JSON.stringify(rules)}]`,
      'scrape_configs:',
      '  - job_name: proconsul',
      '    metrics_path: /v1/agent/metrics',
      '    params: {format: [prometheus]}',
      `    static_configs: [{targets: ${JSON.stringify(targets)}}]`,
      '  - job_name: k8s-sync',
      `    static_configs: [{targets: ${JSON.stringify([sync])}}]`,
      '',
    ].join('\n'),
  );
  const options = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`];
  return spawn('prometheus', [...options, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
}

async function rulesAt(port: number): Promise<readonly Rule[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/rules`).catch(() => undefined);
  if (answer?.status !== 200) return [];
  const body = (await answer.json()) as { data: { groups: readonly { rules: readonly Rule[] }[] } };
  return body.data.groups.flatMap((group) => group.rules);
}
