/** A process beside a program: a listener for each service that it calls. It knows its agent by HTTP alone. */
import type { Logger } from '../lib/logger.ts';
import { type AccessLine, accessText } from './access-log.ts';
import { Admin } from './admin.ts';
import { plainDial } from './dial.ts';
import type { Agent } from './follow.ts';
import { TcpListener } from './tcp-listener.ts';
import { Upstream, type UpstreamRules } from './upstream.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listened extends UpstreamRules {
  readonly at: Address;
}

export interface SidecarOptions {
  readonly upstreams: readonly Listened[];
  /** Undefined for none. */
  readonly admin: Address | undefined;
  readonly limits: SidecarLimits;
  readonly agent: Agent;
  readonly logger: Logger;
  /** Writes a line for each call; undefined for none. */
  readonly access: ((text: string) => void) | undefined;
}

export interface SidecarLimits {
  readonly connectMs: number;
  readonly idleMs: number;
  /** Hosts that are tried for one call. */
  readonly tries: number;
  /** For what is under way when it is to end. */
  readonly drainMs: number;
}

export class Sidecar {
  readonly #options: SidecarOptions;
  readonly #upstreams: readonly Upstream[];
  readonly #listeners: readonly TcpListener[];
  readonly #admin: Admin | undefined;
  readonly #ending = new AbortController();
  #isEnding = false;

  constructor(options: SidecarOptions) {
    this.#options = options;
    const { agent, logger, limits, admin } = options;
    const { clock } = agent;
    const dial = plainDial(clock, limits.connectMs);
    const rules = { tries: limits.tries, patienceMs: limits.connectMs, idleMs: limits.idleMs };
    const log = (line: AccessLine) => options.access?.(accessText(line, clock.now()));
    this.#upstreams = options.upstreams.map((each) => new Upstream(each, agent, logger));
    this.#listeners = this.#upstreams.map((upstream, i) => {
      const at = options.upstreams[i]?.at ?? { host: '127.0.0.1', port: 0 };
      return new TcpListener({ at, upstream, dial, clock, rules, log });
    });
    this.#admin =
      admin &&
      new Admin({ at: admin, upstreams: () => this.#upstreams, isEnding: () => this.#isEnding });
  }

  get adminPort(): number {
    return this.#admin?.port ?? 0;
  }

  /** In the order of the upstreams. */
  get ports(): readonly number[] {
    return this.#listeners.map(({ port }) => port);
  }

  /** Rejects with a ProconsulError where an address cannot be had; the agent need not be there. */
  async start(): Promise<void> {
    try {
      for (const listener of [...this.#listeners, this.#admin]) await listener?.start();
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    for (const upstream of this.#upstreams) void upstream.follow(this.#ending.signal);
    for (const [i, { name }] of this.#upstreams.entries()) {
      const line = 'sidecar: listens for calls';
      this.#options.logger.info(line, { service: name, port: this.ports[i] });
    }
  }

  /** Takes no more calls, and ends when those under way have, or after a time. */
  async stop(drainMs = this.#options.limits.drainMs): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#listeners.map((listener) => listener.drain(drainMs)));
    this.#ending.abort();
    this.#admin?.stop();
  }
}
