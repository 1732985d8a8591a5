/** The proxy of a service of the mesh: as its agent has it registered, whatever of it changes. */
import type { Cancel } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { AccessLine } from '../access-log.ts';
import { plainDial } from '../dial.ts';
import { type Agent, follow } from '../follow.ts';
import type { Listened, Sidecar, SidecarLimits } from '../sidecar.ts';
import { meshUpstream, type Wanted } from '../upstream-rules.ts';
import { Identity } from './identity.ts';
import { meshDial } from './mesh-dial.ts';
import { Permissions } from './permissions.ts';
import { PublicListener } from './public-listener.ts';
import type { MeshUpstream, ProxyRegistration } from './registration.ts';

export interface MeshOptions {
  readonly sidecar: Sidecar;
  readonly agent: Agent;
  readonly logger: Logger;
  readonly limits: SidecarLimits;
  /** How upstreams are called, each by its name. */
  readonly wantedOf: (service: string) => Wanted;
}

/** How often the program behind is told of, where the servers are to know how many calls it answers. */
const REPORT_MS = 10_000;

/** What follows from whom it stands before; another service makes another. */
interface Behind {
  readonly service: string;
  readonly identity: Identity;
  readonly permissions: Permissions;
  readonly ending: AbortController;
}

export class MeshSidecar {
  readonly #options: MeshOptions;
  #behind: Behind | undefined;
  #public: { readonly key: string; readonly listener: PublicListener } | undefined;
  #serviceId = '';
  #cancelReport: Cancel = () => undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  /** Of the public listener; 0 where there is none. */
  get publicPort(): number {
    return this.#public?.listener.port ?? 0;
  }

  /** Takes over what the proxy's registration says: one after the other. */
  takeOver(registration: ProxyRegistration): Promise<void> {
    this.#work = this.#work.then(() => this.#takeOver(registration));
    return this.#work;
  }

  async stop(drainMs: number): Promise<void> {
    await this.#work;
    this.#ending.abort();
    this.#cancelReport();
    await this.#public?.listener.drain(drainMs);
    this.#behind?.ending.abort();
  }

  async #takeOver(registration: ProxyRegistration): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const { sidecar, logger } = this.#options;
    const behind = this.#behindOf(registration.service);
    for (const [service, why] of registration.refused) {
      logger.warn('sidecar: an upstream is left out', { service, why });
    }
    const faults = await sidecar.serve(
      registration.upstreams.map((each) => this.#listened(each, behind.identity)),
    );
    for (const error of faults)
      logger.error('sidecar: an upstream cannot be called', { error: error.message });
    await this.#servePublic(registration, behind);
  }

  #behindOf(service: string): Behind {
    if (this.#behind?.service === service) return this.#behind;
    this.#behind?.ending.abort();
    const { agent, logger } = this.#options;
    const ending = new AbortController();
    const identity = new Identity({ service, agent, logger });
    const permissions = new Permissions({ service, agent, logger });
    void identity.follow(ending.signal);
    void permissions.follow(ending.signal);
    this.#behind = { service, identity, permissions, ending };
    return this.#behind;
  }

  #listened({ service, datacenter, at }: MeshUpstream, identity: Identity): Listened {
    const { agent, limits, wantedOf } = this.#options;
    const { clock } = agent;
    const plain = plainDial(clock, limits.connectMs);
    const handshakeMs = limits.connectMs;
    const dial = meshDial({ plain, identity, service, clock, handshakeMs });
    return { at, dial, ...meshUpstream(wantedOf(service), datacenter) };
  }

  async #servePublic(registration: ProxyRegistration, behind: Behind): Promise<void> {
    const { agent, limits, logger, sidecar } = this.#options;
    const { service, serviceId, listens: at, program: to } = registration;
    this.#serviceId = serviceId;
    const key = JSON.stringify([service, at, to]);
    if (this.#public?.key === key) return;
    void this.#public?.listener.drain(limits.drainMs);
    this.#public = undefined;
    if (to.port === 0) return;
    const { identity, permissions } = behind;
    const { clock } = agent;
    const log = (line: AccessLine) => sidecar.log(line);
    const listener = new PublicListener({
      at,
      to,
      service,
      identity,
      permissions,
      clock,
      rules: limits,
      log,
    });
    try {
      await listener.start();
    } catch (error) {
      logger.error('sidecar: nobody can call the service', { service, error: messageOf(error) });
      return;
    }
    this.#public = { key, listener };
    logger.info('sidecar: lets calls in', { service, address: at.host, port: listener.port });
    this.#report(listener);
  }

  /** Tells the agent how many calls there were, by which it is known how many instances are wanted. */
  #report(listener: PublicListener): void {
    const { agent, logger } = this.#options;
    const { signal } = this.#ending;
    this.#cancelReport();
    this.#cancelReport = agent.clock.after(REPORT_MS, () => {
      if (signal.aborted || this.#public?.listener !== listener) return;
      const path = `/v1/agent/service/load/${encodeURIComponent(this.#serviceId)}`;
      const { calls, denied, failed } = listener.counts;
      const json = { Requests: calls - denied, Errors: failed };
      const body = { method: 'PUT', json } as const;
      const told =
        this.#serviceId === '' ? Promise.resolve() : agent.ask({ path, query: [], body }, signal);
      told
        .catch((error: unknown) =>
          logger.debug('sidecar: the load is not told', { error: messageOf(error) }),
        )
        .finally(() => {
          if (!signal.aborted) this.#report(listener);
        });
    });
  }
}

/** Follows how a proxy is registered with its agent. */
export async function followRegistration(
  agent: Agent,
  proxyId: string,
  { take, logger, signal }: { take: (json: unknown) => void; logger: Logger; signal: AbortSignal },
): Promise<void> {
  const path = `/v1/agent/service/${encodeURIComponent(proxyId)}`;
  const lost = (error: string, tries: number) => {
    if (tries !== 1 && tries % 20 !== 0) return;
    const line = 'sidecar: goes on as it was registered: the agent does not say more';
    logger.warn(line, { proxy: proxyId, tries, error });
  };
  await follow(agent, { path, query: [], by: 'hash', take, lost }, signal);
}
