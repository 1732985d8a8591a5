/** The HTTP listeners of a process: for local clients, for agents, for those that join. */

import type { RequestListener } from 'node:http';
import { hostname } from 'node:os';
import { type Introducer, introductionRoutes } from '../../agent/http/introduction.ts';
import { withDefaultToken } from '../../lib/acl/default-token.ts';
import { type AccessControl, OPEN } from '../../lib/acl/rights.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config, ListenAddress } from '../../lib/config/config.ts';
import { type App, type Served as AppServed, createApp } from '../../lib/http/app.ts';
import type { Audit } from '../../lib/http/audit.ts';
import { FastPath } from '../../lib/http/fast/fast-path.ts';
import { LineBudget } from '../../lib/http/line-budget.ts';
import { Listener } from '../../lib/http/listener.ts';
import type { Begin } from '../../lib/http/ready-exchange.ts';
import type { Guard, Handler, Route } from '../../lib/http/route.ts';
import { RouteTimes } from '../../lib/http/route-times.ts';
import { Standstill, unlessGone } from '../../lib/http/standstill.ts';
import { Waits } from '../../lib/http/waits.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metric } from '../../lib/metrics/metric.ts';
import type { DoorOptions } from '../../lib/tls/handshakes.ts';
import type { Identities } from '../../lib/tls/identities.ts';
import { isTraced } from '../../lib/tracing.ts';
import { eurekaApplication, eurekaRouter } from '../../server/eureka/application.ts';
import type { EurekaPath } from '../../server/eureka/rows.ts';
import type { Xds } from '../../xds/xds.ts';
import { openAudit, type ProcessAudit } from './audit-role.ts';
import { listenerMetrics } from './listener-metrics.ts';
import { OwnRequests } from './own-requests.ts';
import { pageOf } from './page-role.ts';
import { RequestLimits } from './request-limits.ts';
import { guardsOf } from './restrict.ts';
import { applySocketRights } from './start-up.ts';
import { asksForNoToken, type Origin, originsFor, strangersGuard } from './strangers.ts';
import { doorsOf, httpsAddresses } from './tls-role.ts';
import { createXds, type XdsReadiness } from './xds-role.ts';

export interface ListenersOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly introducer: Introducer;
  /** Which a reload may change. */
  readonly limits: () => Config['limits'];
  readonly identities: Identities;
  /** Whether it is a token's id, which an audit may name; without it none is. */
  readonly isTokenId?: (text: string) => boolean;
  /** Whether what there is may be shown to clients of xDS, asked once it is open, and when it is as new as elsewhere. */
  readonly readiness: XdsReadiness;
}

/** What the process answers, once it can. */
export interface Served {
  readonly routes: readonly Route[];
  /** What concerns this node alone: its clients ask that, and no other agent does. */
  readonly ownRoutes?: readonly Route[];
  /** Without it there is no access control. */
  readonly access?: AccessControl;
  /** Of clients that bring none; agents bring what is right. */
  readonly defaultToken: () => string;
  readonly fallback?: Handler;
  /** For clients of Eureka. */
  readonly eureka?: readonly EurekaPath[];
}

/**
 * All of a process. They are bound before anything else begins, since one that finds its port taken
 * is to have told nobody that it is there, and opened when there is something to answer with.
 */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #clients: Audience;
  readonly #agents: Audience;
  readonly #joining: Audience;
  readonly #eureka: Audience;
  readonly #xds: Xds;
  readonly #all: readonly Listener[];
  readonly #times = new RouteTimes();
  readonly #standstill: Standstill;
  /** Who clients are, once it is open. */
  #access: AccessControl | undefined;
  /** Of all that is asked at any of them. */
  #audit: ProcessAudit | undefined;

  constructor(options: ListenersOptions) {
    const { config, limits } = options;
    const limited = limitedBy(options);
    this.#options = options;
    const standstill = standstillOf(options);
    this.#standstill = standstill;
    const shared = { times: this.#times, standstill };
    const strangers = strangersPolicy(config, asksForNoToken(config));
    const guards = [...strangers.guards, ...guardsOf(config.http), ...limited.guards];
    this.#clients = new Audience(options, { ...strangers, ...limited, guards, ...shared });
    // What is forbidden to clients is not forbidden to agents, who bring what those are allowed; but no
    // agent asks for a stranger's name, or as a page: what a browser said it passes on, and has looked at.
    const agents = strangersPolicy(config, false);
    const ofAgents = [...agents.guards, ...limited.guards];
    this.#agents = new Audience(options, { ...agents, ...limited, guards: ofAgents, ...shared });
    this.#joining = new Audience(options, { ...agents, ...shared });
    this.#eureka = new Audience(options, { ...strangers, guards, ...shared });
    const maxConnections = () => limits().httpMaxConnsPerClient;
    const clients = { whom: 'clients', maxConnections };
    this.#xds = this.#createXds(options);
    const { https, agents: door } = doorsOf(options);
    const joining = { whom: 'those that join', maxConnections, door };
    this.#all = [
      ...config.listen.http.map((at) => this.#clients.at(at, clients)),
      ...httpsAddresses(options).map((at) =>
        this.#clients.at(at, { whom: 'clients, by TLS', maxConnections, door: https }),
      ),
      ...config.eureka.listen.map((at) =>
        this.#eureka.at(at, { whom: "Eureka's clients", maxConnections }),
      ),
      ...config.listen.serfLan.map((at) => this.#joining.at(at, joining)),
      // An agent keeps a connection for each query that waits: it is not to be counted as a client.
      ...serverAddresses(config).map((at) =>
        this.#agents.at(at, {
          ...{ whom: 'agents', maxConnections: () => 0, door },
          inLine: AGENTS_IN_LINE,
        }),
      ),
    ];
  }

  /** What clients of xDS are told is asked as other clients ask. */
  #createXds(options: ListenersOptions): Xds {
    const { readiness } = options;
    return createXds({
      ...options,
      own: this.own,
      access: () => this.#access ?? OPEN,
      isReady: () => this.#access !== undefined && readiness.begun,
    });
  }

  /** One after another, so that the log says which of them could not. */
  async bind(): Promise<void> {
    const { config, logger, isTokenId } = this.#options;
    this.#audit = await openAudit(config, logger, isTokenId);
    for (const listener of this.#all) {
      await listener.start();
      logger.info(`http: listens at ${listener.where}`);
    }
    await this.#xds.bind();
    await applySocketRights(config.listen);
  }

  /** Answers from now on, and what was asked since `bind`. */
  open({ routes, ownRoutes = [], fallback, access = OPEN, defaultToken, eureka }: Served): void {
    this.#standstill.start();
    const introductions = introductionRoutes(this.#options.introducer);
    // An agent may be pointed at any of the ports, so each of them introduces.
    const audit = this.#audit?.log;
    this.#access = withDefaultToken(access, defaultToken);
    const all = { routes: [...routes, ...introductions], ...(fallback && { fallback }) };
    const ofClients = {
      ...all,
      routes: [...ownRoutes, ...this.#xds.routes(), ...all.routes],
      access: this.#access,
    };
    const { logger } = this.#options;
    const toEureka = { access: ofClients.access, guards: this.#eureka.guards, logger };
    const application = eureka && { ...toEureka, paths: eureka };
    const mounted = application === undefined ? [] : [eurekaRouter(application)];
    const page = pageOf(this.#options.config, logger);
    this.#clients.open({ ...ofClients, mounted, page }, audit);
    if (application) this.#eureka.openWith(eurekaApplication(application, audit));
    this.#agents.open({ ...all, access }, audit);
    this.#joining.open({ routes: introductions }, audit);
  }

  /** Answers as clients are answered, to whoever is in this process. */
  get own(): OwnRequests {
    const { answer, begin } = this.#clients;
    return new OwnRequests(answer, begin);
  }

  /** What it measures; when it is open. */
  metrics(): readonly Metric[] {
    const fastPaths = [this.#clients, this.#agents].flatMap(({ shortcut }) => shortcut ?? []);
    const own = listenerMetrics({ times: this.#times, listeners: this.#all, fastPaths });
    return [...own, ...this.#xds.metrics()];
  }

  async stop(): Promise<void> {
    await Promise.all([this.#xds.stop(), ...this.#all.map((listener) => listener.stop())]);
    this.#standstill.stop();
    await this.#audit?.stop();
  }
}

function standstillOf({ logger }: ListenersOptions): Standstill {
  const onNoticed = (ms: number) =>
    logger.warn('http: the process stood still, and begins no change for those who have gone', {
      ms: Math.round(ms),
    });
  return new Standstill({ clock: systemClock, onNoticed });
}

/** Where a server answers agents. */
function serverAddresses({ server, address, ports }: Config): readonly ListenAddress[] {
  return server && ports.server > 0 ? [{ host: address.bind, port: ports.server }] : [];
}

/** What is refused before any row is asked, and before the fast path answers instead. */
interface Policy {
  readonly guards: readonly Guard[];
  readonly admitsRead?: () => boolean;
  /** Where whoever waits takes a place. */
  readonly waits?: Waits;
}

interface ByOrigin extends Policy {
  /** Where those come from of whom all guards refuse the same. */
  readonly originOf: (remoteAddress: string) => Origin;
}

function strangersPolicy({ http, dns }: Config, looksAtBrowsers: boolean): ByOrigin {
  const names = { hostname: hostname(), domains: [dns.domain, dns.altDomain] };
  const originOf = originsFor(looksAtBrowsers);
  return { guards: [strangersGuard(http, names, originOf)], originOf };
}

function limitedBy({ config, limits, logger }: ListenersOptions): Policy {
  const waits = new Waits(() => limits().maxWaitsPerToken);
  if (!config.server) return { guards: [waits.admit], waits };
  const rates = new RequestLimits({ limits: () => limits().requests, clock: systemClock, logger });
  return { guards: [rates.admit, waits.admit], admitsRead: rates.admitRead, waits };
}

interface SurfacePolicy extends ByOrigin {
  readonly times: RouteTimes;
  readonly standstill: Standstill;
}

interface Guests {
  readonly whom: string;
  readonly maxConnections: () => number;
  readonly door?: DoorOptions;
  readonly inLine?: number;
}

/**
 * After all servers were away very many agents come at once, and none waits for long: of a longer line most would
 * have given up by the time they are taken. Who finds no place in it is let in by the system a second later.
 */
const AGENTS_IN_LINE = 1024;

/** Each has a fast path of its own: what one may answer the other may have to refuse. */
class Audience {
  readonly #options: Pick<ListenersOptions, 'config' | 'logger'>;
  readonly #guards: readonly Guard[];
  readonly #times: RouteTimes;
  readonly #standstill: Standstill;
  readonly #fastPath: FastPath | undefined;
  readonly #lineBudget: LineBudget;
  #app: RequestListener | undefined;
  #begin: Begin = () => false;
  /** One for each connection at most, for it waits for its answer. */
  #early: (() => void)[] = [];

  constructor(options: ListenersOptions, policy: SurfacePolicy) {
    const { guards, admitsRead, waits, times, standstill, originOf } = policy;
    const { http } = options.config;
    this.#options = options;
    this.#guards = guards;
    this.#times = times;
    this.#standstill = standstill;
    // Only the long way writes lines.
    const lineBudget = new LineBudget(options.logger, systemClock);
    const admits = () => !lineBudget.wantsLine() && admitsRead?.() !== false;
    this.#lineBudget = lineBudget;
    // What is answered unparsed has no span.
    const isFast = http.fastPath && !isTraced();
    const maxHeadBytes = http.maxHeaderBytes;
    this.#fastPath = isFast ? new FastPath({ admits, waits, maxHeadBytes, originOf }) : undefined;
  }

  get shortcut(): FastPath | undefined {
    return this.#fastPath;
  }

  readonly answer: RequestListener = (message, response) => {
    if (this.#app !== undefined) this.#app(message, response);
    else this.#early.push(() => this.#beginEarly(message, response));
  };

  /** He may have asked another meanwhile. */
  readonly #beginEarly = unlessGone((message, response) => this.#app?.(message, response));

  /** Of what was not parsed; nothing, before there is something to answer with. */
  readonly begin: Begin = (message, response) => this.#begin(message, response);

  at(at: ListenAddress, { maxConnections, ...guests }: Guests): Listener {
    const { maxHeaderBytes } = this.#options.config.http;
    const shortcut = this.#fastPath;
    const standstill = this.#standstill;
    const listener = this.answer;
    const limits = { headerBytes: maxHeaderBytes, connectionsPerAddress: maxConnections };
    return new Listener({ at, listener, limits, shortcut, standstill, ...guests });
  }

  get guards(): readonly Guard[] {
    return this.#guards;
  }

  open(served: AppServed, audit: Audit | undefined): void {
    const { config, logger } = this.#options;
    const app: App = createApp(served, {
      guards: this.#guards,
      settings: config.http,
      times: this.#times,
      lineBudget: this.#lineBudget,
      ...(this.#fastPath && { fastPath: this.#fastPath }),
      audit,
      logger,
    });
    this.#begin = app.begin;
    this.openWith(app);
  }

  openWith(app: RequestListener): void {
    this.#app = app;
    for (const answer of this.#early) answer();
    this.#early = [];
  }
}
