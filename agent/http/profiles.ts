/**
 * What this process is doing, for the tools of a browser: a profile of its processor time and of what
 * it allocates, a trace of the runtime, a snapshot of its heap. One is taken at a time, and each has
 * an end: whoever looks at a process must not be what ails it.
 */
import { Session } from 'node:inspector/promises';
import { freemem } from 'node:os';
import type { Readable } from 'node:stream';
import { getHeapSnapshot, getHeapStatistics } from 'node:v8';
import { type Clock, pause } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';

/** How long a profile may be taken: it is held in memory, and costs some percents meanwhile. */
export const MAX_PROFILE_SECONDS = 60;
/** A sample for so many bytes that are allocated, as V8 does by default. */
const ALLOCATION_STEP_BYTES = 32_768;
/** What the runtime says of itself, and nothing of files or requests, whose names are nobody's business. */
const TRACED = [
  'v8',
  'node.bootstrap',
  'node.environment',
  'node.perf',
  'node.threadpoolwork.async',
];
const MAX_TRACE_EVENTS = 200_000;
/**
 * A snapshot stops the process while it is made. Measured: a heap of 50 MB of small objects took 680 MB
 * more, one of 128 MB over 2 GB, and minutes of a busy machine.
 */
const MAX_SNAPSHOT_HEAP_BYTES = 64 * 1024 * 1024;
const SNAPSHOT_ROOM = 20;

/** Node 20 has not always known what a container leaves. */
function freeBytes(): number {
  return (process.availableMemory as typeof process.availableMemory | undefined)?.() ?? freemem();
}

/** Ends with the client, or after so many milliseconds. */
export interface Span {
  readonly ms: number;
  readonly signal: AbortSignal;
}

export interface Heap {
  /** In bytes. */
  used(): number;
  snapshot(): Readable;
}

const OWN_HEAP: Heap = {
  used: () => getHeapStatistics().used_heap_size,
  snapshot: getHeapSnapshot,
};

export class Profiles {
  readonly #clock: Clock;
  readonly #heap: Heap;
  #isBusy = false;

  constructor(clock: Clock, heap = OWN_HEAP) {
    this.#clock = clock;
    this.#heap = heap;
  }

  /** Where time goes: a .cpuprofile. */
  cpu(span: Span): Promise<string> {
    return this.#inSession(async (session) => {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await this.#wait(span);
      return JSON.stringify((await session.post('Profiler.stop')).profile);
    });
  }

  /** What is allocated meanwhile, and lives or has gone by the end: a .heapprofile. */
  heap(span: Span, withCollected: boolean): Promise<string> {
    return this.#inSession(async (session) => {
      await session.post('HeapProfiler.startSampling', {
        samplingInterval: ALLOCATION_STEP_BYTES,
        includeObjectsCollectedByMajorGC: withCollected,
        includeObjectsCollectedByMinorGC: withCollected,
      });
      await this.#wait(span);
      return JSON.stringify((await session.post('HeapProfiler.stopSampling')).profile);
    });
  }

  /** What the runtime does, in order: a trace for Perfetto or chrome://tracing. */
  trace(span: Span): Promise<string> {
    return this.#inSession(async (session) => {
      const events: object[] = [];
      session.on('NodeTracing.dataCollected', ({ params }) => {
        if (events.length < MAX_TRACE_EVENTS) events.push(...params.value);
      });
      const complete = new Promise<void>((resolve) => {
        session.once('NodeTracing.tracingComplete', () => resolve());
      });
      await session.post('NodeTracing.start', { traceConfig: { includedCategories: TRACED } });
      await this.#wait(span);
      await session.post('NodeTracing.stop');
      await complete;
      return JSON.stringify({ traceEvents: events });
    });
  }

  /** Everything in memory: a .heapsnapshot, with all secrets in it. */
  heapSnapshot(signal: AbortSignal): AsyncIterable<Buffer> {
    const used = this.#heap.used();
    if (used > MAX_SNAPSHOT_HEAP_BYTES || used * SNAPSHOT_ROOM > freeBytes()) {
      throw new ProconsulError('rejected', tooLarge(used));
    }
    this.#begin();
    const snapshot = this.#heap.snapshot();
    snapshot.once('close', () => {
      this.#isBusy = false;
    });
    // Nobody reads it for a client that has gone meanwhile, and it is kept until somebody ends it.
    const end = () => snapshot.destroy();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    return snapshot as AsyncIterable<Buffer>;
  }

  async #inSession(take: (session: Session) => Promise<string>): Promise<string> {
    this.#begin();
    const session = new Session();
    try {
      session.connect();
      return await take(session);
    } finally {
      session.disconnect();
      this.#isBusy = false;
    }
  }

  #begin(): void {
    if (this.#isBusy) throw new ProconsulError('busy', 'another profile is being taken');
    this.#isBusy = true;
  }

  async #wait({ ms, signal }: Span): Promise<void> {
    await pause(this.#clock, ms, signal);
  }
}

function tooLarge(bytes: number): string {
  const [has, most] = [bytes, MAX_SNAPSHOT_HEAP_BYTES].map((each) => Math.ceil(each / 2 ** 20));
  return (
    `the heap has ${has} MB, and a snapshot would stop the process for long and take many times as ` +
    `much: at most ${most} MB, where ${SNAPSHOT_ROOM} times the heap is free. Take /debug/pprof/heap`
  );
}
