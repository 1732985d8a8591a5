/**
 * Who may call the service behind this proxy. The agent decides, once for each caller and each state of the
 * intentions; what it decided counts while it is away, and whom it was never asked about is not let in then.
 */
import type { Cancel } from '../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Agent, follow } from '../follow.ts';
import { PermissionList, type Verdict, verdictIn } from './verdict.ts';

/** Callers whose right is remembered: a mesh has as many services. */
const MAX_CALLERS = 4096;
const ASK_MS = 10_000;
/** Where intentions change faster than the agent answers, the last answer counts. */
const MAX_ASKED = 5;
/** Patterns of permissions of which the log says that they cannot be had. */
const MAX_UNCLEAR = 100;
/** After which everybody is looked at again. */
const REVIEW_MS = 30_000;

export interface PermissionsOptions {
  /** The service that is called. */
  readonly service: string;
  readonly agent: Agent;
  readonly logger: Logger;
}

export class Permissions {
  readonly #options: PermissionsOptions;
  /** By the URI of the caller's certificate. */
  #decided = new Map<string, Promise<Verdict>>();
  /** What was decided before the intentions changed: for when the agent cannot be asked. */
  #before = new Map<string, Verdict>();
  /** What of permissions cannot be told here, as it was said in the log: each caller may come under the same. */
  readonly #unclear = new Set<string>();
  readonly #listeners = new Set<() => void>();

  constructor(options: PermissionsOptions) {
    this.#options = options;
  }

  /** Called when who may call may have changed, until it is cancelled. */
  onChange(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Follows the intentions about the service. */
  async follow(signal: AbortSignal): Promise<void> {
    const { agent, service } = this.#options;
    // The list of those about one service has no index to wait at, in Consul neither.
    const about = [service, '*'].map((name) => `DestinationName == ${JSON.stringify(name)}`);
    this.#reviewLater(signal);
    await follow(
      agent,
      {
        path: '/v1/connect/intentions',
        query: [['filter', about.join(' or ')]],
        // Whatever it shows: a token may not see all that decides.
        take: () => this.#changed(),
        lost: ({ what, level, isToSay, ...loss }) => {
          if (!isToSay) return;
          const { tries, why: error } = loss;
          const line = `sidecar: ${what}, and who was let in still is, and nobody else`;
          this.#options.logger[level](line, { service, tries, error });
        },
      },
      signal,
    );
  }

  /** Whether its connections are let in, whatever is on them. Never rejects. */
  async isAllowed(uri: string): Promise<boolean> {
    return (await this.verdictOn(uri)) === true;
  }

  /** Never rejects: who cannot be asked about is not let in. */
  async verdictOn(uri: string): Promise<Verdict> {
    for (let asked = 1; ; asked++) {
      const decided = this.#decided;
      const verdict = await this.#decisionOn(uri);
      // An answer to what was asked before the intentions changed is none.
      if (decided === this.#decided || asked === MAX_ASKED) return verdict;
    }
  }

  #decisionOn(uri: string): Promise<Verdict> {
    const known = this.#decided.get(uri);
    if (known !== undefined) return known;
    if (this.#decided.size >= MAX_CALLERS) this.#decided.clear();
    const decided = this.#decided;
    const asked = this.#ask(uri).then(
      (verdict) => {
        if (decided === this.#decided) this.#before.set(uri, verdict);
        this.#tellUnclear(verdict);
        return verdict;
      },
      (error: unknown) => {
        // The next one asks again.
        decided.delete(uri);
        if (!(error instanceof ProconsulError)) throw error;
        const line = 'sidecar: the agent does not say who may call';
        this.#options.logger.warn(line, { caller: uri, error: describeChain(error) });
        return this.#before.get(uri) ?? false;
      },
    );
    decided.set(uri, asked);
    return asked;
  }

  #tellUnclear(verdict: Verdict): void {
    if (!(verdict instanceof PermissionList)) return;
    for (const why of verdict.unclear) {
      if (this.#unclear.has(why) || this.#unclear.size === MAX_UNCLEAR) continue;
      this.#unclear.add(why);
      const { logger, service } = this.#options;
      logger.warn('sidecar: a permission cannot be judged by', { service, why });
    }
  }

  /** What comes of tokens and policies, no index of intentions tells. */
  #reviewLater(signal: AbortSignal): void {
    const cancel = this.#options.agent.clock.after(REVIEW_MS, () => {
      signal.removeEventListener('abort', cancel);
      this.#changed();
      this.#reviewLater(signal);
    });
    signal.addEventListener('abort', cancel, { once: true });
  }

  #changed(): void {
    this.#decided = new Map();
    if (this.#before.size > MAX_CALLERS) this.#before = new Map();
    for (const listener of this.#listeners) listener();
  }

  async #ask(uri: string): Promise<Verdict> {
    const { agent, service: Target } = this.#options;
    const patience = new AbortController();
    const cancel = agent.clock.after(ASK_MS, () => patience.abort());
    try {
      const json = { Target, ClientCertURI: uri, ClientCertSerial: '' };
      const path = '/v1/agent/connect/authorize';
      const body = { method: 'POST', json } as const;
      const answer = await agent.ask({ path, query: [], body }, patience.signal);
      return verdictIn(answer.json);
    } finally {
      cancel();
    }
  }
}
