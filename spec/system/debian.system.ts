/**
 * The Debian package, installed in a copy of this machine (an overlay in namespaces of its own), with a
 * systemd that runs the service: it starts, says that it serves, is killed and comes back, reloads,
 * and its removal leaves nothing. Needs root, systemd and dpkg-deb; the machine stays as it is.
 *
 * node --import tsx spec/system/debian.system.ts
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** $1 is the package, $2 an empty folder, $3 the program node. */
const COPY = `
set -e
mkdir $2/top && mount -t tmpfs tmpfs $2/top && mkdir $2/top/changed $2/top/work $2/top/root
mount -t overlay overlay -o lowerdir=/,upperdir=$2/top/changed,workdir=$2/top/work $2/top/root
cd $2/top/root
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null || mount -t tmpfs tmpfs sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
cp $1 root/
[ -e usr/bin/node ] || ln -s $3 usr/bin/node
ip link set lo up
# Node may come from elsewhere than from Debian.
chroot . dpkg --force-depends -i /root/$(basename $1)
exec chroot . /usr/bin/env container=other /lib/systemd/systemd --system --unit=basic.target --log-target=null --show-status=no
`;

const folder = mkdtempSync(join(tmpdir(), 'debian-'));
let machine: ChildProcess | undefined;
let output = '';

await report(async (say) => {
  try {
    const made = execFileSync(join(TOP, 'pack/make-deb'), [folder], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const file = made.trim();
    say(`made ${basename(file)}: ${Math.round(readFileSync(file).length / 1000)} KB`);
    await start(file);
    await live(say);
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
  const script = join(folder, 'copy');
  writeFileSync(script, COPY);
  const node = process.execPath;
  machine = spawn('unshare', [...NAMESPACES, 'bash', script, file, folder, node], {
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
