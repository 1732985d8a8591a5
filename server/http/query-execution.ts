/** Running prepared queries: what they find is shuffled, so that no answer may be given twice. */

import { keptBackHeader } from '../../lib/acl/kept-back.ts';
import type { Caller } from '../../lib/acl/rights.ts';
import { ORDERED_HEADER } from '../../lib/dns-lookups.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { boolComplaint, integerComplaint, parseBool } from '../../lib/go-literals.ts';
import type { Params } from '../../lib/http/params.ts';
import type { Reply } from '../../lib/http/reply.ts';
import type { HttpRequest } from '../../lib/http/route.ts';
import { Rows } from '../../lib/json-bytes.ts';
import type { PreparedQuery } from '../../lib/model.ts';
import { nilIfEmpty, shown } from '../query/catalog.ts';
import { bytesOf } from '../query/health.ts';
import { joined } from '../query/listed.ts';
import * as queries from '../query/prepared.ts';
import { Reader } from '../query/reader.ts';
import {
  type AccessDeps,
  askingNode,
  type PlaceDeps,
  type ReadDeps,
  readFor,
  type StateDeps,
} from './deps.ts';
import { demandOf } from './reads.ts';

type Deps = ReadDeps & StateDeps & AccessDeps & PlaceDeps;

/** Runs the query that an id or a name means. */
export async function execute(deps: Deps, request: HttpRequest, name: string): Promise<Reply> {
  const { params } = request;
  const execution = {
    asking: askingNode(deps, request),
    near: params.get('near'),
    limit: limitOf(params),
    connect: connectOf(params),
  };
  const query = () => queries.queryToRun(new Reader(deps.state(), request.caller.rights), name);
  return await evaluated(deps, request, async () => {
    for (;;) {
      const { Token } = query();
      // It finds what its own token may see, where it has one.
      const own = Token === '' ? undefined : await deps.access.callerOf(Token);
      const found = await deps.answers.inRoom(request, () => {
        const now = query();
        // It may be another by the time that its turn comes, or its token may be none any more.
        const isSame = now.Token === Token && own?.stands() !== false;
        return isSame ? executed(deps, request, { query: now, own, execution }) : undefined;
      });
      if (found !== undefined) return found;
    }
  });
}

interface Executing {
  readonly query: PreparedQuery;
  /** As whom, where it has a token of its own. */
  readonly own: Caller | undefined;
  readonly execution: queries.Execution;
}

function executed(deps: Deps, request: HttpRequest, executing: Executing): Evaluated {
  const { query, own = request.caller, execution } = executing;
  const reader = new Reader(deps.state(), own.rights);
  const found = queries.execute(reader, query, execution, deps.random);
  const bytes = found.reduce((sum, { checks }) => sum + bytesOf(checks.own), 0);
  const json = {
    Service: query.Service.Service,
    Nodes: Rows.of(found, asGoHasIt, bytes),
    DNS: query.DNS,
    Datacenter: deps.datacenter,
    // Other data centres are not known here.
    Failovers: 0,
  };
  const ordered = execution.near !== '' || query.Service.Near !== '';
  const headers = {
    ...(ordered ? { [ORDERED_HEADER]: 'true' } : {}),
    ...(request.params.has('cached') ? { 'X-Cache': 'MISS' } : {}),
    ...keptBackHeader(reader.hasHidden, request.caller),
  };
  return { json, headers };
}

/** Elsewhere Consul turns missing lists into empty ones; here it does not. */
function asGoHasIt({ node, instance, checks: both }: queries.FoundInstance) {
  const checks = joined(both).map((c) => ({ ...c, ServiceTags: nilIfEmpty(c.ServiceTags) }));
  return {
    Node: node,
    Service: { ...shown(instance), Tags: nilIfEmpty(instance.Tags) },
    Checks: nilIfEmpty(checks),
  };
}

/** Says which query would be run. */
export function explain(deps: Deps, request: HttpRequest, name: string): Promise<Reply> {
  return evaluated(deps, request, () => ({
    json: { Query: queries.queryToShow(new Reader(deps.state(), request.caller.rights), name) },
    headers: {},
  }));
}

interface Evaluated {
  readonly json: object;
  readonly headers: Record<string, string>;
}

/** These two say in the body what others say in headers, and their index says nothing. */
async function evaluated(
  deps: Deps,
  request: HttpRequest,
  evaluate: () => Evaluated | Promise<Evaluated>,
): Promise<Reply> {
  const { readiness } = deps;
  const consistency = readiness.consistency(demandOf(request.params));
  const found = await readFor(deps, request, consistency, evaluate);
  const { knownLeader } = readiness;
  const meta = {
    Index: 0,
    LastContact: readiness.ageMs(consistency),
    KnownLeader: knownLeader,
    ConsistencyLevel: consistency,
  };
  const headers = {
    'X-Consul-Index': '1',
    'X-Consul-Knownleader': String(knownLeader),
    'X-Consul-Lastcontact': String(meta.LastContact),
    'X-Consul-Effective-Consistency': consistency,
  };
  return { json: { ...found.json, ...meta }, headers: { ...headers, ...found.headers } };
}

function limitOf(params: Params): number {
  const sent = params.get('limit');
  if (sent === '') return 0;
  if (/^[+-]?\d+$/.test(sent)) return Number(sent);
  throw new ProconsulError('rejected', `Bad limit: ${integerComplaint(sent)}`);
}

function connectOf(params: Params): boolean {
  const sent = params.get('connect');
  const connect = sent === '' ? false : parseBool(sent);
  if (connect !== undefined) return connect;
  throw new ProconsulError('rejected', `Error parsing 'connect' value: ${boolComplaint(sent)}`);
}
