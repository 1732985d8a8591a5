/** What a container uses, as Linux counts it (cgroup v2): read from files, without asking its runtime. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Use {
  /** Milliseconds of processors since it began. */
  readonly cpuMs: number;
  /** How many processors it may have. */
  readonly cpus: number;
  /**
   * Of what it may have; what the kernel can take back at once does not count. Undefined where nobody
   * accounts for it here: that it uses none would have instances stopped.
   */
  readonly memory: number | undefined;
}

/** Undefined where there is no such container, or nothing to read it from. */
export type UseOf = (containerId: string) => Promise<Use | undefined>;

/** An id becomes a part of a path, and anybody who registers a service may say one. */
const ID = /^[0-9a-f]{12,64}$/;
/** Where Docker and Podman put containers, with systemd's help and without; the last are under a parent of one's own. */
const PLACES: readonly ((id: string) => string)[] = [
  (id) => `system.slice/docker-${id}.scope`,
  (id) => `docker/${id}`,
  (id) => `machine.slice/libpod-${id}.scope`,
  (id) => `libpod_parent/libpod-${id}`,
  (id) => id,
  (id) => `docker-${id}.scope`,
  (id) => `libpod-${id}.scope`,
];
const MS = 1000;

export function cgroupsUnder(root: string): UseOf {
  return async (id) => {
    if (!ID.test(id)) return undefined;
    for (const place of PLACES) {
      const use = await useIn(join(root, place(id)));
      if (use !== undefined) return use;
    }
    return undefined;
  };
}

async function useIn(folder: string): Promise<Use | undefined> {
  const cpu = await text(folder, 'cpu.stat');
  const used = field(cpu, 'usage_usec');
  if (used === undefined) return undefined;
  const [cpuMax, current, max, stat] = await Promise.all(
    ['cpu.max', 'memory.current', 'memory.max', 'memory.stat'].map((name) => text(folder, name)),
  );
  const [quota = Number.NaN, period = Number.NaN] = (cpuMax ?? '').split(' ').map(Number);
  const machine = availableParallelism();
  // «max» and nothing at all: as much as there is.
  const cpus = quota > 0 && period > 0 ? Math.min(quota / period, machine) : machine;
  const limit = Number(max);
  const allowed = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const bytes = Number(current ?? Number.NaN) - (field(stat, 'inactive_file') ?? 0);
  const memory = Number.isFinite(bytes) ? Math.max(0, bytes) / allowed : undefined;
  return { cpuMs: used / MS, cpus, memory };
}

async function text(folder: string, name: string): Promise<string | undefined> {
  return await readFile(join(folder, name), 'utf8').catch(() => undefined);
}

function field(stat: string | undefined, name: string): number | undefined {
  const line = stat?.split('\n').find((each) => each.startsWith(`${name} `));
  const value = Number(line?.slice(name.length + 1));
  return line !== undefined && Number.isFinite(value) ? value : undefined;
}
