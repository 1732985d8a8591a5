/** What `debug` gathers of an agent: some files once, and others for each interval of time. */
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Clock, pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { ApiClient, ApiRequest } from './api-client.ts';

export const TARGETS = ['metrics', 'logs', 'pprof', 'host', 'agent', 'cluster'] as const;
export type Target = (typeof TARGETS)[number];

/** An agent that says a great deal must not fill a disk. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;
/** The heap and the trace take a second each; one profile is taken after the other. */
const OTHER_PROFILES_S = 2;
const MAX_CPU_S = 30;

interface Piece extends Omit<ApiRequest, 'method'> {
  readonly file: string;
}

/** Taken once. */
const STATIC: Readonly<Partial<Record<Target, readonly Piece[]>>> = {
  host: [{ file: 'host.json', path: '/v1/agent/host' }],
  agent: [{ file: 'agent.json', path: '/v1/agent/self' }],
  cluster: [
    { file: 'cluster.json', path: '/v1/agent/members' },
    { file: 'usage.json', path: '/v1/operator/usage' },
    { file: 'health.json', path: '/v1/operator/autopilot/health', accept: [429] },
  ],
};

export interface CaptureOptions {
  readonly client: (signal: AbortSignal) => ApiClient;
  /** It is made, and everything in it is for its owner's eyes. */
  readonly folder: string;
  readonly targets: readonly Target[];
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Ends all that is under way. */
  readonly signal: AbortSignal;
}

export class DebugCapture {
  readonly #options: CaptureOptions;
  /** What could not be had, and why: the rest is worth having all the same. */
  readonly failures: string[] = [];

  constructor(options: CaptureOptions) {
    this.#options = options;
  }

  async once(): Promise<void> {
    const { folder, targets } = this.#options;
    await mkdir(folder, { mode: 0o700 });
    for (const piece of targets.flatMap((target) => STATIC[target] ?? [])) {
      await this.#try(piece.file, () => this.#save(folder, piece));
    }
  }

  /** Resolves when the interval is over. */
  async interval(name: string): Promise<void> {
    const { targets, clock, signal, intervalMs } = this.#options;
    const folder = join(this.#options.folder, name);
    await mkdir(folder, { mode: 0o700 });
    const take = (target: Target, run: () => Promise<void>) =>
      targets.includes(target) ? this.#try(`${name}/${target}`, run) : undefined;
    await Promise.all([
      take('metrics', () =>
        this.#save(folder, { file: 'metrics.json', path: '/v1/agent/metrics' }),
      ),
      take('logs', () => this.#log(folder)),
      take('pprof', () => this.#profiles(folder)),
      pause(clock, intervalMs, signal),
    ]);
  }

  async #profiles(folder: string): Promise<void> {
    const wanted = Math.floor(this.#options.intervalMs / 1000) - OTHER_PROFILES_S;
    const seconds = String(Math.min(MAX_CPU_S, Math.max(1, wanted)));
    const taken = [
      { name: 'profile', file: 'profile.cpuprofile', seconds },
      { name: 'heap', file: 'heap.heapprofile', seconds: '1' },
      { name: 'trace', file: 'trace.json', seconds: '1' },
      { name: 'goroutine', file: 'resources.json', seconds: '1' },
    ];
    for (const { name, file, seconds: length } of taken) {
      const query = [['seconds', length] as const];
      await this.#save(folder, { file, path: `/debug/pprof/${name}`, query });
    }
  }

  async #save(folder: string, { file, path, ...rest }: Piece): Promise<void> {
    const { client, signal } = this.#options;
    const answer = await client(signal).send({ method: 'GET', path, ...rest });
    await writeFile(join(folder, file), answer.text, { mode: 0o600 });
  }

  /** The log at debug, for as long as the interval is. */
  async #log(folder: string): Promise<void> {
    const { client, clock, intervalMs, signal } = this.#options;
    const over = new AbortController();
    void pause(clock, intervalMs, signal).then(() => over.abort());
    const query = [['loglevel', 'debug'] as const];
    const log = client(over.signal).stream({ method: 'GET', path: '/v1/agent/monitor', query });
    const file = createWriteStream(join(folder, 'proconsul.log'), { mode: 0o600 });
    try {
      await pipeline(bounded(await log), file);
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      file.destroy();
    }
  }

  async #try(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      if (!this.#options.signal.aborted) this.failures.push(`${what}: ${error.message}`);
    }
  }
}

async function* bounded(parts: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let bytes = 0;
  for await (const part of parts) {
    yield part;
    bytes += part.length;
    if (bytes > MAX_LOG_BYTES) return;
  }
}
