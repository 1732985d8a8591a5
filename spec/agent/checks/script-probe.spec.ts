import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { env } from 'node:process';
import { kindOf } from '../../../agent/checks/kinds/kinds.ts';
import type { Probe } from '../../../agent/checks/probing/probe.ts';
import { checkFromConfig } from '../../../agent/definitions/check-spec.ts';
import { until } from '../../support/until.ts';

function probeOf(Args: string[]): Probe {
  const spec = checkFromConfig({ Args });
  const context = {
    maxOutputBytes: 4096,
    timeoutMs: 300,
    untrusted: true,
    containerProbe: undefined,
  };
  return kindOf(spec)?.probe?.(spec, context) ?? assert.fail('nobody looks at it');
}

describe('the script probe', () => {
  const script = (...args: string[]) => probeOf(args)(new AbortController().signal);

  it('goes by the exit code', async () => {
    assert.deepEqual(await script('sh', '-c', 'echo fine'), {
      status: 'passing',
      output: 'fine\n',
    });
    assert.deepEqual(await script('sh', '-c', 'echo hm; exit 1'), {
      status: 'warning',
      output: 'hm\n',
    });
    assert.deepEqual(await script('sh', '-c', 'echo no >&2; exit 2'), {
      status: 'critical',
      output: 'no\n',
    });
  });

  it('gives its arguments to no shell', async () => {
    assert.deepEqual(await script('echo', '$(id); `id` && id'), {
      status: 'passing',
      output: '$(id); `id` && id\n',
    });
  });

  it('keeps the end of a long output and says so', async () => {
    const { output } = await script('sh', '-c', 'head -c 9000 /dev/zero | tr "\\0" x');
    assert.match(output, /^Captured 4096 of 9000 bytes\n\.\.\.\nx{4096}$/);
  });

  it('says which program is not there', async () => {
    const { status, output } = await script('no-such-program');
    assert.equal(status, 'critical');
    assert.equal(output, 'exec: "no-such-program": executable file not found in $PATH');
  });

  it('says so too where a folder has it that may not be run', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'script-'));
    await writeFile(path.join(folder, 'no-program'), '', { mode: 0o644 });
    const { PATH } = env;
    env['PATH'] = `${folder}:${PATH}`;
    try {
      const { output } = await script('no-program');
      assert.equal(output, 'exec: "no-program": executable file not found in $PATH');
    } finally {
      env['PATH'] = PATH;
    }
    const file = path.join(folder, 'no-program');
    const { output } = await script(file);
    assert.equal(output, `fork/exec ${file}: permission denied`);
    await rm(folder, { recursive: true });
  });

  it('kills the program and what it started when its time is over', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'script-'));
    const file = path.join(folder, 'pid');
    const time = new AbortController();
    const args = ['sh', '-c', `sleep 100 & echo $! > ${file}; wait`];
    const looking = probeOf(args)(time.signal);
    const child = async () => Number(await readFile(file, 'utf8').catch(() => ''));
    await until(async () => (await child()) > 0);
    const pid = await child();
    time.abort();
    assert.deepEqual(await looking, {
      status: 'critical',
      output: 'Timed out (300ms) running check',
    });
    await until(() => !isRunning(pid));
    await rm(folder, { recursive: true });
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
