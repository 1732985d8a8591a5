/** What a program imports as `proconsul/balance`. */
export type { Outcome } from '../lib/balance/balancer.ts';
export type { HedgeRules } from '../lib/balance/hedging.ts';
export type { OutlierRules } from '../lib/balance/outliers.ts';
export type { PolicyName } from '../lib/balance/policies.ts';
export type { RetryBudgetRules } from '../lib/balance/retry-budget.ts';
export { type ErrorCode, ProconsulError } from '../lib/errors.ts';
export type { AgentOptions } from './agent-api.ts';
export type { Attempt, RunOptions } from './calling.ts';
export {
  type BalancerOptions,
  type InstanceFigures,
  ServiceBalancer as Balancer,
} from './service-balancer.ts';
export type { CallOptions, Instance, Tries, Try } from './tries.ts';
