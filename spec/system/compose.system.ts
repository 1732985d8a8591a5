/**
 * The Dockerfile and docker-compose.yml as they stand, beside a private Docker daemon whose socket is of a
 * strange group: Redis, three servers and an agent. Nothing is pulled: what Proconsul's image is built on is made
 * of Debian's packages, npm's and this machine's Node. An application's container is then found through the agent
 * and through a server, and gone when it has ended; what a check leaves behind is collected. Needs root, and
 * Debian's docker.io, busybox-static, docker-compose, mmdebstrap and redis-server.
 *
 * node --import tsx spec/system/compose.system.ts
 */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { addNode, addPackages, makeDebian, tarOf, whyNoDebian } from '../support/servers/debian.ts';
import { PrivateDocker, whyNoDocker } from '../support/servers/docker.ts';
import { importImage } from '../support/servers/images.ts';
import { until } from '../support/until.ts';

const PROJECT = 'spec';
const START_MS = 60_000;
/** Of nobody's in the image, as on most machines. */
const STRANGE_GROUP = 4711;
const TOP = fileURLToPath(new URL('../..', import.meta.url));

const why = whyNoDocker() ?? whyNoDebian();
if (why !== undefined) throw new Error(why);
const print = (line: string) => void process.stdout.write(`${line}\n`);
const docker = await PrivateDocker.start();

/** What the command prints in the daemon's network, where published ports are. */
function inside(...command: string[]): string {
  const [program, args] = docker.insideNetwork(command);
  return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' });
}

const SOCKET = `${docker.folder}/docker.sock`;
const ENV = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: docker.folder,
  DOCKER_HOST: docker.host,
  DOCKER_SOCK: SOCKET,
  // What builds images otherwise is a package of its own, which Debian has not.
  DOCKER_BUILDKIT: '0',
};

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: TOP, encoding: 'utf8', env: ENV, stdio: 'pipe' });
}

function compose(...args: string[]): string {
  return run('docker-compose', '-p', PROJECT, '-f', `${TOP}/docker-compose.yml`, ...args);
}

async function makeImages(): Promise<void> {
  await importImage(docker, {
    name: 'redis:7-alpine',
    programs: ['/usr/bin/redis-server', '/usr/bin/redis-cli'],
    writable: ['/data'],
    changes: ['ENV PATH=/usr/bin:/bin', 'WORKDIR /data'],
  });
  const root = `${docker.folder}/node`;
  makeDebian({ root, suite: 'bookworm', packages: ['tini'] });
  addNode(root);
  addPackages(root, TOP);
  const tar = tarOf(root, `${docker.folder}/node.tar`);
  await docker.importTar(tar, 'node', ['ENV npm_config_offline=true'], 'local');
  const built = run('docker', 'build', '--build-arg=BASE=node:local', '-t', 'proconsul', '.');
  print(`built by the Dockerfile: ${built.trim().split('\n').at(-1)}`);
  print(run('docker', 'images', '--format={{.Repository}}:{{.Tag}} {{.Size}}').trim());
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

/** Of each container of ours: as whom it runs, and that what a check leaves behind is collected. */
function looksAtProcesses(): void {
  for (const service of ['server-1', 'agent']) {
    const id = compose('ps', '-q', service).trim();
    const inside = (words: string) => run('docker', 'exec', id, 'sh', '-c', words);
    inside('(sleep 0 &); sleep 1');
    const processes = inside('cat /proc/[0-9]*/status 2>/dev/null; true').split(/^Name:\t/m);
    const left = processes.filter((each) => /^State:\tZ/m.test(each));
    if (left.length > 0) throw new Error(`${service}: not collected: ${left[0]}`);
    const nodes = processes.filter((each) => each.startsWith('node\n'));
    const isNobody = (each: string) =>
      /^Uid:\t1000\t1000/m.test(each) && /^CapPrm:\t0+$/m.test(each);
    if (nodes.length === 0 || !nodes.every(isNobody)) {
      throw new Error(`${service}: does not run as node alone: ${nodes.join()}`);
    }
    print(`${service}: one process of Node's, as the user node, with no right of root's`);
  }
}

async function instances(port: number): Promise<{ Service: { Address: string; Port: number } }[]> {
  return (await get(port, '/v1/health/service/web?passing')) as [];
}

try {
  await makeImages();
  chownSync(SOCKET, 0, STRANGE_GROUP);
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
  looksAtProcesses();
  const strange = run(
    'docker',
    'run',
    '-d',
    '-v',
    `${SOCKET}:/var/run/docker.sock`,
    'proconsul',
    'agent',
    '-dev',
    '-docker',
  );
  await untilTrue('an agent that may not use the socket says of which group it is', async () => {
    return run('docker', 'logs', strange.trim()).includes(
      `may be used by group ${STRANGE_GROUP} alone`,
    );
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
  await untilTrue('all containers are healthy', async () => {
    const states = run('docker', 'ps', '--filter=name=spec_', '--format={{.Status}}').trim();
    return states.split('\n').every((each) => each.includes('(healthy)'));
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
