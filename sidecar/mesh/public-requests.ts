/** Requests of callers of the mesh to the program behind this proxy: each is judged by itself. */
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { AccessLine } from '../access-log.ts';
import type { Buffers } from '../http/buffers.ts';
import { HttpCallers } from '../http/callers.ts';
import { Exchange } from '../http/exchange.ts';
import type { ExchangeRules } from '../http/exchange-parts.ts';
import { without } from '../http/fields.ts';
import type { Head } from '../http/head.ts';
import type { Incoming } from '../http/incoming.ts';
import { BUSY, DENIED, type LocalAnswer, UNCLEAR } from '../http/local-answers.ts';
import { likeName } from '../http/matching.ts';
import type { Identity } from './identity.ts';
import { JudgingBudget } from './judging-budget.ts';
import type { Permissions } from './permissions.ts';
import type { Program } from './program.ts';

export interface PublicRequestsOptions {
  readonly program: Program;
  readonly service: string;
  readonly identity: Pick<Identity, 'uriOf'>;
  readonly permissions: Pick<Permissions, 'verdictOn' | 'verdictAnew'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: ExchangeRules;
  readonly buffers: Buffers;
  readonly log: ((line: AccessLine) => void) | undefined;
}

const ANSWERS = { denied: DENIED, unclear: UNCLEAR, 'too much': BUSY } as const;

interface UnderWay {
  readonly who: string;
  /** As it went on; undefined before it may. */
  head: Head | undefined;
}

/** As Envoy has it. Of whoever says it himself nobody knows whether it is true. */
const CALLER = 'x-forwarded-client-cert';
const isCaller = likeName(CALLER);

export class PublicRequests {
  readonly #options: PublicRequestsOptions;
  readonly #callers: HttpCallers;
  readonly #budget: JudgingBudget;
  readonly #underWay = new Map<Exchange, UnderWay>();
  /** Requests that may not, and those that a change of the intentions ended. */
  denied = 0;
  cut = 0;

  constructor(options: PublicRequestsOptions) {
    this.#options = options;
    const { clock, rules, buffers } = options;
    this.#budget = new JudgingBudget(clock);
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
    for (const [exchange, { who: whose, head }] of this.#underWay) {
      if (whose !== who || head === undefined) continue;
      const permitted = verdict.permitted(head);
      // What went on by a path that would be written otherwise by now was judged by no rule for paths.
      if (typeof permitted !== 'string' && permitted.path === head.path) continue;
      this.cut++;
      exchange.cut();
    }
    return true;
  }

  #serve(incoming: Incoming): void {
    const { program: upstream, clock, random, rules, log } = this.#options;
    const underWay: UnderWay = { who: incoming.who, head: undefined };
    const permits = async () => {
      const permit = await this.#permits(incoming);
      if (!('status' in permit)) underWay.head = permit;
      return permit;
    };
    const over = () => void this.#underWay.delete(exchange);
    const parts = { upstream, permits, over, clock, random, rules, log };
    const exchange = new Exchange(incoming, parts);
    this.#underWay.set(exchange, underWay);
    exchange.start();
  }

  async #permits({ who, head }: Incoming): Promise<Head | LocalAnswer> {
    const verdict = await this.#options.permissions.verdictOn(who);
    if (verdict === true) return head;
    const permitted = verdict === false ? 'denied' : this.#budget.judged(who, verdict, head);
    if (typeof permitted !== 'string') return permitted;
    this.denied++;
    return ANSWERS[permitted];
  }

  #named(head: Head, who: string): Head {
    const { identity, service } = this.#options;
    const said = `By=${identity.uriOf(service, '')};URI=${who}`;
    const forged = head.fields.filter((name, i) => i % 2 === 0 && isCaller(name));
    return { ...head, fields: [...without(head.fields, new Set(forged)), CALLER, said] };
  }
}
