/** /v1/query: prepared queries. */
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { changes, shows } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param, READING } from '../../../lib/http/takes.ts';
import { canonicalId, idComplaint } from '../../../lib/ids.ts';
import * as queries from '../../query/prepared.ts';
import {
  type AccessDeps,
  type PlaceDeps,
  type ReadDeps,
  type WriteDeps,
  writeAs,
} from '../deps.ts';
import { queryBody, toQuery } from '../query-body.ts';
import { execute, explain } from '../query-execution.ts';
import { readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & AccessDeps & PlaceDeps;

const EXECUTE = 'execute';
const EXPLAIN = 'explain';
export function preparedQueryRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/query',
      body: queryBody,
      right: changes('query:write'),
      does: 'makes a prepared query',
      handle: (request) => create(deps, request),
    },
    readRoute(deps, {
      path: '/v1/query',
      right: 'query:read',
      does: 'lists the prepared queries',
      saysConsistency: true,
      query: () => queries.preparedQueries(),
    }),
    reads(deps),
    {
      method: 'PUT',
      path: '/v1/query/',
      rest: 'id',
      body: queryBody,
      right: changes('query:write'),
      does: 'replaces a prepared query',
      handle: (request) => onlyReads(request) ?? update(deps, request),
    },
    {
      method: 'DELETE',
      path: '/v1/query/',
      rest: 'id',
      right: changes('query:write'),
      does: 'removes a prepared query',
      handle: (request) => onlyReads(request) ?? remove(deps, request),
    },
  ];
}

/** A name may hold anything, so the verb is what stands last in the path. */
function verbOf(rest: string): { verb: string; name: string } {
  const slash = rest.lastIndexOf('/');
  const verb = rest.slice(slash + 1);
  if (verb !== EXECUTE && verb !== EXPLAIN) return { verb: '', name: rest };
  // Without a name the verb is one.
  return { verb, name: slash < 0 ? verb : rest.slice(0, slash) };
}

function reads(deps: Deps): Route {
  const said = {
    path: '/v1/query/',
    rest: 'id',
    answers: { 404: 'there is no such query' },
    ends: { [EXECUTE]: 'runs a prepared query', [EXPLAIN]: 'says which query would be run' },
    params: {
      near: param.text('with /execute: nearest first, as seen from this node'),
      limit: param.number('with /execute: so many instances at most'),
      connect: param.boolean('with /execute: those that speak for the service in the mesh'),
    },
    does: 'shows a prepared query; with /execute runs it, with /explain says what it would run',
  };
  const shown = readRoute(deps, {
    ...said,
    right: 'query:read',
    saysConsistency: true,
    query: ({ rest }) => queries.preparedQuery(queryId(rest, '')),
  });
  // Not a ReadRoute: what it runs is shuffled, so that no answer may be given twice.
  return {
    ...said,
    params: { ...said.params, ...READING },
    method: 'GET',
    right: shows('query:read'),
    indexedErrors: true,
    handle: (request) => {
      const { verb, name } = verbOf(request.rest);
      if (verb === EXECUTE) return execute(deps, request, name);
      if (verb === EXPLAIN) return explain(deps, request, name);
      return shown.handle(request);
    },
  };
}

function onlyReads({ rest, method }: HttpRequest): Reply | undefined {
  if (verbOf(rest).verb === '') return undefined;
  // Without OPTIONS: the path takes other methods, and it is what stands last in it that does not.
  const headers = { Allow: 'GET' };
  return { status: 405, text: `method ${method} not allowed`, headers };
}

/** `doing` stands before the complaint, for Consul complains of reads and writes in two ways. */
function queryId(rest: string, doing: string): string {
  const complaint = idComplaint(rest);
  if (complaint === undefined) return canonicalId(rest);
  throw new ProconsulError(
    'rejected',
    `${doing}failed prepared query lookup: index error: ${complaint}`,
  );
}

const WRITING = 'Prepared Query lookup failed: ';

async function create(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(queryBody);
  if (body.ID !== '') {
    throw new ProconsulError('rejected', 'ID must be empty when creating a new prepared query');
  }
  const query = toQuery(body, deps.random.uuid());
  await writeAs(request, deps, { type: 'set-query', query, update: false });
  return { json: { ID: query.ID } };
}

async function update(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(queryBody);
  const query = toQuery(body, queryId(request.rest, WRITING));
  await writeAs(request, deps, { type: 'set-query', query, update: true });
  return {};
}

async function remove(deps: Deps, request: HttpRequest): Promise<Reply> {
  await writeAs(request, deps, { type: 'delete-query', id: queryId(request.rest, WRITING) });
  return {};
}
