/** What each type of `watch` looks at. */
import { ProconsulError } from '../lib/errors.ts';
import { type ApiAnswer, encodePath } from './api-client.ts';
import type { FlagValues } from './flag-values.ts';

type QueryParams = readonly (readonly [string, string])[];

export interface WatchPlan {
  readonly path: string;
  readonly query: QueryParams;
  /** What is shown of an answer. */
  readonly view: (answer: ApiAnswer) => unknown;
}

type PlanOf = (flags: FlagValues) => WatchPlan;

const whole = (answer: ApiAnswer) => (answer.status === 404 ? null : answer.json);
const first = (answer: ApiAnswer) =>
  answer.status === 404 ? null : ((answer.json as readonly unknown[])[0] ?? null);

const PLANS: ReadonlyMap<string, PlanOf> = new Map<string, PlanOf>([
  ['key', (flags) => ({ path: `/v1/kv/${encodePath(one(flags, 'key'))}`, query: [], view: first })],
  [
    'keyprefix',
    (flags) => ({
      path: `/v1/kv/${encodePath(one(flags, 'prefix'))}`,
      query: [['recurse', '']],
      view: whole,
    }),
  ],
  ['services', () => ({ path: '/v1/catalog/services', query: [], view: whole })],
  ['nodes', () => ({ path: '/v1/catalog/nodes', query: [], view: whole })],
  ['service', servicePlan],
  ['checks', checksPlan],
  [
    'event',
    (flags) => ({ path: '/v1/event/list', query: named(flags, 'name', 'name'), view: whole }),
  ],
]);

/** Throws ProconsulError 'invalid' for a type or a parameter that makes no sense. */
export function watchPlan(type: string, flags: FlagValues): WatchPlan {
  const plan = PLANS.get(type);
  if (plan === undefined) throw new ProconsulError('invalid', `Unsupported watch type: ${type}`);
  return plan(flags);
}

function servicePlan(flags: FlagValues): WatchPlan {
  const name = encodeURIComponent(one(flags, 'service'));
  const passing = flags.isSet('passingonly') ? [['passing', '1'] as const] : [];
  const tags = flags.all('tag').map((tag) => ['tag', tag] as const);
  return { path: `/v1/health/service/${name}`, query: [...passing, ...tags], view: whole };
}

function checksPlan(flags: FlagValues): WatchPlan {
  const [service, state] = [flags.text('service'), flags.text('state')];
  if (service !== '' && state !== '') {
    throw new ProconsulError('invalid', 'Cannot specify service and state');
  }
  const of = service === '' ? ['state', state || 'any'] : ['checks', service];
  return { path: `/v1/health/${encodePath(of.join('/'))}`, query: [], view: whole };
}

function one(flags: FlagValues, name: string): string {
  const value = flags.text(name);
  if (value === '') throw new ProconsulError('invalid', `Must specify a single ${name} to watch`);
  return value;
}

function named(flags: FlagValues, flag: string, param: string): QueryParams {
  return flags.text(flag) === '' ? [] : [[param, flags.text(flag)]];
}
