/**
 * A Docker daemon of a spec's own, in network, mount and process namespaces of its own: it sees no
 * other daemon's containers, its published ports are on its own loopback, and the kernel ends all
 * of it with the process that started it, however that one ends. Needs root, and Debian's docker.io
 * and busybox-static; the one image is made of busybox, so nothing is pulled from anywhere.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { until } from '../until.ts';

const BUSYBOX = '/bin/busybox';
const APPLETS = ['sh', 'httpd', 'nc', 'sleep', 'cat', 'echo', 'wget', 'true', 'false', 'nslookup'];
const START_MS = 20_000;

/** Why no daemon can be started here; undefined when one can. */
export function whyNoDocker(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to start a Docker daemon';
  const programs = ['dockerd', 'containerd', 'runc', 'iptables', 'unshare', 'nsenter', 'busybox'];
  const missing = programs.filter((name) => !onPath(name));
  if (missing.length > 0) {
    return `needs ${missing.join(', ')}: apt-get install docker.io busybox-static`;
  }
  const { status } = spawnSync('unshare', [...NAMESPACES, 'true'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'needs the right to make namespaces, to keep a daemon apart';
}

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function onPath(name: string): boolean {
  return PATH.some((folder) => existsSync(join(folder, name)));
}

/**
 * A suite with a daemon of its own; or, where none can be started, one that is skipped as a whole, its hooks
 * too, and says why in its title: that is all of it that a reporter shows.
 */
export function describeWithDocker(
  title: string,
  body: (docker: () => PrivateDocker) => void,
  timeoutMs = 30_000,
): void {
  const why = whyNoDocker();
  if (why !== undefined) {
    describe.skip(`${title} (${why})`, () => body(() => assert.fail(why)));
    return;
  }
  describe(title, function () {
    this.timeout(timeoutMs);
    body(useDocker());
  });
}

function useDocker(): () => PrivateDocker {
  let daemon: PrivateDocker | undefined;
  before(async function () {
    this.timeout(2 * START_MS);
    daemon = await PrivateDocker.start();
  });
  afterEach(async function () {
    this.timeout(START_MS);
    await daemon?.clear();
  });
  after(async function () {
    this.timeout(START_MS);
    await daemon?.stop();
  });
  return () => {
    if (daemon === undefined) throw new Error('no Docker daemon was started');
    return daemon;
  };
}

export interface RunOptions {
  readonly image?: string;
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** '80/tcp' → the host's port, or '127.0.0.1:8080'; '' lets Docker choose one. */
  readonly ports?: Readonly<Record<string, string>>;
  readonly expose?: readonly string[];
  readonly network?: string;
  readonly restart?: string;
  readonly remove?: boolean;
  readonly health?: readonly string[];
}

/** Ends at once when told to: as the first process of a container, a shell would ignore it. */
const SLEEP = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'];

export class PrivateDocker {
  readonly folder: string;
  readonly host: string;
  readonly client: Docker;
  readonly #cgroup: string;
  #holder: ChildProcess | undefined;
  #holderPid = 0;
  #daemon: ChildProcess | undefined;

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'docker-'));
    this.host = `unix://${this.folder}/docker.sock`;
    // A connection that is kept would be the daemon's to close, while a spec waits for a program to end.
    const agent = new Agent({ keepAlive: false });
    const options = { socketPath: `${this.folder}/docker.sock`, agent };
    this.client = new Docker(options);
    this.#cgroup = `proconsul-spec-${process.pid}-${this.folder.slice(-6)}`;
  }

  /** Where containers' cgroups of version 2 are, their processors accounted for; undefined until there is one, or without them. */
  get cgroupRoot(): string | undefined {
    const roots = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
    return roots
      .map((root) => join(root, this.#cgroup))
      .find((at) => existsSync(join(at, 'cpu.stat')));
  }

  static async start(): Promise<PrivateDocker> {
    const docker = new PrivateDocker();
    try {
      await docker.#hold();
      await docker.startDaemon();
      await docker.#importImage();
    } catch (cause) {
      const log = docker.#log();
      await docker.stop();
      throw new Error(`the Docker daemon did not start: ${log}`, { cause });
    }
    return docker;
  }

  async #hold(): Promise<void> {
    // Ignoring SIGCHLD, it leaves no zombies of the orphans that come to it: dockerd takes a
    // containerd that ended with the last dockerd for a living one otherwise.
    const stay = 'exec env --ignore-signal=CHLD cat';
    const script = `${BUSYBOX} ip link set lo up && echo ready && ${stay}`;
    // Its first process reads a pipe that only we hold: when we end, it ends, and all with it.
    const holder = spawn('unshare', [...NAMESPACES, 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#holder = holder;
    await new Promise((resolve, reject) => {
      holder.stdout?.once('data', resolve);
      holder.once('exit', () => reject(new Error('no namespaces')));
    });
    this.#holderPid = childOf(holder) ?? 0;
  }

  /** A command as run in the daemon's namespaces, where its published ports are. */
  inside(command: readonly string[]): readonly [program: string, args: string[]] {
    return ['nsenter', ['-t', String(this.#holderPid), '--net', '--mount', '--pid', ...command]];
  }

  /** As `inside`, but in the daemon's network alone: files and processes are the usual ones. */
  insideNetwork(command: readonly string[]): readonly [program: string, args: string[]] {
    return ['nsenter', ['-t', String(this.#holderPid), '--net', ...command]];
  }

  async startDaemon(): Promise<void> {
    const { folder } = this;
    const options = {
      host: this.host,
      'data-root': `${folder}/data`,
      'exec-root': `${folder}/exec`,
      pidfile: `${folder}/pid`,
      'cgroup-parent': `/${this.#cgroup}`,
    };
    const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]);
    const log = openSync(`${folder}/log`, 'a');
    const [program, args] = this.inside(['dockerd', ...flags]);
    const daemon = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#daemon = daemon;
    await until(
      async () => {
        if (hasEnded(daemon)) throw new Error(`dockerd ended: ${this.#log()}`);
        return await this.client.ping().then(
          () => true,
          () => false,
        );
      },
      () => 'dockerd does not answer',
      START_MS,
    );
  }

  /** With SIGTERM the containers are stopped first; with SIGKILL they run on, unwatched. */
  async stopDaemon(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || hasEnded(daemon)) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    await killChildOf(daemon, signal);
    await ended;
    // One that was killed leaves it behind, and the next would refuse to start.
    rmSync(`${this.folder}/pid`, { force: true });
  }

  async #importImage(): Promise<void> {
    const root = `${this.folder}/image`;
    mkdirSync(`${root}/bin`, { recursive: true });
    mkdirSync(`${root}/www`);
    execFileSync('cp', [BUSYBOX, `${root}/bin/busybox`]);
    for (const applet of APPLETS) symlinkSync('busybox', `${root}/bin/${applet}`);
    writeFileSync(`${root}/www/index.html`, 'hello\n');
    execFileSync('tar', ['-C', root, '-cf', `${this.folder}/image.tar`, '.']);
    await this.importTar(`${this.folder}/image.tar`, 'tiny', ['ENV PATH=/bin']);
    await this.importTar(`${this.folder}/image.tar`, 'exposes-81', ['ENV PATH=/bin', 'EXPOSE 81']);
  }

  async importTar(
    tar: string,
    repo: string,
    changes: readonly string[],
    tag = 'latest',
  ): Promise<void> {
    const stream = await this.client.importImage(tar, { repo, tag, changes });
    await new Promise((resolve, reject) => {
      this.client.modem.followProgress(stream, (error) => (error ? reject(error) : resolve(null)));
    });
  }

  /** Creates and starts a container; answers its id. */
  async run(name: string, options: RunOptions = {}): Promise<string> {
    const ports = Object.entries(options.ports ?? {});
    const exposed = [...(options.expose ?? []), ...ports.map(([port]) => port)];
    const second = 1e9;
    const container = await this.client.createContainer({
      name,
      Image: options.image ?? 'tiny',
      Cmd: [...(options.cmd ?? SLEEP)],
      Env: [...(options.env ?? [])],
      Labels: { ...options.labels },
      ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])),
      ...(options.health
        ? { Healthcheck: { Test: ['CMD', ...options.health], Interval: second / 2 } }
        : {}),
      HostConfig: {
        PortBindings: Object.fromEntries(ports.map(([port, host]) => [port, [binding(host)]])),
        NetworkMode: options.network ?? 'default',
        RestartPolicy: { Name: options.restart ?? 'no' },
        AutoRemove: options.remove ?? false,
      },
    });
    await container.start();
    return container.id;
  }

  /** Names of the containers that are up, as `docker ps` shows them. */
  async ps(): Promise<string[]> {
    const containers = await this.client.listContainers();
    return containers.map(({ Names }) => (Names[0] ?? '').slice(1)).sort();
  }

  /** Removes all containers. */
  async clear(): Promise<void> {
    const containers = await this.client.listContainers({ all: true });
    await Promise.all(
      containers.map(({ Id }) =>
        this.client
          .getContainer(Id)
          .remove({ force: true })
          // One with --rm may be gone by itself, or about to be.
          .catch((error: { statusCode?: number }) => {
            if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
          }),
      ),
    );
  }

  /** Ends the daemon and all its containers, and leaves nothing behind. */
  async stop(): Promise<void> {
    const holder = this.#holder;
    this.#holder = undefined;
    if (holder !== undefined && !hasEnded(holder)) {
      const ended = new Promise((resolve) => holder.once('exit', resolve));
      holder.stdin?.end();
      await ended;
    }
    removeCgroups(this.#cgroup);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #log(): string {
    const path = `${this.folder}/log`;
    if (!existsSync(path)) return 'it wrote nothing';
    return readFileSync(path, 'utf8').split('\n').slice(-8).join('\n');
  }
}

function binding(host: string): { HostIp?: string; HostPort: string } {
  const at = host.lastIndexOf(':');
  return at < 0 ? { HostPort: host } : { HostIp: host.slice(0, at), HostPort: host.slice(at + 1) };
}

export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** The process that unshare or nsenter forked; undefined before that, and once it is gone. */
function childOf({ pid }: ChildProcess): number | undefined {
  const file = `/proc/${pid}/task/${pid}/children`;
  const [first = ''] = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : [];
  // Never 0: to kill that would kill the whole group of whoever runs this.
  return /^[1-9]\d*$/.test(first) ? Number(first) : undefined;
}

/** Sends the signal to it, as soon as it is there; where it is gone, its parent soon says so. */
export async function killChildOf(parent: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  await until(() => hasEnded(parent) || childOf(parent) !== undefined);
  const child = childOf(parent);
  try {
    if (child !== undefined) process.kill(child, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The kernel keeps the empty groups of containers that ended with their daemon. */
function removeCgroups(name: string): void {
  const root = '/sys/fs/cgroup';
  const hierarchies = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name, name));
  for (const folder of [join(root, name), ...hierarchies]) removeGroup(folder);
}

function removeGroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // A process in it is still ending; an empty group does no harm.
  }
}
