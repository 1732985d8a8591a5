/** What /v1/agent/host shows of the machine, under Consul's names. */
import { statfs } from 'node:fs/promises';
import { arch, cpus, freemem, hostname, platform, release, totalmem, uptime } from 'node:os';
import { resolve } from 'node:path';
import { NS_PER_MS } from '../../lib/duration.ts';
import {
  countProcesses,
  distribution,
  fileSystemOf,
  machineId,
  memoryFigures,
  processors,
} from './proc.ts';

/** Consul's names of figures, and the kernel's where they are others; '' for what no Linux says. */
const MEMORY: Readonly<Record<string, string>> = {
  active: 'active',
  inactive: 'inactive',
  wired: '',
  laundry: '',
  buffers: 'buffers',
  cached: 'cached',
  writeback: 'writeback',
  dirty: 'dirty',
  writebacktmp: 'writebacktmp',
  shared: 'shmem',
  slab: 'slab',
  sreclaimable: 'sreclaimable',
  sunreclaim: 'sunreclaim',
  pagetables: 'pagetables',
  swapcached: 'swapcached',
  commitlimit: 'commitlimit',
  committedas: 'committed_as',
  hightotal: 'hightotal',
  highfree: 'highfree',
  lowtotal: 'lowtotal',
  lowfree: 'lowfree',
  swaptotal: 'swaptotal',
  swapfree: 'swapfree',
  mapped: 'mapped',
  vmalloctotal: 'vmalloctotal',
  vmallocused: 'vmallocused',
  vmallocchunk: 'vmallocchunk',
  hugepagestotal: 'hugepages_total',
  hugepagesfree: 'hugepages_free',
  hugepagesize: 'hugepagesize',
};

/** `dataDir` is '' where nothing is kept: then the disk of the working folder is shown. */
export async function hostInfo(nowMs: number, dataDir: string) {
  return {
    Memory: await memory(),
    CPU: await cpu(),
    Host: await host(nowMs),
    Disk: await disk(resolve(dataDir)),
    CollectionTime: nowMs * NS_PER_MS,
    Errors: null,
  };
}

async function memory() {
  const figure = await memoryFigures();
  const [total, free] = [totalmem(), freemem()];
  const available = figure('memavailable') || free;
  const used = total - available;
  return {
    total,
    available,
    used,
    usedPercent: (used / total) * 100,
    free: figure('memfree') || free,
    ...Object.fromEntries(Object.entries(MEMORY).map(([name, kernels]) => [name, figure(kernels)])),
  };
}

async function cpu() {
  const known = await processors();
  return cpus().map(({ model, speed }, number) => {
    const text = (name: string) => known[number]?.get(name) ?? '';
    return {
      cpu: number,
      vendorId: text('vendor_id'),
      family: text('cpu family'),
      model: text('model'),
      stepping: Number.parseInt(text('stepping'), 10) || 0,
      physicalId: text('physical id'),
      coreId: text('core id'),
      cores: 1,
      modelName: model,
      mhz: Number.parseFloat(text('cpu mhz')) || speed,
      cacheSize: Number.parseInt(text('cache size'), 10) || 0,
      flags: text('flags').split(' '),
      microcode: text('microcode'),
    };
  });
}

async function host(nowMs: number) {
  const up = Math.floor(uptime());
  const { platform: name, family, version } = await distribution();
  return {
    hostname: hostname(),
    uptime: up,
    bootTime: Math.floor(nowMs / 1000) - up,
    procs: await countProcesses(),
    os: platform(),
    platform: name,
    platformFamily: family,
    platformVersion: version,
    kernelVersion: release(),
    kernelArch: arch(),
    virtualizationSystem: '',
    virtualizationRole: '',
    hostid: await machineId(),
  };
}

async function disk(path: string) {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
  const used = blocks - bfree;
  return {
    path,
    fstype: await fileSystemOf(path),
    total: blocks * bsize,
    free: bavail * bsize,
    used: used * bsize,
    usedPercent: percent(used, used + bavail),
    inodesTotal: files,
    inodesUsed: files - ffree,
    inodesFree: ffree,
    inodesUsedPercent: percent(files - ffree, files),
  };
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (part / whole) * 100;
}
