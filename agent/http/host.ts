/** What /v1/agent/host shows of the machine. */
import { arch, cpus, freemem, hostname, platform, release, totalmem, uptime } from 'node:os';

const NS_PER_MS = 1e6;

export function hostInfo(nowMs: number): Readonly<Record<string, unknown>> {
  const total = totalmem();
  const free = freemem();
  const used = total - free;
  const up = Math.floor(uptime());
  return {
    Memory: { total, available: free, used, usedPercent: (used / total) * 100, free },
    CPU: cpus().map(({ model, speed }, cpu) => ({ cpu, modelName: model, mhz: speed, cores: 1 })),
    Host: {
      hostname: hostname(),
      uptime: up,
      bootTime: Math.floor(nowMs / 1000) - up,
      os: platform(),
      platform: platform(),
      kernelVersion: release(),
      kernelArch: arch(),
    },
    Disk: {},
    CollectionTime: nowMs * NS_PER_MS,
    Errors: null,
  };
}
