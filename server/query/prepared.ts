/** Queries of /v1/query, and running a prepared query, which DNS does as well. */
import { ProconsulError } from '../../lib/errors.ts';
import { type Instance, lookUp, type PreparedQuery, type StringMap } from '../../lib/model.ts';
import type { Random } from '../../lib/random.ts';
import type { State } from '../state/state.ts';
import { QUERIES, queryTopic } from '../state/topic-names.ts';
import { shown } from './catalog.ts';
import { checksFor } from './health.ts';
import { orderByDistance } from './order.ts';
import { keyOf, type Query } from './query.ts';
import { fillIn } from './query-template.ts';

export function preparedQuery(id: string): Query {
  return {
    key: keyOf('query', id),
    topics: [queryTopic(id)],
    run: (state) => {
      const row = state.queries.get(id);
      if (row === undefined) throw notFound();
      return { json: [row] };
    },
  };
}

export function preparedQueries(): Query {
  return {
    key: keyOf('queries'),
    topics: [QUERIES],
    run: (state) => ({
      json: [...state.queries.table.values()].sort((a, b) => (a.ID < b.ID ? -1 : 1)),
    }),
  };
}

function notFound(): ProconsulError {
  return new ProconsulError('not-found', 'Query not found');
}

/** The query that an id or a name means, filled in for that name. Throws 'not-found'. */
export function resolveQuery(state: State, idOrName: string): PreparedQuery {
  const query = state.queries.resolve(idOrName);
  if (query === undefined) throw notFound();
  return fillIn(query, idOrName);
}

export interface Execution {
  /** The node that asks: what `_agent` means. */
  readonly asking: string;
  /** Instead of the query's own; '' for that. */
  readonly near: string;
  /** 0 for all. */
  readonly limit: number;
  readonly connect: boolean;
}

/** Runs a query that is filled in: the instances, shuffled, those that are near first. */
export function execute(
  state: State,
  { Service }: PreparedQuery,
  { asking, near, limit, connect }: Execution,
  random: Random,
) {
  const from = near === '' ? Service.Near : near;
  const node = from === '_agent' ? asking : from;
  const chosen = shuffle(matching(state, Service, connect), random);
  const ordered = orderByDistance(state, node, chosen);
  // What is on the node itself is nearer than anything, whatever the coordinates say.
  if (node !== '') ordered.sort((a, b) => Number(b.Node === node) - Number(a.Node === node));
  const instances = limit > 0 ? ordered.slice(0, limit) : ordered;
  return instances.map((instance) => ({
    Node: state.catalog.node(instance.Node),
    Service: shown(instance),
    Checks: checksFor(state, instance),
  }));
}

/** The instances that a query finds, in no order. */
export function matching(
  state: State,
  service: PreparedQuery['Service'],
  connect = false,
): Instance[] {
  const { catalog } = state;
  const { Service: name, NodeMeta, ServiceMeta } = service;
  const wanted = tagRules(service.Tags ?? []);
  const all = connect || service.Connect ? catalog.connectTo(name) : catalog.instancesOf(name);
  return [...all].filter(
    (instance) =>
      wanted.every((rule) => rule(instance)) &&
      holdsAll(catalog.node(instance.Node)?.Meta ?? null, NodeMeta) &&
      holdsAll(instance.Meta, ServiceMeta) &&
      isHealthy(state, instance, service),
  );
}

type Rule = (instance: Instance) => boolean;

function tagRules(tags: readonly string[]): Rule[] {
  return tags.map((tag) => {
    const unwanted = tag.startsWith('!');
    const folded = (unwanted ? tag.slice(1) : tag).toLowerCase();
    return ({ Tags }) => Tags.some((t) => t.toLowerCase() === folded) !== unwanted;
  });
}

function holdsAll(meta: StringMap | null, wanted: StringMap | null): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => lookUp(meta, key) === value);
}

function isHealthy(state: State, instance: Instance, service: PreparedQuery['Service']): boolean {
  return checksFor(state, instance).every(
    ({ CheckID, Status }) =>
      service.IgnoreCheckIDs?.includes(CheckID) === true ||
      (service.OnlyPassing ? Status === 'passing' : Status !== 'critical'),
  );
}

/** Fisher and Yates, in place. */
function shuffle<T>(list: T[], random: Random): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    const [a, b] = [list[i] as T, list[j] as T];
    list[i] = b;
    list[j] = a;
  }
  return list;
}
