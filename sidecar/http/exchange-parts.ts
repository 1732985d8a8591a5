/** What an exchange stands on. */
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { AccessLine } from '../access-log.ts';
import type { Upstream } from '../upstream.ts';
import type { Head } from './head.ts';
import type { LocalAnswer } from './local-answers.ts';

export interface ExchangeRules {
  /** Hosts that are tried for a request that nobody has seen. */
  readonly tries: number;
  /** How long a request waits for the first answer of the agent. */
  readonly patienceMs: number;
  readonly idleMs: number;
  /** Of a request on which nothing moves, where its route does not say; 0 for ever. */
  readonly streamIdleMs: number;
}

/** Who is called: a service by its chain, or a program. */
export type Called = Pick<
  Upstream,
  | 'name'
  | 'counts'
  | 'circuit'
  | 'budget'
  | 'hedging'
  | 'isKnown'
  | 'untilKnown'
  | 'routing'
  | 'choose'
  | 'hashingOf'
  | 'answered'
>;

export interface ExchangeParts {
  readonly upstream: Called;
  /** The request as it may go on, or what is answered instead; undefined where everybody may. Never rejects. */
  readonly permits?: () => Promise<Head | LocalAnswer>;
  /** Told once. */
  readonly over?: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: ExchangeRules;
  /** Undefined where nobody reads it. */
  readonly log: ((line: AccessLine) => void) | undefined;
}
