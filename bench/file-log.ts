/**
 * How fast the file log takes writes, and what a large snapshot does to whoever waits meanwhile.
 * Usage: node --import tsx bench/file-log.ts [folder on the disk to measure]
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Entry } from '../server/commands.ts';
import type { LogSink, Position, Proposal, Snapshot } from '../server/log/event-log.ts';
import { START } from '../server/log/event-log.ts';
import { type Disk, FileLog } from '../server/log/file/file-log.ts';
import { type FileSystem, nodeFileSystem, openSyncing } from '../server/log/file/file-system.ts';
import { SEGMENT_LIMITS } from '../server/log/file/segment.ts';
import { positionOf } from '../server/log/next-entry.ts';
import { encodeProposal } from '../server/log/payload.ts';

const RUN_MS = 3000;
const BATCH_SIZES = [1, 8, 32, 128];
/** The benchmark that HashiCorp published had so many. */
const INSTANCES = 172_000;

interface Appending {
  readonly what: string;
  readonly size: number;
  readonly options?: Disk;
}

/** What the log would do without two of its decisions. */
const NO_ALLOCATION = { ...SEGMENT_LIMITS, allocateBytes: 1 };
const TWO_CALLS: FileSystem = { ...nodeFileSystem, openDurable: openSyncing };

class CountingSink implements LogSink {
  position: Position = START;
  lines = 0;

  apply(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last !== undefined) this.position = positionOf(last);
  }

  async restore({ position, lines }: Snapshot): Promise<void> {
    this.position = position;
    for await (const line of lines) this.lines += line.length > 0 ? 1 : 0;
  }
}

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'file-log-bench-'));
try {
  await measureFloor();
  for (const size of BATCH_SIZES) await measureAppend({ what: 'append', size });
  for (const size of [1, 32]) {
    await measureAppend({ what: 'without allocation', size, options: { limits: NO_ALLOCATION } });
    await measureAppend({
      what: 'write, then fdatasync',
      size,
      options: { fileSystem: TWO_CALLS },
    });
  }
  await measureSnapshot();
} finally {
  await rm(folder, { recursive: true });
}

/** What the disk gives to anyone: one small write and one fdatasync after the other. */
async function measureFloor(): Promise<void> {
  const file = await open(join(folder, 'floor'), 'w+');
  const bytes = Buffer.alloc(400, 1);
  await file.write(Buffer.alloc(16 * 1024 * 1024), 0, undefined, 0);
  await file.sync();
  let at = 0;
  const times = await repeat(async () => {
    await file.write(bytes, 0, bytes.length, at);
    await file.datasync();
    at += bytes.length;
  });
  await file.close();
  report('write + fdatasync alone', 1, times);
}

async function measureAppend({ what, size, options }: Appending): Promise<void> {
  const log = newLog(`${what}-${size}`, options);
  await log.start(new CountingSink());
  let made = 0;
  const cpu = process.cpuUsage();
  const times = await repeat(async () => {
    const batch: Proposal[] = [];
    for (let i = 0; i < size; i++) batch.push(registration(made++));
    await log.append(batch);
  });
  const { user, system } = process.cpuUsage(cpu);
  await log.stop();
  report(what, size, times, (user + system) / times.length);
}

async function measureSnapshot(): Promise<void> {
  const log = newLog('snapshot');
  const sink = new CountingSink();
  await log.start(sink);
  await log.append([registration(0)]);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begin = performance.now();
  await log.saveSnapshot({ position: sink.position, lines: instanceLines() });
  const saved = performance.now();
  delay.disable();
  await log.stop();
  const again = newLog('snapshot');
  const restored = new CountingSink();
  const restart = performance.now();
  await again.start(restored);
  print(
    `snapshot of ${restored.lines} instances: saved in ${(saved - begin).toFixed(0)} ms`,
    `event loop delayed by at most ${(delay.max / 1e6).toFixed(1)} ms`,
    `read back and restored in ${(performance.now() - restart).toFixed(0)} ms`,
  );
  await again.stop();
}

function newLog(name: string, options: Disk = {}): FileLog {
  return new FileLog({
    disk: options,
    folder: join(folder, name),
    clock: systemClock,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  });
}

function registration(i: number): Proposal {
  const node = {
    ID: '',
    Node: `node-${i % 1000}`,
    Address: '10.0.0.1',
    Datacenter: 'dc1',
    TaggedAddresses: null,
    Meta: null,
  };
  const service = instance(i);
  const command = { type: 'register', node, skipNodeUpdate: true, service, checks: [] } as const;
  return encodeProposal(`server-1/17/${i}`, command);
}

function instance(i: number) {
  return {
    Kind: '',
    ID: `web-${i}`,
    Service: 'web',
    Tags: ['v1', 'http'],
    Address: '10.0.0.1',
    TaggedAddresses: null,
    Meta: { version: '1.2.3' },
    Port: 8080,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: {},
    Connect: {},
  };
}

function* instanceLines(): Generator<string> {
  for (let i = 0; i < INSTANCES; i++) {
    yield JSON.stringify({ ...instance(i), Node: `node-${i % 10_000}`, ModifyIndex: i });
  }
}

async function repeat(run: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + RUN_MS;
  for (let now = performance.now(); now < end; ) {
    await run();
    const then = now;
    now = performance.now();
    times.push(now - then);
  }
  return times;
}

function report(what: string, size: number, times: readonly number[], cpuUs?: number): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2);
  const total = times.reduce((sum, ms) => sum + ms, 0);
  const rate = ((times.length * size) / total) * 1000;
  const cpu = cpuUs === undefined ? [] : [`CPU ${cpuUs.toFixed(0)} us a batch`];
  print(
    `${what}, batches of ${size}: ${rate.toFixed(0)} writes/s`,
    `p50 ${at(0.5)} ms`,
    `p90 ${at(0.9)} ms`,
    `p99 ${at(0.99)} ms`,
    ...cpu,
  );
}

function print(...parts: string[]): void {
  process.stdout.write(`${parts.join(', ')}\n`);
}
