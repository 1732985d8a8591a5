/** Requests of callers of the mesh to the program behind this proxy: each is judged by itself. */
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { AccessLine } from '../access-log.ts';
import type { Buffers } from '../http/buffers.ts';
import { HttpCallers } from '../http/callers.ts';
import { Exchange } from '../http/exchange.ts';
import type { ExchangeRules } from '../http/exchange-parts.ts';
import { without } from '../http/fields.ts';
import type { Head, Unclear } from '../http/head.ts';
import { likeName } from '../http/header-readings.ts';
import type { Incoming } from '../http/incoming.ts';
import { BUSY, DENIED, type LocalAnswer, OVERFLOW, UNCLEAR } from '../http/local-answers.ts';
import type { Identity } from './identity.ts';
import { JudgingBudget } from './judging-budget.ts';
import type { Permissions } from './permissions.ts';
import type { Program } from './program.ts';
import { Shares } from './shares.ts';
import type { PermissionList, Verdict } from './verdict.ts';

export interface PublicRequestsOptions {
  readonly program: Program;
  readonly service: string;
  readonly identity: Pick<Identity, 'uriOf' | 'normal'>;
  readonly permissions: Pick<Permissions, 'verdictOn' | 'verdictAnew'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: ExchangeRules;
  /** Under way at once. */
  readonly maxRequests: number;
  readonly buffers: Buffers;
  readonly log: ((line: AccessLine) => void) | undefined;
}

const ANSWERS = { denied: DENIED, unclear: UNCLEAR, 'too much': BUSY } as const;

interface UnderWay {
  readonly who: string;
  /** As it went on; undefined before it may. */
  head: Head | undefined;
  /** By which it may. */
  verdict: Verdict;
  /** Gives its place back; undefined where it has none. */
  give: (() => void) | undefined;
  isOver: boolean;
}

/** As Envoy has it. Of whoever says it himself nobody knows whether it is true. */
const CALLER = 'x-forwarded-client-cert';
const isCaller = likeName(CALLER);

export class PublicRequests {
  readonly #options: PublicRequestsOptions;
  readonly #callers: HttpCallers;
  readonly #budget: JudgingBudget;
  /** Of requests. */
  readonly #places: Shares;
  readonly #underWay = new Map<Exchange, UnderWay>();
  /** Requests that may not, and those that a change of the intentions ended. */
  denied = 0;
  cut = 0;

  constructor(options: PublicRequestsOptions) {
    this.#options = options;
    const { clock, rules, buffers } = options;
    this.#budget = new JudgingBudget(clock);
    this.#places = new Shares(options.maxRequests);
    this.#callers = new HttpCallers({
      serve: (incoming) => this.#serve(incoming),
      admitted: (head, who) => this.#named(head, who),
      ...{ clock, buffers, idleMs: rules.idleMs, streamIdleMs: rules.streamIdleMs },
    });
  }

  get program(): Program {
    return this.#options.program;
  }

  accept(...[socket, who]: Parameters<HttpCallers['accept']>): void {
    this.#callers.accept(socket, who);
  }

  end(): void {
    this.#callers.end();
  }

  /** Those of a caller that may not any more are cut, whatever is under way. Whether any of them may be. */
  async judge(who: string): Promise<boolean> {
    const verdict = await this.#options.permissions.verdictAnew(who);
    if (typeof verdict === 'boolean') return verdict;
    for (const [exchange, underWay] of this.#underWay) {
      if (underWay.who !== who || this.#stays(underWay, verdict)) continue;
      this.cut++;
      exchange.cut();
    }
    return true;
  }

  #stays(underWay: UnderWay, verdict: PermissionList): boolean {
    const { who, head, verdict: before } = underWay;
    // What nobody has changed says the same of it.
    if (head === undefined || before === verdict) return true;
    const permitted = this.#budget.judged(who, verdict, head);
    // What went on by a path that would be written otherwise by now was judged by no rule for paths.
    if (typeof permitted === 'string' || permitted.path !== head.path) return false;
    underWay.verdict = verdict;
    return true;
  }

  #serve(incoming: Incoming): void {
    const { program: upstream, clock, random, rules, log } = this.#options;
    const { who } = incoming;
    const underWay: UnderWay = {
      ...{ who, head: undefined, verdict: false, give: undefined, isOver: false },
    };
    const permits = () => this.#permits(incoming, underWay);
    const over = () => {
      this.#underWay.delete(exchange);
      underWay.isOver = true;
      underWay.give?.();
    };
    const parts = { upstream, permits, over, clock, random, rules, log };
    const exchange = new Exchange(incoming, parts);
    this.#underWay.set(exchange, underWay);
    exchange.start();
  }

  async #permits({ who, head }: Incoming, underWay: UnderWay): Promise<Head | LocalAnswer> {
    const verdict = await this.#options.permissions.verdictOn(who);
    const permitted = this.#judged(who, verdict, head);
    if (typeof permitted === 'string') {
      this.denied++;
      return ANSWERS[permitted];
    }
    // Who has gone meanwhile needs none.
    const give = underWay.isOver ? undefined : this.#places.take(who);
    if (give === undefined) return OVERFLOW;
    Object.assign(underWay, { head: permitted, verdict, give });
    return permitted;
  }

  #judged(who: string, verdict: Verdict, head: Head) {
    if (typeof verdict !== 'boolean') return this.#budget.judged(who, verdict, head);
    return verdict ? head : 'denied';
  }

  #named(said: Head, who: string): Head | Unclear {
    const { identity, service } = this.#options;
    const head = identity.normal(said);
    if (head === 'unclear') return head;
    const caller = `By=${identity.uriOf(service, '')};URI=${who}`;
    const forged = head.fields.filter((name, i) => i % 2 === 0 && isCaller(name));
    return { ...head, fields: [...without(head.fields, new Set(forged)), CALLER, caller] };
  }
}
