/**
 * docker-compose.yml as it stands, beside a private Docker daemon: Redis, three servers and an agent,
 * of images made on this machine. An application's container is then found through the agent and
 * through a server, and gone when it has ended. Needs root, and Debian's docker.io, busybox-static,
 * docker-compose and redis-server.
 *
 * node --import tsx spec/system/compose.system.ts
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PrivateDocker, whyNoDocker } from '../support/servers/docker.ts';
import { importImage } from '../support/servers/images.ts';
import { until } from '../support/until.ts';

const PROJECT = 'spec';
const START_MS = 60_000;
const TOP = fileURLToPath(new URL('../..', import.meta.url));

const why = whyNoDocker();
if (why !== undefined) throw new Error(why);
const print = (line: string) => void process.stdout.write(`${line}\n`);
const docker = await PrivateDocker.start();

/** What the command prints in the daemon's network, where published ports are. */
function inside(...command: string[]): string {
  const [program, args] = docker.insideNetwork(command);
  return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' });
}

function compose(...args: string[]): string {
  const socket = `${docker.folder}/docker.sock`;
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    DOCKER_HOST: docker.host,
    DOCKER_SOCK: socket,
    DOCKER_GID: String(statSync(socket).gid),
  };
  const file = `${TOP}/docker-compose.yml`;
  const command = ['-p', PROJECT, '-f', file, ...args];
  return execFileSync('docker-compose', command, { encoding: 'utf8', env, stdio: 'pipe' });
}

async function importImages(): Promise<void> {
  execFileSync(`${TOP}/bin/proconsul`, ['version'], { stdio: 'ignore' });
  await importImage(docker, {
    name: 'redis:7-alpine',
    programs: ['/usr/bin/redis-server', '/usr/bin/redis-cli'],
    writable: ['/data'],
    changes: ['ENV PATH=/usr/bin:/bin', 'WORKDIR /data'],
  });
  // The same files as in the Dockerfile's last stage, and the same words after them.
  const dockerfile = readFileSync(`${TOP}/Dockerfile`, 'utf8').replaceAll('\\\n', '');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM'));
  const words = ['HEALTHCHECK', 'ENTRYPOINT', 'CMD', 'EXPOSE', 'VOLUME'];
  const changes = last.split('\n').filter((line) => words.includes(line.split(' ')[0] ?? ''));
  await importImage(docker, {
    name: 'proconsul',
    programs: [process.execPath, '/usr/bin/tini'],
    files: {
      '/app/package.json': `${TOP}/package.json`,
      '/app/dist': `${TOP}/dist`,
      '/app/bin/proconsul': `${TOP}/bin/proconsul`,
    },
    writable: ['/data'],
    changes: ['ENV PATH=/usr/bin:/usr/local/bin:/bin', 'USER 1000:1000', ...changes],
  });
}

async function get(port: number, path: string): Promise<unknown> {
  const text = inside('busybox', 'wget', '-qO-', `http://127.0.0.1:${port}${path}`);
  return JSON.parse(text);
}

async function untilTrue(what: string, test: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  let last: unknown = 'no';
  const attempt = async () => {
    try {
      return await test();
    } catch (error) {
      last = error;
      return false;
    }
  };
  await until(attempt, () => `${what}: ${String(last)}`, START_MS);
  print(`${what} (${Math.round(performance.now() - began)} ms)`);
}

async function instances(port: number): Promise<{ Service: { Address: string; Port: number } }[]> {
  return (await get(port, '/v1/health/service/web?passing')) as [];
}

try {
  await importImages();
  print('images are made');
  compose('config', '-q');
  print('docker-compose accepts docker-compose.yml');
  compose('up', '-d', '--no-build');
  await untilTrue('three servers agree on a leader', async () => {
    const peers = (await get(8500, '/v1/status/peers')) as string[];
    return peers.length === 3 && (await get(8500, '/v1/status/leader')) !== '';
  });
  await untilTrue('the agent is in the catalog', async () => {
    const nodes = (await get(8501, '/v1/catalog/nodes')) as { Node: string }[];
    return nodes.some(({ Node }) => Node === 'agent');
  });
  await docker.run('web', {
    cmd: ['httpd', '-f', '-p', '80', '-h', '/www'],
    expose: ['80/tcp'],
    network: `${PROJECT}_default`,
    labels: { SERVICE_NAME: 'web', SERVICE_CHECK_HTTP: '/', SERVICE_CHECK_INTERVAL: '1s' },
  });
  for (const port of [8501, 8500]) {
    await untilTrue(
      `web is found at port ${port}`,
      async () => (await instances(port)).length === 1,
    );
  }
  const [web] = await instances(8501);
  const url = `http://${web?.Service.Address}:${web?.Service.Port}/`;
  const page = inside('busybox', 'wget', '-qO-', url).trim();
  print(`web answers at ${url}: ${page}`);
  const ask = `const r = new (require('dns').promises.Resolver)(); r.setServers(['127.0.0.1:8600']);
    r.resolve4('web.service.consul').then((found) => console.log(found.join()))`;
  await untilTrue('web is found by DNS', async () => {
    return inside(process.execPath, '-e', ask).trim() === web?.Service.Address;
  });
  await docker.client.getContainer('web').stop();
  await untilTrue('web is gone', async () => (await instances(8500)).length === 0);
  print('passed');
} catch (error) {
  print(compose('ps'));
  print(compose('logs', '--no-color', '--tail=15'));
  throw error;
} finally {
  await docker.stop();
}
