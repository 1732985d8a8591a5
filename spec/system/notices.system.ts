/**
 * Three servers on one Redis tell of a service that changes, while each leader in turn is killed: whatever
 * stood still was told, at least once, in order; and a real Alertmanager, of Debian's package, shows the alert
 * while it lasts and no longer.
 *
 *   node --import tsx spec/system/notices.system.ts [changes, 12]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, type ServerProcess } from '../support/servers/cluster.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const [changes = 12] = process.argv.slice(2).map(Number);
const PATIENCE_MS = 120_000;
const ALERTMANAGER = 'prometheus-alertmanager';

interface Told {
  readonly Service: string;
  readonly From: string;
  readonly To: string;
  readonly Sender: string;
}

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'notices-'));
  const told: Told[] = [];
  const sink = createServer((message, response) => {
    const parts: Buffer[] = [];
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => {
      const { Sender, Notices } = JSON.parse(Buffer.concat(parts).toString());
      told.push(...Notices.map((each: Told) => ({ ...each, Sender })));
      response.end();
    });
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const { port } = sink.address() as AddressInfo;
  const alerts = await freePort();
  let manager: ChildProcess | undefined;
  let cluster: Cluster | undefined;
  const config = join(folder, 'notify.json');
  const services = ['web'];
  const targets = [
    { name: 'desk', webhook: `http://127.0.0.1:${port}/`, debounce: '500ms', services },
    { name: 'alerts', alertmanager: `http://127.0.0.1:${alerts}`, debounce: '500ms', services },
  ];
  await writeFile(config, JSON.stringify({ notify: targets }));
  try {
    manager = await startAlertmanager(folder, alerts);
    cluster = await Cluster.start({ servers: 3, flags: [`-config-file=${config}`] });
    const { servers } = cluster;
    const expected: string[] = [];
    let kills = 0;
    for (let at = 0; at < changes; at++) {
      const status = at % 2 === 0 ? 'critical' : 'passing';
      await until(() => set(servers, status), undefined, PATIENCE_MS);
      expected.push(status);
      if (at % 3 === 0) {
        await killLeader(servers);
        kills++;
      }
      await until(
        () => told.at(-1)?.To === status || (at === 0 && told.length > 0),
        () => `${status} is not told: ${told.map(({ To }) => To)}`,
        PATIENCE_MS,
      );
      await until(
        async () => (await activeAlerts(alerts)) > 0 === (status === 'critical'),
        () => `Alertmanager does not know that it is ${status}`,
        PATIENCE_MS,
      );
    }
    const distinct = told.filter(({ To }, at) => To !== told[at - 1]?.To).map(({ To }) => To);
    const isRight = distinct.join() === expected.join();
    const senders = new Set(told.map(({ Sender }) => Sender)).size;
    say(
      `${expected.length} changes, ${kills} leaders killed: told in order ${isRight ? '' : 'NOT '}` +
        `by ${senders} servers, ${told.length - distinct.length} twice; Alertmanager followed each`,
    );
    return isRight ? 0 : 1;
  } finally {
    await cluster?.stop();
    manager?.kill();
    sink.closeAllConnections();
    sink.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
});

async function startAlertmanager(folder: string, port: number): Promise<ChildProcess> {
  const config = join(folder, 'alertmanager.yml');
  await writeFile(config, 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n');
  const flags = [`--config.file=${config}`, `--storage.path=${folder}/alerts`];
  const listen = [`--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='];
  const child = spawn(ALERTMANAGER, [...flags, ...listen], { stdio: 'ignore' });
  try {
    await until(
      async () => (await activeAlerts(port).catch(() => -1)) >= 0,
      () => 'Alertmanager does not answer',
      PATIENCE_MS,
    );
  } catch (error) {
    child.kill();
    throw error;
  }
  return child;
}

async function activeAlerts(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v2/alerts?active=true`);
  const all = (await answer.json()) as readonly { readonly labels: { readonly service: string } }[];
  return all.filter(({ labels }) => labels.service === 'web').length;
}

async function set(servers: readonly ServerProcess[], status: string): Promise<boolean> {
  const body = {
    Node: 'external',
    Address: '10.0.0.9',
    Service: { ID: 'web', Service: 'web' },
    Check: { CheckID: 'c', Name: 'c', Status: status, ServiceID: 'web', Output: status },
  };
  for (const server of servers) {
    const signal = AbortSignal.timeout(5000);
    const answer = await server
      .ask('PUT', '/v1/catalog/register', { body, signal })
      .catch(() => undefined);
    if (answer?.status === 200) return true;
  }
  return false;
}

/** And starts it again: it comes back as one of those that follow. */
async function killLeader(servers: readonly ServerProcess[]): Promise<void> {
  for (const server of servers) {
    const figures = await server.ask('GET', '/v1/agent/self', {}).catch(() => undefined);
    const { Stats } = (figures?.json ?? {}) as { Stats?: { consul: { leader: string } } };
    if (Stats?.consul.leader !== 'true') continue;
    await server.kill();
    server.start();
    return;
  }
}
