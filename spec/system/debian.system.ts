/**
 * The Debian package, installed in a bare Debian 13 with Debian's own Node (mmdebstrap makes it, as no image can be
 * pulled), in namespaces of its own, with a systemd that runs the service: it starts, says that it serves, is
 * killed and comes back, reloads, is upgraded, and its removal leaves nothing. Needs root, and Debian's mirror.
 *
 * node --import tsx spec/system/debian.system.ts
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDebian, whyNoDebian } from '../support/servers/debian.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const NAMESPACES = [
  '--mount',
  '--pid',
  '--net',
  '--ipc',
  '--uts',
  '--cgroup',
  '--fork',
  '--kill-child',
];
const START_MS = 60_000;

/** What the package needs, and a machine that is booted. */
const PACKAGES = ['nodejs', 'adduser', 'systemd', 'iproute2', 'procps'];

/** $1 is the package, $2 the folder of the machine. */
const BOOT = `
set -e
mount --bind $2 $2
cd $2
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null || mount -t tmpfs tmpfs sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
cp $1 root/
chroot . ip link set lo up
chroot . dpkg -i /root/$(basename $1)
exec chroot . /usr/bin/env container=other /lib/systemd/systemd --system --unit=basic.target --log-target=null --show-status=no
`;

const folder = mkdtempSync(join(tmpdir(), 'debian-'));
const root = join(folder, 'root');
let machine: ChildProcess | undefined;
let output = '';

const why = whyNoDebian();

await report(async (say) => {
  if (why !== undefined) {
    say(`skipped: ${why}`);
    return 0;
  }
  try {
    const made = execFileSync(join(TOP, 'pack/make-deb'), [folder], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const file = made.trim();
    say(`made ${basename(file)}: ${Math.round(readFileSync(file).length / 1000)} KB`);
    makeDebian({ root, suite: 'trixie', packages: PACKAGES });
    await start(file);
    say(
      `installed beside ${run('node', '--version')} of ${run('sh', '-c', '. /etc/os-release; echo $PRETTY_NAME')}`,
    );
    await live(say);
    await upgrade(basename(file), say);
    remove(say);
    return 0;
  } catch (error) {
    say(output);
    throw error;
  } finally {
    machine?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}, SHORT_MS);

async function start(file: string): Promise<void> {
  const script = join(folder, 'boot');
  writeFileSync(script, BOOT);
  machine = spawn('unshare', [...NAMESPACES, 'bash', script, file, root], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [machine.stdout, machine.stderr]) {
    stream?.on('data', (part: Buffer) => {
      output += part.toString();
    });
  }
  await until(
    () => tried('systemctl', 'is-active', 'basic.target') === 'active',
    () => output,
    START_MS,
  );
}

async function live(say: (line: string) => void): Promise<void> {
  const began = performance.now();
  run('systemctl', 'start', 'proconsul');
  say(`started, and said so, after ${Math.round(performance.now() - began)} ms`);
  assert.equal(status('StatusErrno'), '0');
  assert.equal(run('stat', '-c', '%U %a', '/var/lib/proconsul'), 'proconsul 750');
  assert.equal(run('ps', '-o', 'user=', '-p', status('MainPID')), 'proconsul');
  await until(
    () => tried('proconsul', 'kv', 'put', 'a', 'b').startsWith('Success'),
    () => output,
    START_MS,
  );
  const [first, before] = [status('MainPID'), run('proconsul', 'kv', 'get', '-detailed', 'a')];
  run('kill', '-KILL', first);
  await until(
    () =>
      status('MainPID') !== first && tried('proconsul', 'kv', 'get', '-detailed', 'a') === before,
    () => output,
    START_MS,
  );
  say('killed: it is back by itself, with what it had');
  run('systemctl', 'reload', 'proconsul');
  run('proconsul', 'kv', 'get', 'a');
  run('systemctl', 'stop', 'proconsul');
  assert.equal(status('Result'), 'success');
  say('reloaded, and stopped in order');
}

/** The same package once more is an upgrade to Debian: an agent that runs is restarted, with what it had. */
async function upgrade(name: string, say: (line: string) => void): Promise<void> {
  run('systemctl', 'start', 'proconsul');
  const first = status('MainPID');
  run('dpkg', '-i', `/root/${name}`);
  await until(
    () => status('MainPID') !== first && tried('proconsul', 'kv', 'get', 'a') === 'b',
    () => output,
    START_MS,
  );
  say('upgraded: it was restarted, and has what it had');
}

function remove(say: (line: string) => void): void {
  const rights =
    run('systemd-analyze', 'security', '--no-pager', 'proconsul.service').split('\n').at(-1) ?? '';
  say(rights.replace(/[^ -~]/g, '').trim());
  run('dpkg', '--purge', 'proconsul');
  const changed = run('find', '/etc', '/usr', '/var', '/run', '-iname', '*proconsul*');
  assert.equal(changed, '');
  assert.equal(tried('getent', 'passwd', 'proconsul'), '');
  say('purged: nothing is left');
}

function status(property: string): string {
  return run('systemctl', 'show', '--value', '-p', property, 'proconsul');
}

/** What a command prints in there. */
function run(...command: string[]): string {
  const enter = ['-t', systemd(), '--mount', '--pid', '--net', '--root', '--', ...command];
  return execFileSync('nsenter', enter, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

function tried(...command: string[]): string {
  try {
    return run(...command);
  } catch {
    return '';
  }
}

/** The first process in there, as this machine counts. */
function systemd(): string {
  const pid = readdirSync('/proc').find((each) => {
    if (!/^\d+$/.test(each)) return false;
    try {
      const words = readFileSync(`/proc/${each}/status`, 'utf8');
      return new RegExp(`^PPid:\t${machine?.pid}$`, 'm').test(words);
    } catch {
      return false;
    }
  });
  return pid ?? '';
}
