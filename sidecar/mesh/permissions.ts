/**
 * Who may call the service behind this proxy. The agent decides, once for each caller and each state of the
 * intentions; what it decided counts while it is away, unless something else is heard about the caller since then. Whom it was
 * never asked about is not let in then.
 */
import type { Cancel } from '../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { retryMs } from '../../lib/retries.ts';
import { type Agent, follow, lossOf } from '../follow.ts';
import { type About, HeardIntentions, NOTHING_ABOUT } from './heard-intentions.ts';
import { type InTurn, NoTurn, Turnstile } from './turnstile.ts';
import { PermissionList, type Verdict, Verdicts } from './verdict.ts';

/** Callers whose right is remembered: a mesh has as many services. Beyond them the one goes that called longest ago. */
const MAX_CALLERS = 4096;
/** Asked about at once. The agent takes 200 connections of one address, and other things are asked of it too. */
const MAX_ASKING = 32;
const ASK_MS = 10_000;
/** Where intentions change faster than the agent answers, the last answer counts. */
const MAX_ASKED = 5;
/** Patterns of permissions of which the log says that they cannot be had. */
const MAX_UNCLEAR = 100;
/** After which everybody is looked at again. */
const REVIEW_MS = 30_000;
/** So often an agent that is there may not say which intentions there are: some seconds. */
const UNHEARD = 3;

export interface PermissionsOptions {
  /** The service that is called. */
  readonly service: string;
  readonly agent: Agent;
  readonly logger: Logger;
}

/** Of the mesh, by the URI of its certificate. */
interface Caller {
  readonly uri: string;
  /** As the agent decided last; undefined where it never did. */
  verdict: Verdict | undefined;
  /** At which look it was asked for that, and what was heard about it then. */
  decidedAt: number;
  heard: About;
  asking: Asking | undefined;
  /** In a row; it is not asked again before then. */
  failures: number;
  notBefore: number;
}

interface Asking {
  /** When it went out; undefined while it waits for its turn, and answers whatever is asked until then. */
  look: number | undefined;
  answer: Promise<Verdict | undefined>;
  hurry: () => void;
}

const NO_ANSWER = Promise.resolve(undefined);

export class Permissions {
  readonly #options: PermissionsOptions;
  readonly #callers = new Map<string, Caller>();
  readonly #verdicts = new Verdicts();
  readonly #turnstile = new Turnstile(MAX_ASKING);
  readonly #heard = new HeardIntentions();
  /** How often the agent, which was there, has not said which there are since it said so last. */
  #unheard = 0;
  /** Each change of the intentions has everybody looked at again, and so does time. */
  #look = 1;
  /** The look of the last change: what was decided before it counts where there is no other answer. */
  #changedAt = 1;
  /**
   * The last question about anybody had no answer: nobody who was ever decided about waits for another. It is asked again
   * by itself, lest what was decided before a change counts as long as nobody else asks.
   */
  #isAway = false;
  #cancelProbe: Cancel = () => undefined;
  readonly #toldWhenAway = new Set<() => void>();
  #isOver = false;
  /** In a row, whoever they were about. */
  #failures = 0;
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
    const end = () => {
      this.#isOver = true;
      this.#cancelProbe();
    };
    signal.addEventListener('abort', end, { once: true });
    await follow(
      agent,
      {
        path: '/v1/connect/intentions',
        query: [['filter', about.join(' or ')]],
        // Whatever it shows: a token may not see all that decides.
        take: (json) => {
          this.#unheard = 0;
          this.#heard.take(json);
          this.#changed();
        },
        same: () => {
          this.#unheard = 0;
        },
        lost: ({ what, level, isToSay, isThere, ...loss }) => {
          const { tries, why: error } = loss;
          // Again and again: who was asked about since then is denied by now, maybe.
          if (isThere && ++this.#unheard % UNHEARD === 0) this.#mayHaveChanged(error);
          if (!isToSay) return;
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

  /**
   * Never rejects: who cannot be asked about is not let in. Waits for the agent where nothing was decided yet since the
   * intentions changed, and not for an agent that is away.
   */
  verdictOn(uri: string): Promise<Verdict> {
    const caller = this.#callerOf(uri);
    return this.#decided(
      caller,
      () => this.#changedAt,
      () => caller.verdict !== undefined && this.#countsStill(caller),
    );
  }

  /** As the agent decides now, for whoever is let in already. */
  verdictAnew(uri: string): Promise<Verdict> {
    return this.#decided(
      this.#callerOf(uri),
      () => this.#look,
      () => false,
    );
  }

  async #decided(caller: Caller, since: () => number, goesByOld: () => boolean): Promise<Verdict> {
    let last: Verdict | undefined;
    for (let asked = 0; caller.decidedAt < since() && asked < MAX_ASKED; asked++) {
      if (goesByOld()) break;
      const changedAt = this.#changedAt;
      const answer = this.#asked(caller);
      caller.asking?.hurry();
      last = await this.#orAway(answer, goesByOld);
      // That a question from before a change had no answer says nothing of the next.
      if (last === undefined && changedAt === this.#changedAt) break;
    }
    if (caller.decidedAt < this.#look) void this.#asked(caller);
    const counts = caller.decidedAt >= this.#changedAt || this.#countsStill(caller);
    const known = counts ? caller.verdict : undefined;
    return (caller.decidedAt >= since() ? known : (last ?? known)) ?? false;
  }

  /**
   * Whether what was decided before the intentions changed counts: where the agent is away, and not where it is asked too
   * much. However it is away, an intention that was heard is not passed over, nor that none could be heard when it was there.
   */
  #countsStill({ heard, uri }: Caller): boolean {
    return this.#isAway && this.#unheard < UNHEARD && this.#heard.isStill(heard, uri);
  }

  /** Undefined as soon as the agent is found to be away by another question, where this one is not waited for then. */
  async #orAway<T>(answer: Promise<T>, goesByOld: () => boolean): Promise<T | undefined> {
    let tell = () => {};
    const away = new Promise<undefined>((resolve) => {
      tell = () => {
        if (goesByOld()) resolve(undefined);
      };
    });
    this.#toldWhenAway.add(tell);
    return await Promise.race([answer, away]).finally(() => this.#toldWhenAway.delete(tell));
  }

  #callerOf(uri: string): Caller {
    const caller = this.#callers.get(uri) ?? {
      ...{ uri, verdict: undefined, decidedAt: 0, heard: NOTHING_ABOUT },
      ...{ asking: undefined, failures: 0, notBefore: 0 },
    };
    // The one that calls stays longest.
    this.#callers.delete(uri);
    this.#callers.set(uri, caller);
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > MAX_CALLERS && oldest !== undefined) this.#callers.delete(oldest);
    return caller;
  }

  /** Undefined where there is no answer. One question about a caller at a time, unless the intentions changed. */
  #asked(caller: Caller): Promise<Verdict | undefined> {
    const { asking, uri } = caller;
    if (asking !== undefined && (asking.look ?? this.#look) >= this.#changedAt)
      return asking.answer;
    if (this.#options.agent.clock.monotonic() < caller.notBefore) return NO_ANSWER;
    const now: Asking = { look: undefined, answer: NO_ANSWER, hurry: () => undefined };
    caller.asking = now;
    const over = () => {
      if (caller.asking === now) caller.asking = undefined;
      return now.look ?? this.#look;
    };
    const begun = () => {
      now.look = this.#look;
    };
    const { result, hurry } = this.#ask(uri, begun);
    now.hurry = hurry;
    now.answer = result.then(
      (verdict) => {
        this.#answered(caller, over(), verdict);
        return verdict;
      },
      (error: unknown) => {
        this.#failed(caller, over(), error);
        return undefined;
      },
    );
    return now.answer;
  }

  #answered(caller: Caller, look: number, verdict: Verdict): void {
    this.#tellUnclear(verdict);
    caller.failures = 0;
    // An answer to what was asked before the intentions changed is none.
    if (look >= this.#changedAt && look >= caller.decidedAt) {
      caller.verdict = verdict;
      caller.decidedAt = look;
      caller.heard = this.#heard.about(caller.uri);
    }
    this.#failures = 0;
    this.#isThere();
  }

  #failed(caller: Caller, look: number, error: unknown): void {
    if (look < this.#changedAt) return;
    const { agent, logger } = this.#options;
    const now = agent.clock.monotonic();
    caller.notBefore = now + retryMs(++caller.failures, agent.random);
    const { level, isToSay, tries } = lossOf(error, ++this.#failures);
    this.#learnFrom(error, caller);
    if (!isToSay) return;
    const line = 'sidecar: the agent does not say who may call';
    logger[level](line, { caller: caller.uri, tries, error: describeChain(error) });
  }

  /** Whether the agent is away. */
  #learnFrom(error: unknown, caller: Caller): void {
    const code = error instanceof ProconsulError ? error.code : undefined;
    if (error instanceof NoTurn) {
      // Whoever was to ask whether it is back has not asked.
      if (this.#isAway) this.#asksWhetherBack(caller);
      return;
    }
    // An agent that refuses answers, and so it is there: anybody could take all of its room, or ask what makes no sense,
    // and have who is denied let in.
    if (code === 'busy' || code === 'invalid') this.#isThere(caller);
    else this.#asksWhetherBack(caller);
  }

  #asksWhetherBack(caller: Caller): void {
    const { clock, random } = this.#options.agent;
    this.#isAway = true;
    for (const tell of [...this.#toldWhenAway]) tell();
    this.#cancelProbe();
    if (this.#isOver) return;
    this.#cancelProbe = clock.after(retryMs(this.#failures, random), () => {
      caller.notBefore = 0;
      void this.#asked(caller);
    });
  }

  /** Where it was away, what was decided before a change counts no more, of anybody; whom it has just refused waits. */
  #isThere(refused?: Caller): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#cancelProbe();
    this.#askAgain(refused);
    for (const listener of this.#listeners) listener();
  }

  #askAgain(but?: Caller): void {
    for (const caller of this.#callers.values()) if (caller !== but) caller.notBefore = 0;
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
      this.#lookAgain();
      this.#reviewLater(signal);
    });
    signal.addEventListener('abort', cancel, { once: true });
  }

  /** The agent is there, and somebody takes all of its room, or more: who is denied by now would stay in for as long. */
  #mayHaveChanged(error: string): void {
    const line =
      'sidecar: the agent is there and does not say which intentions there are: whom it does not answer about is let in no more';
    this.#options.logger.warn(line, { service: this.#options.service, error });
    this.#changed();
  }

  #changed(): void {
    this.#isAway = false;
    this.#cancelProbe();
    this.#askAgain();
    this.#changedAt = this.#look + 1;
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#look++;
    for (const listener of this.#listeners) listener();
  }

  /** It has so long for its turn, and as long again for its answer. */
  #ask(uri: string, begun: () => void): InTurn<Verdict> {
    const { agent, service: Target } = this.#options;
    const json = { Target, ClientCertURI: uri, ClientCertSerial: '' };
    const body = { method: 'POST', json } as const;
    const asked = { path: '/v1/agent/connect/authorize', query: [], body };
    const work = async () => {
      begun();
      const answering = this.#patience();
      return await agent.ask(asked, answering.signal).finally(answering.cancel);
    };
    const waiting = this.#patience();
    const { result, hurry } = this.#turnstile.run(() => {
      waiting.cancel();
      return work();
    }, waiting.signal);
    return { result: result.then((answer) => this.#verdicts.in(answer.json)), hurry };
  }

  #patience(): { readonly signal: AbortSignal; readonly cancel: () => void } {
    const patience = new AbortController();
    const cancel = this.#options.agent.clock.after(ASK_MS, () => patience.abort());
    return { signal: patience.signal, cancel };
  }
}
