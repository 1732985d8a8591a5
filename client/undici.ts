/** What a program imports as `proconsul/balance/undici`: a dispatcher of undici over a service's instances. */
import { Agent, type Dispatcher } from 'undici';
import { systemClock } from '../lib/clock.ts';
import { Exchange, type ExchangeRules } from './exchange.ts';
import type { ServiceBalancer } from './service-balancer.ts';
import type { CallOptions } from './tries.ts';

export interface BalancedOptions {
  /** Answers after which another instance is asked, where the request may be repeated; 502, 503 and 504. */
  readonly statuses?: readonly number[];
  /** Which instances a request may go to, and by what key one of them is chosen; any. */
  readonly call?: (request: Dispatcher.DispatchOptions) => CallOptions;
  /** Of undici's agent, which keeps the connections. */
  readonly agent?: Agent.Options;
}

const STATUSES = [502, 503, 504];

/**
 * Sends each request to the instance that the balancer chooses, whatever host its URL names; the rest of the
 * URL stays as it is. To close it closes its connections, and not the balancer.
 */
export function balancedDispatcher(
  balancer: ServiceBalancer,
  { statuses = STATUSES, call = () => ({}), agent }: BalancedOptions = {},
): Dispatcher {
  const now = () => systemClock.monotonic();
  const rules: ExchangeRules = { statuses: new Set(statuses), call, now };
  return new Agent(agent).compose((send) => (options, handler) => {
    new Exchange({ options, handler, send, rules }).begin(balancer);
    return true;
  });
}
