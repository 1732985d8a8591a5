/**
 * Who asks an agent. Whoever brings no token brings the agent's default one; whoever brings its
 * recovery token may look after this agent alone, also where no server can say who that is.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { compileRights, ruleSet } from '../../lib/acl/compile-rights.ts';
import { withDefaultToken } from '../../lib/acl/default-token.ts';
import type { AccessControl, Caller, Rights } from '../../lib/acl/rights.ts';
import type { Tokens } from './tokens.ts';

export interface AgentAccessOptions {
  readonly tokens: Pick<Tokens, 'user' | 'recovery'>;
  /** The name of this agent's node. */
  readonly node: string;
  /** Knows all other tokens. */
  readonly cluster: AccessControl;
}

export class AgentAccess implements AccessControl {
  readonly #tokens: AgentAccessOptions['tokens'];
  readonly #cluster: AccessControl;
  readonly #recovery: Rights;

  constructor({ tokens, node, cluster }: AgentAccessOptions) {
    this.#tokens = tokens;
    this.#cluster = withDefaultToken(cluster, () => tokens.user);
    this.#recovery = recoveryRights(node);
  }

  callerOf(token: string, from = ''): Caller | Promise<Caller> {
    return this.#isRecovery(token) ? this.#recoverer(token) : this.#cluster.callerOf(token, from);
  }

  #isRecovery(token: string): boolean {
    const { recovery } = this.#tokens;
    return recovery !== '' && isSame(token, recovery);
  }

  #recoverer(token: string): Caller {
    return {
      rights: this.#recovery,
      accessorId: 'agent-recovery',
      hearsOfHidden: false,
      stands: () => this.#isRecovery(token),
    };
  }
}

/** The agent itself, and the names of whoever is there. */
function recoveryRights(node: string): Rights {
  const rules = {
    agent: { [node]: { policy: 'write' } },
    node_prefix: { '': { policy: 'read' } },
  };
  return compileRights([ruleSet(JSON.stringify(rules))], 'deny');
}

/** In a time that tells nobody how much of it he has guessed. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
