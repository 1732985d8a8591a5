/** What the routes under /v1/agent stand on. */
import type { Clock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Member } from '../../lib/membership.ts';
import type { CheckSet } from '../checks/check-set.ts';
import type { Membership } from '../servers/membership.ts';
import type { LocalState } from '../state/local-state.ts';
import type { ServiceWatch } from '../state/service-watch.ts';
import type { AntiEntropy } from '../sync/anti-entropy.ts';
import type { Registrar } from '../sync/registrar.ts';
import type { Tokens } from '../sync/tokens.ts';

/** Whoever listens to the log while it is written; ends it. */
export type LogTap = (level: string, listen: (line: string) => void) => () => void;

export interface AgentContext {
  readonly config: Config;
  readonly nodeId: string;
  readonly local: LocalState;
  readonly checks: CheckSet;
  readonly registrar: Registrar;
  readonly antiEntropy: AntiEntropy;
  readonly serviceWatch: ServiceWatch;
  readonly tokens: Tokens;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logTap: LogTap;
  /** This agent as a member. */
  readonly self: () => Member;
  /** Groups of figures for /v1/agent/self and `info`. */
  readonly stats: () => Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly reload: () => Promise<void>;
  /** The process is to end, after the answer. */
  readonly leave: () => Promise<void>;
}
