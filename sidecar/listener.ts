/**
 * Listens for callers on this machine, and carries each connection to a host of the upstream; or each request,
 * where the chain says that it is HTTP.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Host } from '../lib/balance/host.ts';
import type { Clock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { hostPort } from '../lib/ip.ts';
import { type Place, portOf } from '../lib/listening.ts';
import type { Random } from '../lib/random.ts';
import type { AccessLine } from './access-log.ts';
import type { Buffers } from './http/buffers.ts';
import { HttpCallers } from './http/callers.ts';
import { Exchange } from './http/exchange.ts';
import { LastGone } from './listening.ts';
import { relay, reset } from './relay.ts';
import type { Sockets } from './sockets.ts';
import type { Chosen, Upstream } from './upstream.ts';

export interface UpstreamListenerOptions {
  readonly at: Place;
  readonly sockets: Sockets;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: ListenerRules;
  readonly buffers: Buffers;
  /** Undefined where nobody reads it. */
  readonly log: ((line: AccessLine) => void) | undefined;
}

export interface ListenerRules {
  /** Hosts that are tried for one connection. */
  readonly tries: number;
  /** How long a connection waits for the first answer of the agent. */
  readonly patienceMs: number;
  /** 0: a connection may be silent for ever. */
  readonly idleMs: number;
  /** Of a request on which nothing moves, where its route does not say; 0 for ever. */
  readonly streamIdleMs: number;
}

export class UpstreamListener {
  readonly #options: UpstreamListenerOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #lastGone = new LastGone();
  readonly #http: HttpCallers;

  constructor(options: UpstreamListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      // Nothing is read before a host has taken the connection: until then another can be tried.
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (socket) => void this.#accepted(socket),
    );
    const { upstream, clock, random, rules, buffers, log } = options;
    const parts = { upstream, clock, random, rules, log };
    this.#http = new HttpCallers({
      serve: (incoming) => new Exchange(incoming, parts).start(),
      ...{ clock, buffers, idleMs: rules.idleMs, streamIdleMs: rules.streamIdleMs },
    });
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Rejects with a ProconsulError where the address cannot be had. */
  start(): Promise<void> {
    const { at, sockets } = this.#options;
    return sockets.listen(this.#server, at);
  }

  /** Takes no more, and gives those that are open so long to come to their end. */
  async drain(ms: number): Promise<void> {
    if (ms > 0) await this.#options.sockets.close(this.#server);
    else this.#server.close();
    this.#http.end();
    if (this.#open.size > 0 && ms > 0) await this.#lastGone.within(this.#options.clock, ms);
    for (const socket of this.#open) reset(socket);
  }

  async #accepted(caller: Socket): Promise<void> {
    const { upstream } = this.#options;
    // He has gone while he was in line.
    if (caller.remoteAddress === undefined) {
      caller.destroy();
      return;
    }
    const give = upstream.circuit.take('callers');
    if (give === undefined) {
      reset(caller);
      return;
    }
    // Until it is relayed nobody else hears of its end.
    const ignore = () => undefined;
    caller.on('error', ignore);
    this.#open.add(caller);
    try {
      await this.#serve(caller);
    } finally {
      give();
      this.#open.delete(caller);
      if (this.#open.size === 0) this.#lastGone.now();
    }
  }

  async #serve(caller: Socket): Promise<void> {
    const { upstream, clock, rules, buffers, log } = this.#options;
    await upstream.untilKnown(clock, rules.patienceMs);
    if (upstream.isHttp && !caller.destroyed) {
      const isGone = new Promise((resolve) => caller.once('close', resolve));
      this.#http.accept(caller);
      await isGone;
      return;
    }
    const from = hostPort(caller.remoteAddress ?? '', caller.remotePort ?? 0);
    const begun = clock.monotonic();
    upstream.counts.calls++;
    const tried = new Set<Host>();
    const place = upstream.circuit.take('connections');
    const done = (more: Pick<AccessLine, 'host' | 'sent' | 'received' | 'fault'>) => {
      const ms = Math.round(clock.monotonic() - begun);
      log?.({ upstream: upstream.name, from, ms, tries: tried.size, ...more });
    };
    const found =
      place === undefined ? 'too many connections' : await this.#connected(caller, tried);
    if (typeof found === 'string') {
      upstream.counts.failed++;
      place?.();
      if (!caller.destroyed) reset(caller);
      done({ host: '', sent: 0, received: 0, fault: found });
      return;
    }
    const { called, host, end } = found;
    const { sent, received, fault } = await relay(caller, called, rules.idleMs, buffers.of(caller));
    end();
    place?.();
    upstream.counts.sent += sent;
    upstream.counts.received += received;
    const { address, port } = host.endpoint;
    done({ host: hostPort(address, port), sent, received, fault });
  }

  /** To a host that takes it; else why there is none. */
  async #connected(caller: Socket, tried: Set<Host>): Promise<Connected | string> {
    const { upstream, rules, clock } = this.#options;
    const { budget, routing } = upstream;
    budget.called(clock.monotonic());
    const end = routing?.ends[0];
    let why = upstream.isKnown ? 'no host is there' : 'no host is known yet';
    while (end !== undefined && tried.size < rules.tries && !caller.destroyed) {
      const chosen = upstream.choose(end, { key: caller.remoteAddress, avoid: tried });
      if (chosen === undefined) break;
      const give = this.#place(tried.size > 0);
      if (give === undefined) break;
      tried.add(chosen.host);
      const found = await this.#try(chosen);
      give();
      if (!(found instanceof ProconsulError)) return found;
      why = found.message;
      if (found.code === 'busy') break;
      // What is taken elsewhere costs nothing; where all refuse, each would be tried as often as may be.
      if (tried.size > 1 && !budget.take(clock.monotonic())) break;
    }
    return why;
  }

  /** Of a further try; undefined where there is none. */
  #place(isAgain: boolean): (() => void) | undefined {
    const { upstream, clock } = this.#options;
    if (!isAgain) return () => undefined;
    if (!upstream.budget.hasRoom(clock.monotonic())) return undefined;
    const give = upstream.circuit.take('retries');
    if (give !== undefined) upstream.counts.retries++;
    return give;
  }

  async #try({ target, host }: Chosen): Promise<Connected | ProconsulError> {
    const { clock } = this.#options;
    const end = target.balancer.begin(host);
    const begun = clock.monotonic();
    try {
      const called = await target.dial(host);
      target.balancer.judge(host, { ok: true, ms: clock.monotonic() - begun });
      return { called, host, end };
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      // Where this process has no room, the host is not to blame.
      end(error.code === 'busy' ? undefined : { ok: false });
      return error;
    }
  }
}

interface Connected {
  readonly called: Socket;
  readonly host: Host;
  readonly end: () => void;
}
