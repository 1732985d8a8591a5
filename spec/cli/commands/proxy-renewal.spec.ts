import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../support/servers/free-ports.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask } from '../../support/servers/http-sidecars.ts';
import { send, startServer, stopServers } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
/** Two processes begin, each with a compiler. */
const PATIENCE_MS = 60_000;

describe('proconsul connect proxy that is told by SIGUSR2 to have another in its place', () => {
  const pids = new Set<number>();
  afterEach(() => {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    pids.clear();
  });

  const isThere = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  async function start(flags: readonly string[] = []) {
    const server = await startServer();
    const { port, put } = server;
    const program = await serveHttp((_, response) => response.end('ok'));
    await put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: program.port },
    });
    const [own = 0, admin = 0] = await freePorts(2);
    const words = ['connect', 'proxy', `-upstream=web:${own}`, `-admin=127.0.0.1:${admin}`];
    const child: ChildProcess = spawn(
      process.execPath,
      ['--import', 'tsx', MAIN, ...words, '-protocol=http', '-drain-time=20s', ...flags],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { PATH: '/usr/bin:/bin', CONSUL_HTTP_ADDR: `127.0.0.1:${port}` },
      },
    );
    let said = '';
    child.stdout?.on('data', (part: Buffer) => {
      said += part;
    });
    pids.add(child.pid ?? 0);
    const isReady = () =>
      send(admin, 'GET', '/ready', {}).then(
        ({ status }) => status === 200,
        () => false,
      );
    await until(isReady, () => said, PATIENCE_MS);
    return { child, own, admin, said: () => said, stop: stopServers };
  }

  it('loses no request, on connections that are kept or made for it, and ends then', async () => {
    const { child, own, said } = await start();
    const kept = new Agent({ keepAlive: true });
    let [answered, isOver] = [0, false];
    const faults: string[] = [];
    const caller = async (agent: Agent | false) => {
      while (!isOver) {
        await asked(own, agent).then(
          () => answered++,
          (error: Error) => faults.push(error.message),
        );
      }
    };
    const callers = [caller(kept), caller(kept), caller(false), caller(false)];
    child.kill('SIGUSR2');
    await until(
      () => child.exitCode !== null,
      () => said(),
      PATIENCE_MS,
    );
    assert.match(said(), /another has taken its place/);
    const before = answered;
    await until(() => answered > before + 20);
    isOver = true;
    await Promise.all(callers);
    kept.destroy();
    assert.deepEqual([faults, child.exitCode], [[], 0]);
    // It is nobody's child, and ends as the first did.
    const [, successor = ''] = /its place: pid=(\d+)/.exec(said()) ?? [];
    pids.add(Number(successor));
    process.kill(Number(successor), 'SIGTERM');
    await until(
      () => !isThere(Number(successor)),
      () => said(),
      PATIENCE_MS,
    );
  }).timeout(2 * PATIENCE_MS);

  /** Processes that listen there, or are about to. */
  const those = (own: number) =>
    readdirSync('/proc').filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return /^\d+$/.test(pid) && words.includes(`-upstream=web:${own}\0`);
      } catch {
        return false;
      }
    });

  it('ends with whoever was to come after it where it is told to end meanwhile', async () => {
    const { child, own, said } = await start();
    child.kill('SIGUSR2');
    await until(() => those(own).length === 2, said, PATIENCE_MS);
    child.kill('SIGTERM');
    await until(() => those(own).length === 0, said, PATIENCE_MS);
  }).timeout(2 * PATIENCE_MS);

  it('resets nobody where it is told to end while another has its sockets, and takes no calls yet', async () => {
    const { child, own, said, stop } = await start();
    await stop();
    child.kill('SIGUSR2');
    await until(() => said().includes('no host is known'), said, PATIENCE_MS);
    const ends: string[] = [];
    const callers = Array.from({ length: 4 }, async () => {
      for (;;) {
        try {
          await asked(own, false);
        } catch (error) {
          ends.push((error as NodeJS.ErrnoException).code ?? '');
          return;
        }
      }
    });
    child.kill('SIGTERM');
    await Promise.all(callers);
    assert.deepEqual(new Set(ends), new Set(['ECONNREFUSED']));
    await until(() => those(own).length === 0, said, PATIENCE_MS);
  }).timeout(2 * PATIENCE_MS);

  it('goes on where that is told to end before it is ready, and takes all calls until then', async () => {
    const { child, own, said, stop } = await start();
    // Without a server the other one never knows where calls go.
    await stop();
    child.kill('SIGUSR2');
    await until(() => said().includes('no host is known'), said, PATIENCE_MS);
    for (let i = 0; i < 20; i++) assert.equal((await ask(own, '/')).text, 'ok');
    const other = those(own).find((pid) => Number(pid) !== child.pid);
    process.kill(Number(other), 'SIGTERM');
    await until(() => said().includes('nothing has taken its place'), said, PATIENCE_MS);
    assert.equal((await ask(own, '/')).text, 'ok');
    assert.equal(child.exitCode, null);
  }).timeout(2 * PATIENCE_MS);

  it('goes on where an agent has begun it, which would begin it anew', async () => {
    const { child, own, said } = await start(['-end-with-input']);
    child.kill('SIGUSR2');
    await until(() => said().includes('nothing takes its place'));
    assert.equal((await ask(own, '/')).text, 'ok');
    child.stdin?.end();
    await until(
      () => child.exitCode !== null,
      () => said(),
      PATIENCE_MS,
    );
  }).timeout(PATIENCE_MS);
});

function asked(port: number, agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/', agent }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
