/** A registry server: wires the log, the replica, the queries and the routes, and ends them. */

import type { DefaultPolicy } from '../lib/acl/compile-rights.ts';
import { type AccessControl, OPEN } from '../lib/acl/rights.ts';
import type { Environment } from '../lib/child.ts';
import type { ConfigEntryDefinition } from '../lib/config-entries/entry.ts';
import type { HistoryLimits } from '../lib/history.ts';
import type { Route } from '../lib/http/route.ts';
import type { Metric } from '../lib/metrics/metric.ts';
import type { System } from '../lib/system.ts';
import { BootstrapReset } from './acl/bootstrap-reset.ts';
import { Resolver } from './acl/resolver.ts';
import { AclWarden } from './cluster/acl-warden.ts';
import { AgentLeases } from './cluster/agent-leases.ts';
import { FirstEntries } from './cluster/first-entries.ts';
import { HeardLoads } from './cluster/heard-loads.ts';
import { HeardPlaces } from './cluster/heard-places.ts';
import { HistoryWarden } from './cluster/history-warden.ts';
import { Keeper } from './cluster/keeper.ts';
import { type Duty, Leader } from './cluster/leader.ts';
import { MemberNews } from './cluster/member-news.ts';
import { Members } from './cluster/members.ts';
import { Peers } from './cluster/peers.ts';
import { Reaper } from './cluster/reaper.ts';
import { SessionLeases } from './cluster/session-leases.ts';
import type { Command, Entry } from './commands.ts';
import type { ConnectRules } from './connect/authority.ts';
import type { IssuingDeps as Proposing } from './connect/issuing.ts';
import { connectPartsOf } from './connect-parts.ts';
import { Eureka, type EurekaRules } from './eureka/eureka.ts';
import type { EurekaPath } from './eureka/rows.ts';
import { Agentless, type AgentlessRules } from './external/agentless.ts';
import { AgentlessReports } from './http/agentless.ts';
import type { AclParts, ServerDeps, WriteLimits } from './http/deps.ts';
import { serverRoutes } from './http/routes.ts';
import { ClusterKeyring } from './keyring.ts';
import type { Leases } from './leases.ts';
import type { EventLog } from './log/event-log.ts';
import { IndexGate } from './log/index-gate.ts';
import type { SealedPayloads } from './log/sealed/sealed-payloads.ts';
import { Notifier } from './notify/notifier.ts';
import { Proposer } from './proposer.ts';
import { Answers } from './query/answers.ts';
import { Standing } from './query/standing.ts';
import { Watcher } from './query/watcher.ts';
import { Readiness } from './readiness.ts';
import { Replica } from './replica.ts';
import { serverMetrics } from './server-metrics.ts';
import { Snapshots } from './snapshots.ts';
import type { Outcome } from './state/outcome.ts';
import type { State } from './state/state.ts';

/** Nobody is to wait longer for a process to answer at all. */
const START_PATIENCE_MS = 3000;

export interface ServerOptions {
  readonly storage: Storage;
  readonly system: System;
  readonly self: ServerSelf;
  readonly rules: ServerRules;
  /** What programs are run with. */
  readonly env?: Environment;
  /** Something is broken for good: the process must end at once. */
  readonly onFatal: (error: unknown) => void;
}

/** Where a server keeps what it must not lose. */
export interface Storage {
  readonly log: EventLog;
  /** By which it is sealed, where it is. */
  readonly payloads?: SealedPayloads | undefined;
  readonly leases: Leases;
}

/** Which of the servers this one is. */
export interface ServerSelf {
  readonly id: string;
  /** The name of the node that this server is. */
  readonly node: string;
  readonly datacenter: string;
  /** Under which names are found by DNS. */
  readonly domain: string;
  /** host:port, as Consul's servers speak to one another: what status/leader says. */
  readonly address: string;
}

/** What the configuration asks of all servers alike. */
export interface ServerRules {
  readonly sessionTtlMinMs: number;
  readonly limits: WriteLimits;
  /** Who asks; without it anyone may do anything. */
  readonly access?: AccessControl;
  /** How much history is kept, once this server leads; without it as much as the state has it. */
  readonly history?: HistoryLimits;
  /** How long a member that left or failed is remembered. */
  readonly reconnectTimeoutMs: number;
  /** Without it there is no access control. */
  readonly acl?: AclRules;
  /** Whether nodes have coordinates. */
  readonly measuresPlaces?: boolean;
  /** For nodes without an agent. */
  readonly agentless: AgentlessRules;
  readonly mesh?: MeshRules;
  /** For clients of Eureka, whose instances every server keeps, asked by them or not. */
  readonly eureka?: EurekaRules;
  /** Without it there is no mesh. */
  readonly connect?: ConnectRules;
}

export interface MeshRules {
  /** Whether chains of calls are compiled for who asks. */
  readonly enabled: boolean;
  /** Made where there are none of their names. */
  readonly entries: readonly ConfigEntryDefinition[];
}

export interface AclRules {
  readonly defaultPolicy: DefaultPolicy;
  /** The secret of a token that may do anything from the beginning; '' for none. */
  readonly initialManagement: string;
  /** Whether callers hear that something was kept back from them. */
  readonly reportsFiltered: boolean;
  /** Whether listing keys needs `list`. */
  readonly keyListPolicy: boolean;
  /** Where the reset file would be; '' for none. */
  readonly dataDir: string;
}

export class Server {
  readonly #options: ServerOptions;
  readonly #watcher = new Watcher();
  readonly #replica: Replica;
  readonly #proposer: Proposer;
  readonly #leader: Leader;
  readonly #readiness: Readiness;
  readonly #snapshots: Snapshots;
  readonly #keyring: ClusterKeyring | undefined;
  readonly #memberNews: MemberNews;
  readonly #agentless: Agentless;
  readonly #eureka: Eureka;
  /** What agents tell it of the load of services. */
  readonly loads: HeardLoads;
  /** Where agents stand, and it itself; undefined where nobody is to know. */
  readonly places: HeardPlaces | undefined;
  #stopped = false;
  readonly answers: Answers;
  readonly members: Members;
  /** Whom it tells of changes, while it leads. */
  readonly notifier: Notifier;
  readonly deps: ServerDeps;
  /** Who asks. */
  readonly access: AccessControl;

  constructor(options: ServerOptions) {
    const { system, self, rules, onFatal } = options;
    const { log, leases, payloads } = options.storage;
    const { clock, random, logger } = system;
    this.#options = options;
    const applied = new IndexGate(clock);
    this.#replica = new Replica({ watcher: this.#watcher, applied, onFatal });
    this.#proposer = new Proposer(log, `${self.id}/${random.uuid()}`, () => clock.monotonic());
    this.#snapshots = new Snapshots({
      save: (snapshot) => log.saveSnapshot(snapshot),
      take: () => this.#replica.snapshot(),
      logger,
    });
    this.#replica.onApplied((entry, outcome) => this.#applied(entry, outcome));
    const state = () => this.#replica.state;
    this.#memberNews = new MemberNews({ server: self.id, state, logger });
    const propose = (command: Command) => this.#proposer.propose(command);
    const deps = { state, propose };
    const knowsLeader = () => this.#leader.knowsLeader;
    this.#readiness = new Readiness({ log, applied, state, knowsLeader, clock });
    // Whoever answers others gets no state before it is whole.
    const ready = { state: this.#readiness.state, readiness: this.#readiness };
    const sealing = { ...deps, ...ready, log, clock, logger, saveSnapshot: this.#saveSnapshot };
    this.#keyring = payloads && new ClusterKeyring({ payloads, ...sealing });
    this.answers = new Answers({ ...ready, watcher: this.#watcher, clock });
    this.#replica.onRestored(() => this.#restored());
    const sessions = new SessionLeases({ leases, state, propose, logger });
    const agents = new AgentLeases({ state, propose });
    this.notifier = new Notifier({ state, propose, system, self, env: options.env ?? {} });
    this.#agentless = agentlessOf(options, state, propose);
    this.#eureka = eurekaOf(options, state, propose);
    const kinds = [...this.#agentless.kinds, this.#eureka.leases];
    const connect = connectPartsOf(options, deps);
    const duties: readonly Duty[] = [
      new Keeper({ leases, kinds: [sessions, agents, ...kinds], clock, logger }),
      ...this.#agentless.duties,
      this.notifier,
      ...(this.#keyring ? [this.#keyring] : []),
      ...(connect ? [connect.authority] : []),
      ...tidyingOf(options, { state, propose }),
    ];
    this.access = accessOf(options, ready);
    this.#leader = new Leader({ server: self.id, leases, state, propose, clock, logger }, duties);
    this.loads = new HeardLoads({ ...deps, clock, logger });
    this.places = placesOf(options, deps);
    this.members = new Members({ state, propose, leases, datacenter: self.datacenter });
    this.deps = {
      ...ready,
      ...{ datacenter: self.datacenter, domain: self.domain, node: self.node },
      ...{ clock, random, logger, propose },
      answers: this.answers,
      access: this.access,
      standing: new Standing(this.#watcher, clock),
      ...rowRules(rules),
      log,
      cluster: new Peers({ log, state, leader: this.#leader, self, clock }),
      members: this.members,
      ...{ loads: this.loads, places: this.places },
      keyring: this.#keyring,
      renewSession: (id) => sessions.renew(id),
      reporting: this.#agentless.reporting,
      acl: aclParts(options, this.access),
      connect,
    };
  }

  get knowsLeader(): boolean {
    return this.#leader.knowsLeader;
  }

  get state(): State {
    return this.#replica.state;
  }

  propose(command: Command): Promise<Outcome> {
    return this.#proposer.propose(command);
  }

  routes(): Route[] {
    return serverRoutes(this.deps);
  }

  /** What clients of Eureka may ask for. */
  eurekaPaths(): readonly EurekaPath[] {
    return this.#eureka.paths(this.deps);
  }

  /** Takes what is said of nodes that have no agent. */
  reports(): AgentlessReports {
    return new AgentlessReports(this.deps);
  }

  metrics(): readonly Metric[] {
    const measured = serverMetrics({
      log: this.#options.storage.log,
      proposer: this.#proposer,
      replica: this.#replica,
      answers: this.answers,
      watcher: this.#watcher,
      leader: this.#leader,
      memberNews: this.#memberNews,
      snapshots: this.#snapshots,
      agentless: this.#agentless,
      loads: this.loads,
      clock: this.#options.system.clock,
    });
    return [...measured, ...this.notifier.metrics(), ...this.#eureka.metrics(this.#leader)];
  }

  /**
   * Resolves when the state is up to date and, where there is no other server, this one leads; or
   * after a while without, as when Redis is away: it then goes on trying, and answers no read until
   * it has seen the whole log once. Rejects when the log is damaged.
   */
  async start(): Promise<void> {
    const { system, onFatal } = this.#options;
    const begun = this.#begin();
    let waiting = true;
    begun.catch((error: unknown) => {
      if (!waiting) onFatal(error);
    });
    let cancel = () => {};
    const patience = new Promise<void>((resolve) => {
      cancel = system.clock.after(START_PATIENCE_MS, resolve);
    });
    await Promise.race([begun, patience]).finally(() => {
      waiting = false;
      cancel();
    });
  }

  #restored(): void {
    this.#proposer.restored();
    if (this.#readiness.begun) this.#memberNews.begin();
    this.answers.releaseSoon();
  }

  #applied(entry: Entry, outcome: Outcome): void {
    this.#memberNews.applied(entry, outcome);
    this.#proposer.settle(entry.id, outcome);
    if (entry.command.type === 'end-restore' && outcome.applied) this.#leader.restored();
    // Of several servers on one log the leader is enough.
    const due = this.#snapshots.isDueAfter(entry);
    if (due && this.#leader.isLeader) this.#snapshots.saveSoon();
  }

  async #begin(): Promise<void> {
    const { storage, system } = this.#options;
    await storage.log.start(this.#replica);
    this.#snapshots.begin(this.#replica.state.position);
    // What stands there in the clear goes with the next snapshot.
    const { payloads } = storage;
    if (payloads?.sawPlain === true && payloads.seals) this.saveSnapshotSoon();
    this.#readiness.begin();
    this.#memberNews.begin();
    if (!this.#stopped) this.#agentless.start();
    system.logger.info(`server: the log is applied up to entry ${this.#replica.state.position}`);
    if (!this.#stopped) await this.#leader.start();
  }

  /** Answers whoever waits with what there is, and lets writes that are under way settle. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.notifier.stop();
    this.#agentless.stop();
    await this.#leader.stop();
    this.#keyring?.stop();
    this.loads.stop();
    this.places?.stop();
    this.#proposer.stop();
    await this.#options.storage.log.stop();
    this.answers.release();
  }

  readonly #saveSnapshot = (): Promise<void> => this.#snapshots.saveNow();

  /** Saves a snapshot unless that is under way. */
  saveSnapshotSoon(): void {
    this.#snapshots.saveSoon();
  }
}

/** The rules that rows go by, and what holds where no rule and no intention says anything. */
function rowRules({ sessionTtlMinMs, limits, acl }: ServerRules) {
  return {
    sessionTtlMinMs,
    limits,
    listsNeedRight: acl?.keyListPolicy === true,
    callsByDefault: acl?.defaultPolicy !== 'deny',
  };
}

/** What only a server under access control answers by. */
function aclParts({ rules, system }: ServerOptions, access: AccessControl): AclParts | undefined {
  if (rules.acl === undefined || !(access instanceof Resolver)) return undefined;
  const resetFile = new BootstrapReset(rules.acl.dataDir, system.logger);
  return { resetFile, resolve: (token, known) => access.resolve(token, known) };
}

function agentlessOf(
  { self, storage: { leases }, system, rules }: ServerOptions,
  state: () => State,
  propose: (command: Command) => Promise<Outcome>,
): Agentless {
  const { agentless, reconnectTimeoutMs: nodeMs } = rules;
  const parts = { server: self.id, leases, state, propose, system };
  return new Agentless({ ...parts, rules: agentless, nodeMs });
}

function eurekaOf(
  { storage: { leases }, system: { clock, logger }, rules }: ServerOptions,
  state: () => State,
  propose: (command: Command) => Promise<Outcome>,
): Eureka {
  const { eureka = { selfPreservation: false, showsConsul: false } } = rules;
  return new Eureka({ leases, state, propose, clock, logger, rules: eureka });
}

function placesOf({ rules, self, system }: ServerOptions, deps: Proposing) {
  const { measuresPlaces = true } = rules;
  return measuresPlaces ? new HeardPlaces({ ...deps, ...system, self }) : undefined;
}

/** What a leader sees to that nobody asks anything of. */
function tidyingOf({ rules, system }: ServerOptions, deps: Proposing): readonly Duty[] {
  const { reconnectTimeoutMs, mesh, acl, history } = rules;
  return [
    new Reaper({ ...deps, ...system, reconnectTimeoutMs }),
    new FirstEntries({ ...deps, ...system }, mesh?.entries ?? []),
    new HistoryWarden({ ...deps, ...system, limits: history }),
    ...(acl ? [new AclWarden({ ...deps, ...system, ...acl })] : []),
  ];
}

type Ready = Pick<ServerDeps, 'state' | 'readiness'>;

function accessOf({ rules, self, system: { clock } }: ServerOptions, ready: Ready): AccessControl {
  if (rules.acl === undefined) return rules.access ?? OPEN;
  return new Resolver({ ...ready, ...rules.acl, clock, datacenter: self.datacenter });
}
