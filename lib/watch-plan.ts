/** What each type of watch looks at: of the command `watch`, and of `watches` in a configuration. */
import { ProconsulError } from './errors.ts';

/** An answer of an agent, as far as watches look at it. */
export interface Seen {
  readonly status: number;
  readonly index: string;
  readonly json: unknown;
}

export interface WatchPlan {
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  /**
   * What is shown of an answer, called for each in turn: of events, those that were not in the one before,
   * and undefined where there is no other.
   */
  readonly view: (answer: Seen) => unknown;
}

/** What a watch was given beside its type, by name. */
export interface WatchParams {
  /** The names of all that were given. */
  readonly given: readonly string[];
  text(name: string): string;
  isSet(name: string): boolean;
  all(name: string): readonly string[];
}

interface Type {
  readonly takes: readonly string[];
  plan(params: WatchParams): WatchPlan;
}

const whole = (answer: Seen) => (answer.status === 404 ? null : answer.json);
const first = (answer: Seen) =>
  answer.status === 404 ? null : ((answer.json as readonly unknown[])[0] ?? null);

const TYPES: ReadonlyMap<string, Type> = new Map<string, Type>([
  [
    'key',
    {
      takes: ['key'],
      plan: (given) => ({ path: `/v1/kv/${keyPath(one(given, 'key'))}`, query: [], view: first }),
    },
  ],
  [
    'keyprefix',
    {
      takes: ['prefix'],
      plan: (given) => ({
        path: `/v1/kv/${keyPath(one(given, 'prefix'))}`,
        query: [['recurse', '']],
        view: whole,
      }),
    },
  ],
  ['services', listed('/v1/catalog/services')],
  ['nodes', listed('/v1/catalog/nodes')],
  ['service', { takes: ['service', 'tag', 'passingonly'], plan: servicePlan }],
  ['checks', { takes: ['service', 'state'], plan: checksPlan }],
  [
    'event',
    {
      takes: ['name'],
      plan: (given) => ({
        path: '/v1/event/list',
        query: given.text('name') === '' ? [] : [['name', given.text('name')]],
        view: newEvents(),
      }),
    },
  ],
]);

/** Throws ProconsulError 'invalid', in Consul's words, for a type or a parameter that makes no sense. */
export function watchPlan(type: string, params: WatchParams): WatchPlan {
  if (type === '') throw new ProconsulError('invalid', 'Watch type must be specified');
  const known = TYPES.get(type);
  if (known === undefined) throw new ProconsulError('invalid', `Unsupported watch type: ${type}`);
  const plan = known.plan(params);
  const strange = params.given.filter((name) => !known.takes.includes(name)).sort();
  if (strange.length === 0) return plan;
  throw new ProconsulError('invalid', `Invalid parameters: [${strange.join(' ')}]`);
}

function listed(path: string): Type {
  return { takes: [], plan: () => ({ path, query: [], view: whole }) };
}

function servicePlan(given: WatchParams): WatchPlan {
  const name = encodeURIComponent(one(given, 'service'));
  const passing = given.isSet('passingonly') ? [['passing', '1'] as const] : [];
  const tags = given.all('tag').map((tag) => ['tag', tag] as const);
  return { path: `/v1/health/service/${name}`, query: [...passing, ...tags], view: whole };
}

function checksPlan(given: WatchParams): WatchPlan {
  const [service, state] = [given.text('service'), given.text('state')];
  if (service !== '' && state !== '') {
    throw new ProconsulError('invalid', 'Cannot specify service and state');
  }
  const of = service === '' ? ['state', state || 'any'] : ['checks', service];
  const path = `/v1/health/${of.map(encodeURIComponent).join('/')}`;
  return { path, query: [], view: whole };
}

/** The index of events is made of the last one's id: it moves with each, and often goes back. */
function newEvents(): WatchPlan['view'] {
  let known: ReadonlySet<unknown> | undefined;
  return ({ json }) => {
    const events = json as readonly { readonly ID?: unknown }[];
    const before = known;
    known = new Set(events.map(({ ID }) => ID));
    if (before === undefined) return events;
    const others = events.filter(({ ID }) => !before.has(ID));
    return others.length === 0 ? undefined : others;
  };
}

function one(given: WatchParams, name: string): string {
  const value = given.text(name);
  if (value === '') throw new ProconsulError('invalid', `Must specify a single ${name} to watch`);
  return value;
}

/** Each part encoded, the slashes between them kept. */
function keyPath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
