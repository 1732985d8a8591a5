/** A process beside a program: a listener for each service that it calls. It knows its agent by HTTP alone. */
import { pause } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { counter, gauge, type Metric } from '../lib/metrics/metric.ts';
import type { AccessLine, AccessLog } from './access-log.ts';
import { Admin } from './admin.ts';
import type { Agent } from './follow.ts';
import { Buffers } from './http/buffers.ts';
import { UpstreamListener } from './listener.ts';
import { reset } from './relay.ts';
import type { Sockets } from './sockets.ts';
import { Upstream, type UpstreamRules } from './upstream.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listened extends UpstreamRules {
  readonly at: Address;
}

/** What stands beside the upstreams, and is shown with them. */
export interface Beside {
  /** Before calls can come and go. */
  readonly waitsFor: readonly string[];
  metrics(): readonly Metric[];
}

export interface SidecarOptions {
  /** Undefined for none. */
  readonly admin: Address | undefined;
  readonly limits: SidecarLimits;
  readonly sockets: Sockets;
  readonly agent: Agent;
  readonly logger: Logger;
  /** Writes a line for each call; undefined for none. */
  readonly access: AccessLog | undefined;
  /** Asked each time; undefined where there is nothing. */
  readonly beside?: () => Beside | undefined;
}

export interface SidecarLimits {
  readonly connectMs: number;
  readonly idleMs: number;
  /** Of a request on which nothing moves, where its route does not say; 0 for ever. */
  readonly streamIdleMs: number;
  /** Hosts that are tried for one call. */
  readonly tries: number;
  /** For what is under way when it is to end. */
  readonly drainMs: number;
  /** At once, of each listener. */
  readonly maxConnections: number;
  /** Kept for those who do not take it, of all together. */
  readonly maxBufferBytes: number;
}

/** Between two looks whether all is there. */
const LOOK_MS = 50;
/** Between two lines of the log about callers who were cut: there may be many. */
const TOLD_MS = 10_000;

interface Served {
  readonly upstream: Upstream;
  readonly listener: UpstreamListener;
  readonly ending: AbortController;
}

export class Sidecar {
  readonly #options: SidecarOptions;
  /** By what they are: whoever is wanted again as it was goes on as it is. */
  readonly #served = new Map<string, Served>();
  readonly #admin: Admin | undefined;
  readonly buffers: Buffers;
  #isEnding = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: SidecarOptions) {
    this.#options = options;
    const { admin: at, sockets, limits } = options;
    this.buffers = new Buffers({
      maxBytes: limits.maxBufferBytes,
      cut: (caller, bytes) => {
        this.#tellCut(caller.remoteAddress ?? '', bytes);
        reset(caller);
      },
    });
    const upstreams = () => [...this.#served.values()].map(({ upstream }) => upstream);
    const waitsFor = () => this.waitsFor;
    const lost = counter(
      'proconsul.sidecar.access.lines.lost',
      'Lines of the access log that nobody has read.',
      () => options.access?.lost ?? 0,
    );
    const own = [lost, ...bufferMetrics(this.buffers)];
    const metrics = () => [...own, ...(options.beside?.()?.metrics() ?? [])];
    const isEnding = () => this.#isEnding;
    this.#admin = at && new Admin({ at, sockets, upstreams, waitsFor, metrics, isEnding });
  }

  /** Before calls can come and go. */
  get waitsFor(): readonly string[] {
    const upstreams = [...this.#served.values()].map(({ upstream }) => upstream);
    return [
      ...upstreams.flatMap(({ isKnown, name }) => (isKnown ? [] : [name])),
      ...(this.#options.beside?.()?.waitsFor ?? []),
    ];
  }

  /** Resolves when that is nothing, or the signal is aborted. */
  async untilReady(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.agent;
    while (this.waitsFor.length > 0 && !signal.aborted) await pause(clock, LOOK_MS, signal);
  }

  get sockets(): Sockets {
    return this.#options.sockets;
  }

  get adminPort(): number {
    return this.#admin?.port ?? 0;
  }

  get ports(): readonly number[] {
    return [...this.#served.values()].map(({ listener }) => listener.port);
  }

  /** A line of the access log, of whatever kind of listener. */
  log(line: AccessLine): void {
    this.#options.access?.add(line, this.#options.agent.clock.now());
  }

  /** Rejects with a ProconsulError where the address of the admin cannot be had. */
  async start(): Promise<void> {
    await this.#admin?.start();
  }

  /**
   * Listens for these, and for no others. Who is not wanted any more takes no more calls, and those that it has
   * come to their end. What cannot be listened for is told, and is tried again with the next call.
   */
  async serve(wanted: readonly Listened[]): Promise<readonly Error[]> {
    const byKey = new Map(wanted.map((each) => [keyOf(each), each]));
    for (const [key, served] of this.#served) {
      if (byKey.has(key)) continue;
      this.#served.delete(key);
      void this.#end(served, this.#options.limits.drainMs);
    }
    const faults: Error[] = [];
    for (const [key, each] of byKey) {
      if (this.#served.has(key)) continue;
      try {
        await this.#begin(key, each);
      } catch (error) {
        faults.push(error instanceof Error ? error : new Error(messageOf(error)));
      }
    }
    return faults;
  }

  /** Takes no more calls, and ends when those under way have, or after a time. */
  async stop(drainMs = this.#options.limits.drainMs): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#served.values()].map((each) => this.#end(each, drainMs)));
    this.#admin?.stop();
  }

  /** As `stop`, where another process answers for it by now. */
  async leave(): Promise<void> {
    this.#admin?.stop();
    await this.stop();
  }

  async #begin(key: string, wanted: Listened): Promise<void> {
    const { agent, logger, limits, access } = this.#options;
    const { at } = wanted;
    const { clock, random } = agent;
    const upstream = new Upstream(wanted, agent, logger);
    const { tries, connectMs: patienceMs, idleMs, streamIdleMs } = limits;
    const rules = { tries, patienceMs, idleMs, streamIdleMs };
    const log = access && ((line: AccessLine) => this.log(line));
    const { sockets } = this.#options;
    const { buffers } = this;
    const by = { at, sockets, upstream, clock, random, rules, buffers, log };
    const listener = new UpstreamListener(by);
    const ending = new AbortController();
    const { signal } = ending;
    await listener.start();
    void upstream.follow(signal);
    this.#served.set(key, { upstream, listener, ending });
    const port = listener.port || at.port;
    logger.info('sidecar: listens for calls', { service: upstream.name, address: at.host, port });
  }

  #tellCut(from: string, bytes: number): void {
    const { agent, logger } = this.#options;
    const now = agent.clock.monotonic();
    if (now - this.#toldAt < TOLD_MS) return;
    this.#toldAt = now;
    const line = 'sidecar: cuts callers who do not take what they asked for: there is no more room';
    logger.warn(line, { from, bytes, cuts: this.buffers.cuts });
  }

  async #end({ listener, ending }: Served, drainMs: number): Promise<void> {
    await listener.drain(drainMs);
    ending.abort();
  }
}

function bufferMetrics(buffers: Buffers): readonly Metric[] {
  return [
    gauge(
      'proconsul.sidecar.buffers.bytes',
      'What is kept in memory for those who do not take it.',
      () => [{ labels: {}, value: buffers.bytes }],
    ),
    counter(
      'proconsul.sidecar.buffers.cuts',
      'Callers that were cut because that had no more room.',
      () => buffers.cuts,
    ),
  ];
}

function keyOf({ key, at }: Listened): string {
  return JSON.stringify([key, at]);
}
