/** An agent: joins local state, checks, anti-entropy, kept values and routes, and ends them. */
import { join } from 'node:path';
import { type AccessControl, OPEN } from '../lib/acl/rights.ts';
import type { Config } from '../lib/config/config.ts';
import type { Route } from '../lib/http/route.ts';
import type { Metric } from '../lib/metrics/metric.ts';
import type { Coordinate } from '../lib/model.ts';
import type { System } from '../lib/system.ts';
import { AgentAccess } from './acl/agent-access.ts';
import { Tokens } from './acl/tokens.ts';
import { agentMetrics } from './agent-metrics.ts';
import { CheckSet } from './checks/check-set.ts';
import type { ContainerProbe } from './checks/kinds/kind.ts';
import { Reaper } from './checks/reaper.ts';
import { StatusNews } from './checks/status-news.ts';
import type { Authority } from './connect/authority.ts';
import { Leaves } from './connect/leaves.ts';
import { Roots } from './connect/roots.ts';
import { definitionsOf } from './definitions/from-config.ts';
import type { AgentContext, Figures, LogTap, Telemetry } from './http/context.ts';
import type { Elsewhere } from './http/elsewhere.ts';
import { agentRoutes } from './http/routes.ts';
import { agentStats } from './http/stats.ts';
import { RequestCounts } from './loads/request-counts.ts';
import type { Membership } from './servers/membership.ts';
import { LocalState } from './state/local-state.ts';
import { ALIVE_CHECK, consulService, ownMember, ownNode } from './state/own-entry.ts';
import { ServiceWatch } from './state/service-watch.ts';
import { type KeptValues, type LineSeal, nothingKept, ValueFile } from './state/value-file.ts';
import type { ValueFiles } from './state/value-files.ts';
import { AntiEntropy } from './sync/anti-entropy.ts';
import type { Catalog } from './sync/catalog.ts';
import { Defaults } from './sync/defaults.ts';
import { OwnCatalog } from './sync/own-catalog.ts';
import { Registrar } from './sync/registrar.ts';
import type { RegistrationPolicy } from './sync/registration.ts';

export interface AgentOptions {
  readonly config: Config;
  readonly nodeId: string;
  readonly servers: ServersPort;
  readonly process: ProcessPort;
  readonly machine: MachinePort;
  readonly system: System;
}

/** The servers: within the process on a server, else over HTTP. */
export interface ServersPort {
  readonly catalog: Catalog;
  readonly membership: Membership;
  readonly authority: Authority;
  /** Who asks, as the servers know it; without one there is no access control. */
  readonly access?: AccessControl;
  /** Takes what is said of nodes that have no agent; a server's alone. */
  readonly elsewhere?: Elsewhere;
  /** How much the size of the cluster stretches the time between full comparisons; at least 1. */
  readonly scale?: () => number;
  /** Where this node stands. */
  readonly coordinate?: () => Coordinate | undefined;
}

/** The process in which the agent runs. */
export interface ProcessPort {
  readonly logTap: LogTap;
  /** What /v1/agent/metrics shows. */
  readonly telemetry: Telemetry;
  /** Further groups of figures: a server's. */
  readonly stats?: () => Figures;
  /** Reads the configuration anew for a reload. */
  readonly readConfig: () => Config | Promise<Config>;
  /** What a reload read, for those parts of the process that are not the agent's. */
  readonly onReloaded?: (config: Config) => void;
  /** The agent has left: the process is to end soon. */
  readonly onLeft: () => void;
}

/** What the agent reaches on its machine. */
export interface MachinePort {
  readonly containerProbe?: ContainerProbe;
  /** Specs put in their own, to fail. */
  readonly files?: ValueFiles;
  /** Seals what is kept in the data folder. */
  readonly seal?: LineSeal | undefined;
}

/** Within the data folder; the name is older than what is in it. */
const VALUES = join('agent', 'journal');

export class Agent {
  readonly #options: AgentOptions;
  readonly #local = new LocalState();
  /** What services say of how many requests they answer. */
  readonly requests: RequestCounts;
  #config: Config;
  #parts: Parts | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#config = options.config;
    this.requests = new RequestCounts(options.system.clock, this.#local.services);
  }

  get system(): System {
    return this.#options.system;
  }

  get local(): LocalState {
    return this.#local;
  }

  /** For what registers services beside HTTP and files: the Docker watcher. */
  get registrar(): Registrar {
    return this.#started.registrar;
  }

  get antiEntropy(): AntiEntropy {
    return this.#started.antiEntropy;
  }

  /** Who asks this agent; after `start`. */
  get access(): AccessControl {
    return this.#started.access;
  }

  /** The token for requests that bring none. */
  get userToken(): string {
    return this.#started.tokens.user;
  }

  /** The token for questions by DNS. */
  get dnsToken(): string {
    return this.#started.tokens.dns;
  }

  /** The token for what containers register. */
  get registrationToken(): string {
    return this.#started.tokens.registration;
  }

  /** The token for what the agent does by itself; '' when it does nothing any more. */
  get ownToken(): string {
    return this.#parts?.tokens.agent ?? '';
  }

  /** The rows under /v1/agent; after `start`. */
  routes(): readonly Route[] {
    return agentRoutes(this.#context());
  }

  /** What it measures; after `start`. */
  metrics(): readonly Metric[] {
    const { checks, antiEntropy } = this.#started;
    return agentMetrics({ local: this.#local, checks, antiEntropy });
  }

  /** Resolves when what was registered before runs again; servers need not be there for it. */
  async start(): Promise<void> {
    const { config, system, machine } = this.#options;
    const { logger, clock } = system;
    const kept =
      config.dataDir === ''
        ? nothingKept
        : await ValueFile.open(join(config.dataDir, VALUES), {
            logger,
            clock,
            ...(machine.files !== undefined && { files: machine.files }),
            seal: machine.seal,
          });
    this.#parts = this.#build(kept);
    this.#parts.registrar.restore(definitionsOf(config));
    this.#parts.defaults?.start();
    this.#parts.antiEntropy.start();
  }

  /** A server did not know this node. */
  unknown(): void {
    this.#parts?.antiEntropy.unknown();
  }

  /** A server is back after none was there. */
  resume(): void {
    this.#parts?.antiEntropy.resume();
  }

  /** Takes over what the files say now of services, checks, metadata, tokens and output. */
  async reload(): Promise<void> {
    const { registrar, antiEntropy, tokens } = this.#started;
    const { process, system } = this.#options;
    const config = await process.readConfig();
    process.onReloaded?.(config);
    tokens.takeOver(config.acl.tokens);
    registrar.reload(definitionsOf(config));
    // All else stays as it is until the process starts anew, as in Consul.
    const { nodeMeta, log } = config;
    const { discardOutput } = config.checkPolicy;
    const checkPolicy = { ...this.#config.checkPolicy, discardOutput };
    this.#config = { ...this.#config, nodeMeta, log, checkPolicy };
    await registrar.remembered();
    antiEntropy.syncSoon();
    system.logger.info('agent: configuration reloaded');
  }

  /** Takes the node out of the catalog, and does not put it back; the agent is to be stopped. */
  async leave(): Promise<void> {
    await this.#parts?.antiEntropy.stop();
    await this.#options.servers.membership.leave();
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#parts = undefined;
    parts.serviceWatch.stop();
    parts.roots.stop();
    parts.leaves.stop();
    parts.defaults?.stop();
    parts.statusNews.stop();
    parts.reaper.stop();
    parts.registrar.stop();
    parts.checks.stop();
    await parts.antiEntropy.stop();
    await parts.kept.close();
  }

  get #started(): Parts {
    if (this.#parts === undefined) throw new Error('the agent is not running');
    return this.#parts;
  }

  #build(kept: KeptValues): Parts {
    const { config, nodeId, servers, machine, system } = this.#options;
    const { catalog, scale } = servers;
    const { clock, random, logger } = system;
    const { checkPolicy, acl } = config;
    const local = this.#local;
    const tokens = new Tokens(acl.tokens, acl.enableTokenPersistence ? kept : undefined);
    const own = new OwnCatalog({
      local,
      catalog,
      self: {
        node: () => ownNode(this.#config, nodeId),
        ...(config.server && { ownService: consulService(config) }),
        aliveCheck: ALIVE_CHECK,
        tokens,
      },
    });
    const pace = {
      checkUpdateIntervalMs: checkPolicy.updateIntervalMs,
      scale: scale ?? (() => 1),
    };
    const antiEntropy = new AntiEntropy({ own, local, clock, random, logger, pace });
    const checks = new CheckSet({
      local,
      clock,
      random,
      maxOutputBytes: () => keptOutputBytes(this.#config),
      containerProbe: machine.containerProbe,
      nodes: {
        own: config.nodeName,
        checksOf: async (node, token) => (await catalog.node(node, token || tokens.user))?.checks,
      },
    });
    const policy = registrationPolicy(config, () => tokens.registration);
    const registrar = new Registrar({ local, checks, kept, clock, logger, policy });
    const reaper = new Reaper({
      local,
      clock,
      minMs: checkPolicy.deregisterIntervalMinMs,
      intervalMs: checkPolicy.reapIntervalMs,
      deregister: (id, checkId) => {
        logger.info(`agent: check "${checkId}" was critical for too long, so "${id}" goes`);
        for (const each of registrar.removeService(id)) void antiEntropy.push(each);
      },
    });
    const serviceWatch = new ServiceWatch(local, clock);
    const node = config.nodeName;
    const statusNews = new StatusNews({ local, node, logger });
    const { roots, leaves } = this.#connect();
    const onDefaults = (id: string) => void antiEntropy.push(id);
    const defaults = this.#defaults(kept, tokens, onDefaults);
    const access = acl.enabled
      ? new AgentAccess({ tokens, node, cluster: servers.access ?? OPEN })
      : OPEN;
    return {
      access,
      kept,
      tokens,
      antiEntropy,
      checks,
      registrar,
      reaper,
      serviceWatch,
      statusNews,
      roots,
      leaves,
      defaults,
    };
  }

  /** What proxies take over of config entries; undefined where they take over nothing. */
  #defaults(kept: KeptValues, tokens: Tokens, onChange: (id: string) => void) {
    const { config, servers, system } = this.#options;
    if (!config.mesh.takesDefaults) return undefined;
    const { authority } = servers;
    const userToken = () => tokens.user;
    return new Defaults({ local: this.#local, authority, kept, system, userToken, onChange });
  }

  #connect() {
    const { config, servers, system } = this.#options;
    const { authority } = servers;
    const roots: Roots = new Roots({
      ...system,
      authority,
      isNeeded: () => leaves.size > 0,
      onChange: (now) => leaves.rootsChanged(now.roots),
    });
    const leaves = new Leaves({
      ...system,
      authority,
      roots: async () => (await roots.get()).known.roots,
      datacenter: config.datacenter,
      rootChangeSpreadMs: () => this.#config.connect.rootChangeSpreadMs,
    });
    return { roots, leaves };
  }

  #context(): AgentContext {
    const { access, tokens, antiEntropy, checks, registrar, serviceWatch } = this.#started;
    const { roots, leaves, defaults } = this.#started;
    const { config, nodeId, servers, process, machine, system } = this.#options;
    const sealed = config.encrypt.key !== '' || machine.seal !== undefined;
    const current = () => this.#config;
    return {
      access,
      tokens,
      antiEntropy,
      checks,
      registrar,
      serviceWatch,
      get config() {
        return current();
      },
      nodeId,
      membership: servers.membership,
      ...{ elsewhere: servers.elsewhere, coordinate: () => servers.coordinate?.() },
      clock: system.clock,
      logTap: process.logTap,
      telemetry: process.telemetry,
      local: this.#local,
      requests: this.requests,
      self: () => ownMember(config, nodeId),
      stats: () => ({ ...agentStats(this.#local, checks, config, sealed), ...process.stats?.() }),
      roots,
      leaves,
      defaults,
      authority: servers.authority,
      userToken: () => tokens.user,
      reload: () => this.reload(),
      leave: async () => {
        await this.leave();
        process.onLeft();
      },
    };
  }
}

/** A reload may turn it off. */
export function keptOutputBytes({ checkPolicy }: Config): number {
  return checkPolicy.discardOutput ? 0 : checkPolicy.maxOutputBytes;
}

function registrationPolicy(
  { checkPolicy, ports }: Config,
  fileToken: () => string,
): RegistrationPolicy {
  return {
    fileToken,
    scripts: {
      fromFiles: checkPolicy.enableLocalScripts,
      fromHttp: checkPolicy.enableRemoteScripts,
    },
    sidecarPorts: { min: ports.sidecarMin, max: ports.sidecarMax },
  };
}

interface Parts {
  readonly access: AccessControl;
  readonly kept: KeptValues;
  readonly tokens: Tokens;
  readonly antiEntropy: AntiEntropy;
  readonly checks: CheckSet;
  readonly registrar: Registrar;
  readonly reaper: Reaper;
  readonly serviceWatch: ServiceWatch;
  readonly statusNews: StatusNews;
  readonly roots: Roots;
  readonly leaves: Leaves;
  readonly defaults: Defaults | undefined;
}
