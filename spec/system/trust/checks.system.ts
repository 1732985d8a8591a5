/**
 * Points the checks of a real agent at targets that are none and at servers that no check may trust,
 * with a restart; and fills its disk. One line a promise; a failed one makes the exit code 1.
 *
 *   node --import tsx spec/system/trust/checks.system.ts [SECONDS]
 *
 * SECONDS (6) is how long the checks run at least, before and after the restart. The full disk is a
 * tmpfs, for which it must run as root.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { appendFile, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOSTILE, stopHostileServers } from '../../support/servers/hostile-servers.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../../support/servers/proconsul.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

const SECONDS = Number(process.argv[2] ?? 6);
const MAX_HEAP = 150e6;
const MAX_GROWTH = 300e6;
const MAX_OUTPUT_BYTES = 4096 + 2048 + 100;

const KINDS: readonly ((target: string) => Readonly<Record<string, unknown>>)[] = [
  (target) => ({ GRPC: target }),
  (target) => ({ GRPC: `${target}/web`, GRPCUseTLS: true, TLSSkipVerify: true }),
  (target) => ({ H2PING: target, H2PingUseTLS: false }),
  (target) => ({ H2PING: target, TLSSkipVerify: true }),
  (target) => ({ HTTP: `http://${target}/` }),
  (target) => ({ TCP: target }),
  (target) => ({ TCP: target, TCPUseTLS: true, TLSSkipVerify: true }),
  (target) => ({ UDP: target }),
];

const BAD_TARGETS = [
  'localhost',
  'nohost',
  ':',
  '127.0.0.1:x',
  '127.0.0.1:99999',
  '[::1:80',
  'nul\0:80',
  '169.254.169.254:80',
  '127.0.0.1:1',
];

interface Check {
  readonly Status: string;
  readonly Output: string;
  readonly Name: string;
}

const put = (agent: Proconsul, path: string, body: object) =>
  send(agent.port, 'PUT', path, { body: JSON.stringify(body) });

async function checksOf(agent: Proconsul): Promise<Readonly<Record<string, Check>>> {
  const { text } = await send(agent.port, 'GET', '/v1/agent/checks', {});
  return JSON.parse(text);
}

async function memoryOf(agent: Proconsul): Promise<{ heap: number; rss: number }> {
  const { text } = await send(agent.port, 'GET', '/v1/agent/metrics', {});
  const { Gauges } = JSON.parse(text) as { Gauges: readonly { Name: string; Value: number }[] };
  const gauge = (name: string) => Gauges.find(({ Name }) => Name.endsWith(name))?.Value ?? 0;
  return { heap: gauge('alloc_bytes'), rss: gauge('sys_bytes') };
}

async function register(agent: Proconsul, id: string, check: object): Promise<void> {
  const body = { ID: id, Name: id, Interval: '3s', Timeout: '1s', Status: 'warning', ...check };
  const { status, text } = await put(agent, '/v1/agent/check/register', body);
  if (status !== 200) throw new Error(`${id}: ${status} ${text}`);
}

/** What is wrong with the checks once each has been looked at; undefined when all is well. */
async function faultOf(agent: Proconsul, mayPass: RegExp): Promise<string | undefined> {
  const begun = ({ Status }: Check) => Status !== 'warning';
  let checks = await checksOf(agent);
  await until(
    async () => {
      checks = await checksOf(agent);
      return Object.values(checks).every(begun);
    },
    () =>
      `never looked at: ${Object.values(checks)
        .filter((c) => !begun(c))
        .map((c) => c.Name)}`,
    60_000,
  );
  for (const [id, { Status, Output }] of Object.entries(checks)) {
    if (Status !== 'critical' && !mayPass.test(id)) return `${id} is ${Status}: ${Output}`;
    if (Output.trim() === '') return `${id} says nothing`;
    if (Buffer.byteLength(Output) > MAX_OUTPUT_BYTES) return `${id} says too much`;
  }
  return undefined;
}

type Say = (what: string, fault: string | undefined) => void;

/** Registers, watches for a while, kills, starts again and watches again. */
async function throughRestart(
  say: Say,
  of: { what: string; checks: ReadonlyMap<string, object>; mayPass: RegExp },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'trust-checks-'));
  const args = ['-server', '-bootstrap', `-data-dir=${folder}`];
  let agent = await startProconsul(args);
  for (const [id, check] of of.checks) await register(agent, id, check);
  const before = await memoryOf(agent);
  await sleep(SECONDS * 1000);
  say(`${of.what}: critical, in few words, and the agent lives`, await faultOf(agent, of.mayPass));
  const { heap, rss } = await memoryOf(agent);
  const figures = `heap ${mb(heap)} MB, process ${mb(before.rss)} → ${mb(rss)} MB`;
  const fat = heap > MAX_HEAP || rss - before.rss > MAX_GROWTH;
  say(`${of.what}: memory is bounded (${figures})`, fat ? 'too much' : undefined);
  await agent.kill();
  agent = await startProconsul(args);
  await sleep(SECONDS * 1000);
  const again = await checksOf(agent);
  const lost = [...of.checks.keys()].filter((id) => again[id] === undefined);
  const fault = lost.length > 0 ? `lost ${lost}` : await faultOf(agent, of.mayPass);
  say(`${of.what}: the same after a restart`, fault);
  await agent.kill();
  await rm(folder, { recursive: true });
}

const mb = (bytes: number) => Math.round(bytes / 1e6);

function everyKindAt(targets: ReadonlyMap<string, string>): Map<string, object> {
  const checks = new Map<string, object>();
  for (const [name, target] of targets) {
    for (const [i, aim] of KINDS.entries()) {
      checks.set(`${Object.keys(aim(''))[0]}-${i}: ${name}`, aim(target));
    }
  }
  return checks;
}

/** A connection that can be made is all that these ask for; a silent UDP port is open. */
const CONNECTED = /^(TCP|UDP|H2PING|HTTP)-/;

async function hostile(say: Say): Promise<void> {
  const targets = new Map<string, string>();
  for (const { name, serve } of HOSTILE) targets.set(name, (await serve()).host);
  await throughRestart(say, {
    what: `${HOSTILE.length} hostile servers`,
    checks: everyKindAt(targets),
    mayPass: CONNECTED,
  });
  await stopHostileServers();
}

async function badTargets(say: Say): Promise<void> {
  const targets = new Map(BAD_TARGETS.map((target) => [target.replace('\0', 'NUL'), target]));
  const checks = everyKindAt(targets);
  await throughRestart(say, { what: 'targets that are none', checks, mayPass: /^UDP-/ });
}

/** A program that leaves its group and keeps the pipes: nothing of it may stay open here. */
async function escapedChildren(say: Say): Promise<void> {
  const agent = await startProconsul(['-dev', '-enable-script-checks']);
  const open = () => readdirSync(`/proc/${agent.pid}/fd`).length;
  const before = open();
  const escaping = 'setsid sleep 20 & echo started';
  for (let i = 0; i < 5; i++) {
    const script = { Args: ['sh', '-c', escaping], Interval: '1s' };
    await register(agent, `escape-${i}`, script);
  }
  const fault = await faultOf(agent, /^$/);
  await sleep(8000);
  for (const id of Object.keys(await checksOf(agent))) {
    await put(agent, `/v1/agent/check/deregister/${id}`, {});
  }
  await sleep(1000);
  const left = open() - before;
  const why = left > 4 ? `${left} files are open` : fault;
  say(`children that escape: no more open files than before (${left})`, why);
  await agent.kill();
}

/** A disk that is full in the middle, and an end without warning. */
async function fullDisk(say: Say): Promise<void> {
  if (process.getuid?.() !== 0) {
    say('a full disk: passed over, for it needs root to mount a tmpfs', undefined);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'trust-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
  try {
    // An agent alone: what its server does on a full disk is the log's matter.
    const args = [`-data-dir=${folder}`, '-retry-join=127.0.0.1:1', '-log-level=error'];
    const kept: string[] = [];
    const add = async (name: string) => {
      const body = { Name: name, Meta: { m: 'x'.repeat(400) }, Check: { TTL: '1h' } };
      const { status } = await put(agent, '/v1/agent/service/register', body);
      if (status === 200) kept.push(name);
      return status;
    };
    let agent = await startProconsul(args, undefined, { alone: true });
    await add('before');
    const ballast = join(folder, 'ballast');
    await writeFile(ballast, '');
    const { bavail, bsize } = await statfs(folder);
    await appendFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 16_384)));
    const statuses = new Set<number>();
    for (let i = 0; i < 200; i++) statuses.add(await add(`during-${i}`));
    say(
      'a full disk: who cannot be kept is told so',
      statuses.has(500) ? undefined : `answers were ${[...statuses]}`,
    );
    await agent.kill();
    agent = await startProconsul(args, undefined, { alone: true });
    const names = async () =>
      Object.keys(JSON.parse((await send(agent.port, 'GET', '/v1/agent/services', {})).text));
    const missing = (there: readonly string[]) => kept.filter((name) => !there.includes(name));
    const lost = missing(await names());
    say(
      `a full disk: starts again, with all ${kept.length} that it said it kept`,
      lost.length > 0 ? `lost ${lost}` : undefined,
    );
    const status = await add('while-full');
    const journal = join(folder, 'agent/journal');
    await rm(ballast);
    await until(
      // A line of which a part is there is not there.
      async () => /^\["service:while-full",.*\n/m.test(readFileSync(journal, 'utf8')),
      () => `not written (${status})`,
      60_000,
    );
    say('a full disk: once there is space it writes by itself what it could not', undefined);
    await agent.kill();
    agent = await startProconsul(args, undefined, { alone: true });
    const there = await names();
    const gone = [...missing(there), ...(there.includes('while-full') ? [] : ['while-full'])];
    say('a full disk: and has it after one more end', gone.length > 0 ? `lost ${gone}` : undefined);
    await agent.kill();
  } finally {
    await killProconsuls();
    execFileSync('umount', [folder]);
    await rm(folder, { recursive: true });
  }
}

await report(async (line) => {
  let failed = 0;
  const say: Say = (what, fault) => {
    if (fault !== undefined) failed++;
    line(
      `${fault === undefined ? 'ok    ' : 'FAILED'} ${what}${fault === undefined ? '' : `: ${fault}`}`,
    );
  };
  try {
    for (const experiment of [badTargets, hostile, escapedChildren, fullDisk]) {
      await experiment(say).catch((error: unknown) => say(experiment.name, String(error)));
      await killProconsuls();
    }
  } finally {
    await stopHostileServers();
  }
  return failed;
}, SHORT_MS);
