/** The proxy of a service of the mesh: as its agent has it registered, whatever of it changes. */
import type { Cancel } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { counter, type Metric } from '../../lib/metrics/metric.ts';
import { inPath } from '../../lib/well-formed.ts';
import type { AccessLine } from '../access-log.ts';
import { plainDial } from '../dial.ts';
import { type Agent, follow, type Loss } from '../follow.ts';
import { isHttpLike } from '../http/routes.ts';
import type { Nearness } from '../nearness.ts';
import type { Beside, Listened, Sidecar, SidecarLimits } from '../sidecar.ts';
import { type DialTo, meshUpstream, queryUpstream, type Wanted } from '../upstream-rules.ts';
import { Identity } from './identity.ts';
import { meshDial } from './mesh-dial.ts';
import { Permissions } from './permissions.ts';
import { Program } from './program.ts';
import { type PublicCounts, PublicListener } from './public-listener.ts';
import { PublicRequests } from './public-requests.ts';
import type { MeshUpstream, ProxyRegistration } from './registration.ts';
import { Spoken } from './spoken.ts';

export interface MeshOptions {
  readonly sidecar: Sidecar;
  readonly agent: Agent;
  readonly logger: Logger;
  readonly limits: SidecarLimits;
  /** How upstreams are called, each by its name. */
  readonly wantedOf: (service: string) => Wanted;
  /** Services that flags say something of. */
  readonly spokenOf?: ReadonlySet<string>;
  /** Undefined where nobody asks who is near. */
  readonly nearness?: Nearness | undefined;
}

/** How often the program behind is told of, where the servers are to know how many calls it answers. */
const REPORT_MS = 10_000;
/** An address that is taken may be free again: the proxy before this one has it until it ends. */
const AGAIN_MS = 500;

/** What follows from whom it stands before; another service makes another. */
interface Behind {
  readonly service: string;
  readonly identity: Identity;
  readonly permissions: Permissions;
  readonly spoken: Spoken;
  readonly ending: AbortController;
}

interface Public {
  readonly key: string;
  readonly listener: PublicListener;
  /** Where the program speaks HTTP. */
  readonly requests: PublicRequests | undefined;
}

export class MeshSidecar implements Beside {
  readonly #options: MeshOptions;
  #behind: Behind | undefined;
  #public: Public | undefined;
  /** Those before it, each until the last of its callers has gone: they are judged until then. */
  readonly #leaving = new Map<PublicListener, Promise<void>>();
  #serviceId = '';
  /** What it is to be, last said. */
  #registration: ProxyRegistration | undefined;
  /** The last that could be had as it was said. */
  #settled: ProxyRegistration | undefined;
  /** What of it cannot be had, as it was told last. */
  #faults = '';
  #unheeded = '';
  #strays = '';
  #cancelReport: Cancel = () => undefined;
  #cancelAgain: Cancel = () => undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  /** Of the public listener; 0 where there is none. */
  get publicPort(): number {
    return this.#public?.listener.port ?? 0;
  }

  /** What is missing before calls can come in and go out. */
  get waitsFor(): readonly string[] {
    const registration = this.#registration;
    const { listens, program } = registration ?? {};
    const hasNoPort = program?.port !== 0 && this.#public === undefined;
    const isOnItsWay = registration !== undefined && !hasNoPort;
    const is = (isMissing: boolean, what: string) => (isMissing ? [what] : []);
    return [
      ...is(registration === undefined, 'its registration'),
      ...is(this.#behind?.identity.credentials === undefined, 'a certificate'),
      ...is(hasNoPort, `its port ${listens?.port ?? ''}`),
      ...is(isOnItsWay && this.#settled !== registration, 'its upstreams'),
    ];
  }

  /** Takes over what the proxy's registration says: one after the other. */
  takeOver(registration: ProxyRegistration): Promise<void> {
    this.#registration = registration;
    for (const [service, why] of registration.refused) {
      this.#options.logger.warn('sidecar: an upstream is left out', { service, why });
    }
    const unheeded = registration.unheeded.join(', ');
    if (unheeded !== '' && unheeded !== this.#unheeded) {
      const { service } = registration;
      const line = 'sidecar: what its registration says of these has no effect';
      this.#options.logger.warn(line, { service, unheeded });
    }
    this.#unheeded = unheeded;
    this.#tellStrays(registration);
    return this.#next(registration);
  }

  /** What a flag says of a service that is written otherwise has no effect, until one of that name is called. */
  #tellStrays({ service, upstreams }: ProxyRegistration): void {
    const called = new Set([service, ...upstreams.map(({ name }) => name)]);
    const strays = [...(this.#options.spokenOf ?? [])].filter((each) => !called.has(each)).join();
    if (strays !== '' && strays !== this.#strays) {
      const line = 'sidecar: flags are for services that it does not call, and have no effect';
      this.#options.logger.warn(line, { service, strays });
    }
    this.#strays = strays;
  }

  #next(registration: ProxyRegistration): Promise<void> {
    this.#work = this.#work.then(() => this.#takeOver(registration));
    return this.#work;
  }

  async stop(drainMs: number): Promise<void> {
    await this.#work;
    this.#ending.abort();
    this.#cancelReport();
    this.#cancelAgain();
    await this.#drainAll(drainMs);
    this.#behind?.ending.abort();
  }

  async #drainAll(ms: number): Promise<void> {
    const leaving = [...this.#leaving].map(([each, gone]) => (ms > 0 ? gone : each.drain(0)));
    await Promise.all([this.#public?.listener.drain(ms), ...leaving]);
  }

  #leave(listener: PublicListener): void {
    const gone = listener.drain(this.#options.limits.drainMs);
    this.#leaving.set(
      listener,
      gone.finally(() => this.#leaving.delete(listener)),
    );
  }

  async #takeOver(registration: ProxyRegistration): Promise<void> {
    // What was said later comes next.
    if (this.#ending.signal.aborted || registration !== this.#registration) return;
    const { sidecar, logger, agent } = this.#options;
    const behind = await this.#behindOf(registration.service);
    const upstreams = registration.upstreams.map((each) => this.#listened(each, behind.identity));
    const faults = (await sidecar.serve(upstreams)).map(
      ({ message }) => `an upstream cannot be called: ${message}`,
    );
    await this.#servePublic(registration, behind).catch((error: unknown) => {
      faults.push(`nobody can call ${registration.service}: ${messageOf(error)}`);
    });
    this.#cancelAgain();
    const [told, text] = [this.#faults, faults.join('; ')];
    this.#faults = text;
    if (text === '') {
      this.#settled = registration;
      return;
    }
    if (text !== told) logger.error('sidecar: tries again', { error: text });
    this.#cancelAgain = agent.clock.after(AGAIN_MS, () => void this.#next(registration));
  }

  async #behindOf(service: string): Promise<Behind> {
    if (this.#behind?.service === service) return this.#behind;
    if (this.#behind !== undefined) {
      // What goes on for another service than it is, would by a certificate and intentions that nobody follows.
      await this.#options.sidecar.serve([]);
      await this.#drainAll(0);
      this.#public = undefined;
      this.#behind.ending.abort();
    }
    const { agent, logger } = this.#options;
    const ending = new AbortController();
    const identity = new Identity({ service, agent, logger });
    const permissions = new Permissions({ service, agent, logger });
    void identity.follow(ending.signal);
    void permissions.follow(ending.signal);
    const spoken = new Spoken(service, () => {
      const registration = this.#registration;
      if (registration !== undefined) void this.#next(registration);
    });
    void spoken.follow(agent, ending.signal);
    this.#behind = { service, identity, permissions, spoken, ending };
    return this.#behind;
  }

  #listened(upstream: MeshUpstream, identity: Identity): Listened {
    const { kind, name, datacenter, at, rules } = upstream;
    const { agent, limits, wantedOf, nearness } = this.#options;
    const { clock } = agent;
    const dialTo: DialTo = (target, connectMs = limits.connectMs) => {
      const plain = plainDial(clock, connectMs);
      return meshDial({ plain, identity, ...target, clock, handshakeMs: connectMs });
    };
    const byFlags = wantedOf(name);
    const wanted = { ...byFlags, ...rules, protocol: byFlags.protocol || rules.protocol };
    const called = kind === 'query' ? queryUpstream : meshUpstream;
    return { at, ...called(wanted, { datacenter, dialTo, nearness }) };
  }

  async #servePublic(registration: ProxyRegistration, behind: Behind): Promise<void> {
    const { agent, limits, logger, sidecar } = this.#options;
    const { service, serviceId, listens: at, program: to } = registration;
    const { spoken } = behind;
    if (to.port !== 0 && registration.protocol === '') {
      await spoken.untilKnown(agent.clock, limits.connectMs);
    }
    const protocol = registration.protocol || spoken.now;
    this.#serviceId = serviceId;
    const { connectMs, requestMs, maxConnections } = registration;
    const rules = {
      ...limits,
      ...(connectMs !== undefined && { connectMs }),
      ...(maxConnections !== undefined && { maxConnections }),
    };
    const key = JSON.stringify([service, at, to, protocol, rules, requestMs]);
    if (this.#public?.key === key) return;
    if (this.#public !== undefined) this.#leave(this.#public.listener);
    this.#public = undefined;
    if (to.port === 0) return;
    const { identity, permissions } = behind;
    const { clock } = agent;
    const log = (line: AccessLine) => sidecar.log(line);
    const requests = isHttpLike(protocol)
      ? this.#requestsTo({ ...registration, protocol }, rules, behind)
      : undefined;
    const { sockets, buffers } = sidecar;
    const listener = new PublicListener({
      at,
      sockets,
      to,
      service,
      identity,
      permissions,
      requests,
      clock,
      rules,
      buffers,
      log,
    });
    try {
      await listener.start();
    } catch (error) {
      await listener.drain(0);
      throw error;
    }
    this.#public = { key, listener, requests };
    const port = listener.port || at.port;
    logger.info('sidecar: lets calls in', { service, protocol, address: at.host, port });
    this.#report(listener);
  }

  #requestsTo(
    { service, program: at, protocol, requestMs }: ProxyRegistration,
    { connectMs, idleMs, streamIdleMs, maxConnections: maxRequests, tries }: SidecarLimits,
    { identity, permissions }: Behind,
  ): PublicRequests {
    const { agent, logger, sidecar } = this.#options;
    const wanted = { service, at, protocol, connectMs, requestMs, maxRequests };
    return new PublicRequests({
      ...{ program: new Program(wanted, agent, logger), service, identity, permissions },
      ...{ clock: agent.clock, random: agent.random },
      rules: { tries, patienceMs: connectMs, idleMs, streamIdleMs },
      maxRequests,
      buffers: sidecar.buffers,
      log: (line: AccessLine) => sidecar.log(line),
    });
  }

  metrics(): readonly Metric[] {
    const now = this.#public;
    if (now === undefined) return [];
    const service = this.#behind?.service ?? '';
    return [...publicMetrics(service, now.listener.counts), ...requestMetrics(service, now)];
  }

  /** Tells the agent how many calls there were, by which it is known how many instances are wanted. */
  #report(listener: PublicListener): void {
    const { agent, logger } = this.#options;
    const { signal } = this.#ending;
    this.#cancelReport();
    this.#cancelReport = agent.clock.after(REPORT_MS, () => {
      if (signal.aborted || this.#public?.listener !== listener) return;
      const path = `/v1/agent/service/load/${inPath(this.#serviceId)}`;
      const json = loadOf(this.#public);
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

/** What a server is to know of the program: of its requests, or of its connections. */
function loadOf({ listener, requests }: Public) {
  if (requests !== undefined) {
    const { requests: Requests, errors: Errors, latency: Latency } = requests.program.served;
    return { Requests, Errors, Latency };
  }
  const { calls, denied, failed } = listener.counts;
  return { Requests: calls - denied, Errors: failed };
}

const PUBLIC_COUNTS: readonly (readonly [keyof PublicCounts, string])[] = [
  ['calls', 'Connections of callers of the mesh.'],
  ['denied', 'Of those, whom no intention lets in.'],
  ['cut', 'Of those, how many a change of the intentions ended.'],
  ['failed', 'Of those, how many the program did not take.'],
];

function publicMetrics(service: string, counts: PublicCounts): readonly Metric[] {
  return PUBLIC_COUNTS.map(([what, does]) =>
    counter(`proconsul.sidecar.public.${what}`, does, () => counts[what], { service }),
  );
}

function requestMetrics(service: string, { requests }: Public): readonly Metric[] {
  if (requests === undefined) return [];
  const { program } = requests;
  const count = (what: string, does: string, read: () => number) =>
    counter(`proconsul.sidecar.public.requests.${what}`, does, read, { service });
  return [
    count(
      'answered',
      'Requests of the mesh that the program answered.',
      () => program.served.requests,
    ),
    count('errors', 'Of those, by 500 or more, or not at all.', () => program.served.errors),
    count('denied', 'Requests that no intention lets in.', () => requests.denied),
    count('cut', 'Requests that a change of the intentions ended.', () => requests.cut),
  ];
}

/** Follows how a proxy is registered with its agent. */
export async function followRegistration(
  agent: Agent,
  proxyId: string,
  { take, logger, signal }: { take: (json: unknown) => void; logger: Logger; signal: AbortSignal },
): Promise<void> {
  const path = `/v1/agent/service/${inPath(proxyId)}`;
  const lost = ({ why: error, what, level, tries, isToSay }: Loss) => {
    if (!isToSay) return;
    const line = `sidecar: ${what}, and the proxy goes on as it was registered`;
    logger[level](line, { proxy: proxyId, tries, error });
  };
  await follow(agent, { path, query: [], by: 'hash', take, lost }, signal);
}
