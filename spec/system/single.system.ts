/**
 * One file with Node in it (`npm run single`), in an empty folder and with no PATH: it starts, serves,
 * answers commands, runs what exec asks for, saves a snapshot, and ends.
 *
 * node --import tsx spec/system/single.system.ts
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'single-'));
let agent: ChildProcess | undefined;

await report(async (say) => {
  try {
    execFileSync('npm', ['run', '--silent', 'single'], { cwd: TOP, stdio: 'pipe' });
    copyFileSync(join(TOP, 'dist/single/proconsul'), join(folder, 'proconsul'));
    say(`made one file: ${Math.round(statSync(join(folder, 'proconsul')).size / 1e6)} MB`);
    const [http = 0, server = 0, serf = 0] = await freePorts(3);
    const env = { CONSUL_HTTP_ADDR: `127.0.0.1:${http}`, HOME: folder };
    const run = (...words: string[]) =>
      execFileSync('./proconsul', words, { cwd: folder, env, encoding: 'utf8' });
    const began = performance.now();
    assert.match(run('version'), /^Consul v/);
    say(`version: ${Math.round(performance.now() - began)} ms`);

    const ports = [`-http-port=${http}`, `-server-port=${server}`, `-serf-lan-port=${serf}`];
    const flags = ['-dev', '-bind=127.0.0.1', '-dns-port=-1', '-hcl=disable_remote_exec = false'];
    agent = spawn('./proconsul', ['agent', '-node=n1', ...flags, ...ports], { cwd: folder, env });
    const isUp = () => {
      try {
        return run('members').includes('alive');
      } catch {
        return false;
      }
    };
    await until(isUp, () => 'no member is alive', 30_000);
    run('kv', 'put', 'a', 'b');
    assert.equal(run('kv', 'get', 'a'), 'b\n');
    assert.match(run('exec', '-wait=2s', 'echo hello'), /n1: hello\n/);
    assert.match(run('snapshot', 'save', 'a.snap'), /^Saved and verified/);
    assert.match(run('snapshot', 'inspect', 'a.snap'), /kv +1/);
    say('agent, kv, exec and snapshots: as they should');

    const ended = new Promise((resolve) => agent?.once('exit', resolve));
    agent.kill('SIGTERM');
    assert.equal(await ended, 0);
    say('ended in order');
    return 0;
  } finally {
    agent?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}, SHORT_MS);
