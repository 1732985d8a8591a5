/** The tokens that an agent uses for itself, from its files or set over HTTP. */
import { ProconsulError } from '../../lib/errors.ts';
import type { KeptValues } from '../state/value-file.ts';

const KEY = 'tokens';

export interface TokenSet {
  readonly default: string;
  readonly agent: string;
  readonly agentMaster: string;
  readonly replication: string;
  /** For what files and containers register without a token of their own. */
  readonly registration: string;
  readonly dns: string;
}

/** By the name in the path, the old and the new ones. */
const NAMES: ReadonlyMap<string, keyof TokenSet> = new Map([
  ['default', 'default'],
  ['acl_token', 'default'],
  ['agent', 'agent'],
  ['acl_agent_token', 'agent'],
  ['agent_master', 'agentMaster'],
  ['agent_recovery', 'agentMaster'],
  ['acl_agent_master_token', 'agentMaster'],
  ['config_file_service_registration', 'registration'],
  ['dns', 'dns'],
  ['replication', 'replication'],
  ['acl_replication_token', 'replication'],
]);

export class Tokens {
  readonly #kept: KeptValues | undefined;
  #fromFiles: TokenSet;
  #set: TokenSet;

  /** Without a place to keep them they last as long as the process. */
  constructor(fromFiles: TokenSet, kept: KeptValues | undefined) {
    this.#kept = kept;
    this.#fromFiles = fromFiles;
    const before = kept?.values.get(KEY) as Partial<TokenSet> | undefined;
    this.#set = { ...fromFiles, ...before };
  }

  /** For requests that bring none. */
  get user(): string {
    return this.#set.default;
  }

  /** For what the agent does by itself. */
  get agent(): string {
    return this.#set.agent || this.#set.default;
  }

  /** For what the agent's operator has registered; '' where that is as what anybody does. */
  get registration(): string {
    return this.#set.registration;
  }

  /** For questions by DNS, which bring none. */
  get dns(): string {
    return this.#set.dns || this.#set.default;
  }

  /** With which this agent can be looked after when no server is there. */
  get recovery(): string {
    return this.#set.agentMaster;
  }

  /** What files say now, of those tokens of which they said something else before. */
  takeOver(fromFiles: TokenSet): void {
    const changed = Object.entries(fromFiles).filter(
      ([name, token]) => token !== this.#fromFiles[name as keyof TokenSet],
    );
    this.#fromFiles = fromFiles;
    this.#set = { ...this.#set, ...Object.fromEntries(changed) };
  }

  async put(name: string, token: string): Promise<void> {
    const slot = NAMES.get(name);
    if (slot === undefined) throw new ProconsulError('not-found', `Token "${name}" is unknown`);
    this.#set = { ...this.#set, [slot]: token };
    this.#kept?.set(KEY, this.#set);
    await this.#kept?.flush();
  }
}
