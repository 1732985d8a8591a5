/** What the routes under /v1/agent stand on. */
import type { AccessControl } from '../../lib/acl/rights.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Member } from '../../lib/membership.ts';
import type { Coordinate } from '../../lib/model.ts';
import type { Tokens } from '../acl/tokens.ts';
import type { CheckSet } from '../checks/check-set.ts';
import type { Authority } from '../connect/authority.ts';
import type { Leaves } from '../connect/leaves.ts';
import type { Roots } from '../connect/roots.ts';
import type { RequestCounts } from '../loads/request-counts.ts';
import type { Membership } from '../servers/membership.ts';
import type { LocalState } from '../state/local-state.ts';
import type { ServiceWatch } from '../state/service-watch.ts';
import type { AntiEntropy } from '../sync/anti-entropy.ts';
import type { Defaults } from '../sync/defaults.ts';
import type { Registrar } from '../sync/registrar.ts';
import type { Elsewhere } from './elsewhere.ts';

/** Which lines somebody wants, and how. */
export interface WantedLines {
  readonly level: string;
  readonly json: boolean;
}

/** Whoever listens to the log while it is written; ends it. */
export type LogTap = (wanted: WantedLines, listen: (line: string) => void) => () => void;

/** The metrics of the process, as the configuration wants them shown. */
export interface Telemetry {
  /** As Consul's JSON. */
  json(): object;
  /** Undefined where telemetry.prometheus_retention_time switches it off. */
  prometheus(): string | undefined;
}

/** Groups of figures for /v1/agent/self and `info`. */
export type Figures = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Who asks: its recovery token is known to this agent alone. */
export interface AccessContext {
  readonly access: AccessControl;
}

/** What is registered here, and how it comes to the catalog. */
export interface RegistrationContext {
  readonly local: LocalState;
  readonly registrar: Registrar;
  readonly antiEntropy: AntiEntropy;
  readonly serviceWatch: ServiceWatch;
  /** Undefined where proxies take over nothing of config entries. */
  readonly defaults: Pick<Defaults, 'hold'> | undefined;
  readonly clock: Clock;
  readonly requests: Pick<RequestCounts, 'counted'>;
}

/** Who this agent is, and how it does. */
export interface OwnContext {
  readonly config: Config;
  readonly nodeId: string;
  /** This agent as a member. */
  readonly self: () => Member;
  readonly stats: () => Figures;
  readonly checks: CheckSet;
  /** Where an id may be known that is not known here; on a server alone. */
  readonly elsewhere: Elsewhere | undefined;
  /** Where this node stands in the network; undefined where it is not to be known. */
  readonly coordinate: () => Coordinate | undefined;
}

/** The process in which it runs. */
export interface ProcessContext {
  readonly logTap: LogTap;
  readonly telemetry: Telemetry;
  readonly reload: () => Promise<void>;
  /** The process is to end, after the answer. */
  readonly leave: () => Promise<void>;
}

/** The cluster that it belongs to. */
export interface ClusterContext {
  readonly membership: Membership;
  readonly tokens: Tokens;
}

/** Who a service is, as the servers' authority says it. */
export interface ConnectContext {
  readonly roots: Roots;
  readonly leaves: Leaves;
  readonly authority: Pick<Authority, 'intentionsOn'>;
  /** The token for requests that bring none. */
  readonly userToken: () => string;
}

/** What all rows together stand on; each asks for those parts alone that it uses. */
export interface AgentContext
  extends AccessContext,
    RegistrationContext,
    OwnContext,
    ProcessContext,
    ClusterContext,
    ConnectContext {}
