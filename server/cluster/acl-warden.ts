/** A leader's duty to access control: that what is always there is there, and what has expired goes. */
import { ANONYMOUS_TOKEN, MANAGEMENT_POLICY, managementToken } from '../../lib/acl/builtin.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { BeginAcl } from '../acl-commands.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { LogTime } from './log-time.ts';

export interface AclWardenDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: Pick<Random, 'uuid'>;
  readonly logger: Logger;
  /** The secret of a token that may do anything; '' for none. */
  readonly initialManagement: string;
}

/** In one command; the others go with the next looks. */
const AT_ONCE = 500;

export class AclWarden {
  readonly #deps: AclWardenDeps;
  readonly #logTime: LogTime;

  constructor(deps: AclWardenDeps) {
    this.#deps = deps;
    this.#logTime = new LogTime(deps.clock);
  }

  async begin(): Promise<void> {
    const { state, propose, logger } = this.#deps;
    const command = this.#missing(state());
    if (command === undefined) return;
    const { refused } = await propose(command);
    if (refused !== undefined) logger.error(`acl: acl.tokens.initial_management: ${refused}`);
  }

  /** An expired token opens nothing from the moment that it expires: this only tidies up. */
  async tick(): Promise<void> {
    const { state, propose, logger } = this.#deps;
    const now = this.#logTime.now(state());
    const accessors: string[] = [];
    for (const { AccessorID, expiresAt } of state().acl.expiring()) {
      if (expiresAt <= now) accessors.push(AccessorID);
      if (accessors.length === AT_ONCE) break;
    }
    if (accessors.length === 0) return;
    logger.info(`acl: forgets tokens that have expired: ${accessors.length}`);
    // The entry's own time decides: what is estimated here is at most a reason to ask.
    await propose({ type: 'reap-acl-tokens', term: state().leadership.term, accessors });
  }

  /** What is there already stays as it is, so that nothing is written at most starts. */
  #missing({ acl }: State): BeginAcl | undefined {
    const { random, initialManagement: secret } = this.#deps;
    const isDone =
      acl.policies.get(MANAGEMENT_POLICY.ID)?.Rules === MANAGEMENT_POLICY.Rules &&
      acl.tokenBy(ANONYMOUS_TOKEN.AccessorID) !== undefined &&
      (secret === '' || acl.tokens.get(secret) !== undefined);
    if (isDone) return undefined;
    const command = {
      type: 'begin-acl',
      policy: MANAGEMENT_POLICY,
      anonymous: ANONYMOUS_TOKEN,
    } as const;
    if (secret === '') return command;
    const ids = { AccessorID: random.uuid(), SecretID: secret };
    return { ...command, token: managementToken(ids, 'Master Token') };
  }
}
