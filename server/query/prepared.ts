/** Queries of /v1/query, and running a prepared query, which DNS does as well. */
import { ProconsulError } from '../../lib/errors.ts';
import {
  type Check,
  type Instance,
  lookUp,
  type Node,
  type PreparedQuery,
  type StringMap,
} from '../../lib/model.ts';
import type { Random } from '../../lib/random.ts';
import { type Checked, forAllChecks, type InstanceChecks } from './listed.ts';
import { orderByDistance } from './order.ts';
import { keyOf, type Query } from './query.ts';
import { fillIn } from './query-template.ts';
import type { Reader } from './reader.ts';

export function preparedQuery(id: string): Query {
  return {
    key: keyOf('query', id),
    run: (reader) => {
      const row = reader.preparedQuery(id);
      if (row === undefined) throw notFound();
      return { json: [row] };
    },
  };
}

export function preparedQueries(): Query {
  return {
    key: keyOf('queries'),
    run: (reader) => ({
      json: reader.preparedQueries().sort((a, b) => (a.ID < b.ID ? -1 : 1)),
    }),
  };
}

function notFound(): ProconsulError {
  return new ProconsulError('not-found', 'Query not found');
}

/** The query that an id or a name means, filled in for that name. Throws 'not-found'. */
export function queryToRun(reader: Reader, idOrName: string): PreparedQuery {
  return filledIn(reader.queryToRun(idOrName), idOrName);
}

/** The same, for eyes. Throws a 403 where they may not see it. */
export function queryToShow(reader: Reader, idOrName: string): PreparedQuery {
  return filledIn(reader.queryToShow(idOrName), idOrName);
}

function filledIn(query: PreparedQuery | undefined, idOrName: string): PreparedQuery {
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
  reader: Reader,
  { Service }: PreparedQuery,
  { asking, near, limit, connect }: Execution,
  random: Random,
) {
  const from = near === '' ? Service.Near : near;
  const node = from === '_agent' ? asking : from;
  const health =
    connect || Service.Connect
      ? reader.mesh.connectTo(Service.Service)
      : reader.healthOf(Service.Service);
  const chosen = shuffle(matching(health, Service), random);
  const ordered = orderByDistance(reader, node, chosen);
  // What is on the node itself is nearer than anything, whatever the coordinates say.
  if (node !== '') ordered.sort((a, b) => Number(b.Node === node) - Number(a.Node === node));
  return limit > 0 ? ordered.slice(0, limit) : ordered;
}

/** An instance that a query has found. How it is shown is for whoever writes it. */
export interface FoundInstance {
  /** The name of its node. */
  readonly Node: string;
  readonly node: Node | undefined;
  readonly instance: Instance;
  readonly checks: InstanceChecks;
}

/** What a query finds, in no order; node by node, while what is the node's own is at hand. */
function matching(health: Checked, service: PreparedQuery['Service']): FoundInstance[] {
  const { NodeMeta, ServiceMeta } = service;
  const wanted = tagRules(service.Tags ?? []);
  const isHealthy = forAllChecks(healthRule(service));
  const found: FoundInstance[] = [];
  for (const instance of health.rows) {
    const node = health.nodeOf(instance);
    const isWanted =
      wanted.every((rule) => rule(instance)) &&
      holdsAll(node?.Meta ?? null, NodeMeta) &&
      holdsAll(instance.Meta, ServiceMeta);
    if (!isWanted) continue;
    const checks = health.checksOf(instance);
    if (isHealthy(checks)) found.push({ Node: instance.Node, node, instance, checks });
  }
  return found;
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

function healthRule(service: PreparedQuery['Service']): (check: Check) => boolean {
  return ({ CheckID, Status }) =>
    service.IgnoreCheckIDs?.includes(CheckID) === true ||
    (service.OnlyPassing ? Status === 'passing' : Status !== 'critical');
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
