import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { cgroupsUnder } from '../../../agent/loads/cgroups.ts';
import { describeWithDocker } from '../../support/servers/docker.ts';
import { until } from '../../support/until.ts';

const ID = 'ab'.repeat(32);
const MB = 1024 * 1024;

const FILES = {
  'cpu.stat': 'usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n',
  'cpu.max': '50000 100000\n',
  'memory.current': `${60 * MB}\n`,
  'memory.max': `${100 * MB}\n`,
  'memory.stat': `anon 1\ninactive_file ${10 * MB}\n`,
};

describe('what a container uses', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'proconsul-cgroup-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const put = (place: string, files: Readonly<Record<string, string>> = FILES) => {
    mkdirSync(join(root, place), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, place, name), text);
  };

  for (const place of [
    `system.slice/docker-${ID}.scope`,
    `docker/${ID}`,
    `machine.slice/libpod-${ID}.scope`,
    `${ID}`,
    `docker-${ID}.scope`,
  ]) {
    it(`is read under ${place.replace(ID, 'ID')}`, async () => {
      put(place);
      assert.deepEqual(await cgroupsUnder(root)(ID), { cpuMs: 2500, cpus: 0.5, memory: 0.5 });
    });
  }

  it('is a share of the machine where it has no limit', async () => {
    put(`docker/${ID}`, { ...FILES, 'cpu.max': 'max 100000\n', 'memory.max': 'max\n' });
    const { cpus, memory } = (await cgroupsUnder(root)(ID)) ?? {};
    assert.deepEqual([cpus, memory], [availableParallelism(), (50 * MB) / totalmem()]);
  });

  it('is read without what is not there, and is nothing without any', async () => {
    put(`docker/${ID}`, { 'cpu.stat': FILES['cpu.stat'] });
    const { cpuMs, memory } = (await cgroupsUnder(root)(ID)) ?? {};
    assert.deepEqual([cpuMs, memory], [2500, undefined], 'not that it uses none');
    assert.equal(await cgroupsUnder(root)('cd'.repeat(32)), undefined);
    put(`docker/${'ef'.repeat(32)}`, { 'cpu.stat': 'nonsense\n' });
    assert.equal(await cgroupsUnder(root)('ef'.repeat(32)), undefined);
  });

  describeWithDocker('a real one', (daemon) => {
    it('is read where docker.cgroups says that its parent is', async function () {
      const cmd = ['sh', '-c', 'while :; do :; done'];
      const id = await daemon().run('busy', { cmd });
      const { cgroupRoot } = daemon();
      if (cgroupRoot === undefined) this.skip();
      const useOf = cgroupsUnder(cgroupRoot);
      const busy = async () => (await useOf(id))?.cpuMs ?? 0;
      await until(async () => (await busy()) > 100);
      const inside = await readFile(join(cgroupRoot, id, 'cpu.stat'), 'utf8');
      assert.ok((await busy()) >= Number(/usage_usec (\d+)/.exec(inside)?.[1]) / 1000);
      assert.equal(await useOf(id.slice(0, -1)), undefined);
    }).timeout(60_000);
  });

  it('is looked for by no name that leads elsewhere', async () => {
    put('elsewhere');
    assert.equal(await cgroupsUnder(root)('../elsewhere'), undefined);
    assert.equal(await cgroupsUnder(join(root, 'elsewhere'))('..'), undefined);
  });
});
