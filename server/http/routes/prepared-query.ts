/** /v1/query: prepared queries. */
import { decoder } from '../../../lib/decode.ts';
import { ORDERED_HEADER } from '../../../lib/dns-lookups.ts';
import { parseDuration } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { MAX_JSON_BODY_BYTES } from '../../../lib/limits.ts';
import type { PreparedQuery, QueryService, StringMap } from '../../../lib/model.ts';
import { isUuid } from '../../../lib/random.ts';
import { nilIfEmpty } from '../../query/catalog.ts';
import * as queries from '../../query/prepared.ts';
import { checkTemplate } from '../../query/query-template.ts';
import { sortedMap } from '../bodies.ts';
import { askingNode, checkDatacenter, type ServerDeps, write } from '../deps.ts';
import { consistencyOf, readRoute, rejectedReply } from '../reads.ts';

const EXECUTE = 'execute';
const EXPLAIN = 'explain';
/** What Consul shows in place of a token, so that no one writes it back by mistake. */
const HIDDEN_TOKEN = '<hidden>';

export function preparedQueryRoutes(deps: ServerDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/query',
      right: 'query:write',
      does: 'makes a prepared query',
      handle: (request) => create(deps, request),
    },
    readRoute(deps, {
      path: '/v1/query',
      right: 'query:list',
      does: 'lists the prepared queries',
      saysConsistency: true,
      indexedErrors: true,
      query: () => queries.preparedQueries(),
    }),
    reads(deps),
    {
      method: 'PUT',
      path: '/v1/query/',
      right: 'query:write',
      does: 'replaces a prepared query',
      handle: (request) => onlyReads(request) ?? update(deps, request),
    },
    {
      method: 'DELETE',
      path: '/v1/query/',
      right: 'query:write',
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

function reads(deps: ServerDeps): Route {
  const shown = readRoute(deps, {
    path: '/v1/query/',
    right: 'query:read',
    does: 'shows a prepared query; with /execute runs it, with /explain says what it would run',
    saysConsistency: true,
    indexedErrors: true,
    query: ({ rest }) => queries.preparedQuery(queryId(rest, '')),
  });
  const { method, path, right, does } = shown;
  // Not a ReadRoute: what it runs is shuffled, so that no answer may be given twice.
  return {
    method,
    path,
    right,
    does,
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
  const headers = { Allow: 'GET,OPTIONS' };
  return { status: 405, text: `method ${method} not allowed`, headers };
}

/** `doing` stands before the complaint, for Consul complains of reads and writes in two ways. */
function queryId(rest: string, doing: string): string {
  if (isUuid(rest)) return rest.toLowerCase();
  const text = rest.length === 36 ? `Invalid UUID${byteComplaint(rest)}` : UUID_LENGTH;
  const complaint = `failed prepared query lookup: index error: ${text}`;
  throw new ProconsulError('rejected', `${doing}${complaint}`);
}

const UUID_LENGTH = 'UUID must be 36 characters';

/** What Go's hex decoder says of the first character that is no digit. */
function byteComplaint(id: string): string {
  const [bad] = /[^0-9a-f-]/i.exec(id) ?? [];
  if (bad === undefined) return '';
  const code = bad.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `: encoding/hex: invalid byte: U+${code} '${bad}'`;
}

const WRITING = 'Prepared Query lookup failed: ';

interface QueryBody {
  readonly ID: string;
  readonly Name: string;
  readonly Session: string;
  readonly Token: string;
  readonly Template: Partial<PreparedQuery['Template']>;
  readonly Service: Partial<Omit<QueryService, 'Failover'>> & {
    readonly Failover?: Partial<QueryService['Failover']>;
  };
  readonly DNS: { readonly TTL: string };
}

const text = { type: 'string', default: '' } as const;
const flag = { type: 'boolean' } as const;
const names = { type: 'array', items: { type: 'string' } } as const;
const map = { type: 'object', additionalProperties: { type: 'string' } } as const;

const queryBody = decoder<QueryBody>({
  type: 'object',
  properties: {
    ID: text,
    Name: text,
    Session: text,
    Token: text,
    Template: {
      type: 'object',
      default: {},
      properties: { Type: { type: 'string' }, Regexp: { type: 'string' }, RemoveEmptyTags: flag },
    },
    Service: {
      type: 'object',
      default: {},
      properties: {
        Service: { type: 'string' },
        Failover: {
          type: 'object',
          properties: { NearestN: { type: 'integer' }, Datacenters: names },
        },
        OnlyPassing: flag,
        IgnoreCheckIDs: names,
        Near: { type: 'string' },
        Tags: names,
        NodeMeta: map,
        ServiceMeta: map,
        Connect: flag,
      },
    },
    DNS: { type: 'object', default: {}, properties: { TTL: text } },
  },
});

async function create(deps: ServerDeps, request: HttpRequest): Promise<Reply> {
  checkDatacenter(deps, request.params.get('dc'));
  const body = queryBody(await request.body(MAX_JSON_BODY_BYTES));
  if (body.ID !== '') {
    throw new ProconsulError('rejected', 'ID must be empty when creating a new prepared query');
  }
  const query = toQuery(body, deps.random.uuid());
  await write(deps, { type: 'set-query', query, update: false });
  return { json: { ID: query.ID } };
}

async function update(deps: ServerDeps, request: HttpRequest): Promise<Reply> {
  checkDatacenter(deps, request.params.get('dc'));
  const id = queryId(request.rest, WRITING);
  const query = toQuery(queryBody(await request.body(MAX_JSON_BODY_BYTES)), id);
  await write(deps, { type: 'set-query', query, update: true });
  return {};
}

async function remove(deps: ServerDeps, { rest, params }: HttpRequest): Promise<Reply> {
  checkDatacenter(deps, params.get('dc'));
  await write(deps, { type: 'delete-query', id: queryId(rest, WRITING) });
  return {};
}

type Definition = Omit<PreparedQuery, 'CreateIndex' | 'ModifyIndex'>;

function toQuery(body: QueryBody, id: string): Definition {
  const { Template, Service } = body;
  const query: Definition = {
    ID: id,
    Name: body.Name,
    Session: body.Session,
    Token: body.Token,
    Template: {
      Type: Template.Type ?? '',
      Regexp: Template.Regexp ?? '',
      RemoveEmptyTags: Template.RemoveEmptyTags ?? false,
    },
    Service: {
      Service: Service.Service ?? '',
      Failover: {
        NearestN: Service.Failover?.NearestN ?? 0,
        Datacenters: Service.Failover?.Datacenters ?? null,
      },
      OnlyPassing: Service.OnlyPassing ?? false,
      IgnoreCheckIDs: Service.IgnoreCheckIDs ?? null,
      Near: Service.Near ?? '',
      Tags: Service.Tags ?? null,
      NodeMeta: metaOf(Service.NodeMeta),
      ServiceMeta: metaOf(Service.ServiceMeta),
      Connect: Service.Connect ?? false,
    },
    DNS: body.DNS,
  };
  validate(query);
  return query;
}

/** Consul tells an empty map from a missing one here. */
function metaOf(sent: StringMap | null | undefined): StringMap | null {
  return sent === undefined || sent === null ? null : (sortedMap(sent) ?? {});
}

function validate(query: Definition): void {
  const invalid = (why: string) => new ProconsulError('rejected', `Invalid prepared query: ${why}`);
  const { Name, Template, Session, Token, Service } = query;
  if (Name === '' && Template.Type === '' && Session === '') {
    throw invalid('Must be bound to a session');
  }
  if (Token === HIDDEN_TOKEN) {
    const why = 'it looks like a query definition with a redacted token was submitted';
    throw invalid(`Bad Token '${HIDDEN_TOKEN}', ${why}`);
  }
  if (Service.Service === '') throw invalid('Must provide a Service name to query');
  const { NearestN } = Service.Failover;
  if (NearestN < 0) throw invalid(`Bad NearestN '${NearestN}', must be >= 0`);
  for (const [key, value] of Object.entries(Service.NodeMeta ?? {})) {
    const why = keyComplaint(key);
    if (why !== '') throw invalid(`Couldn't load metadata pair ('${key}', '${value}'): ${why}`);
  }
  const why = ttlComplaint(query.DNS.TTL);
  if (why !== '') throw invalid(why);
  if (Session !== '' && !isUuid(Session)) {
    throw new ProconsulError('rejected', `invalid session: index error: ${UUID_LENGTH}`);
  }
  checkTemplate(query);
}

function keyComplaint(key: string): string {
  if (key === '') return 'Key cannot be blank';
  return /^[a-zA-Z0-9_-]+$/.test(key) ? '' : 'Key contains invalid characters';
}

function ttlComplaint(ttl: string): string {
  if (ttl === '') return '';
  const ns = parseDuration(ttl);
  if (ns === undefined) {
    return `Bad DNS TTL '${ttl}': time: invalid duration ${JSON.stringify(ttl)}`;
  }
  return ns < 0 ? `DNS TTL '${ns}', must be >=0` : '';
}

async function execute(deps: ServerDeps, request: HttpRequest, name: string): Promise<Reply> {
  const { params } = request;
  const limit = limitOf(params);
  const near = params.get('near');
  return await run(deps, request, () => {
    const state = deps.state();
    const query = queries.resolveQuery(state, name);
    const execution = {
      asking: askingNode(deps, request),
      near,
      limit,
      connect: params.bool('connect') ?? false,
    };
    const json = {
      Service: query.Service.Service,
      Nodes: queries.execute(state, query, execution, deps.random).map(asGoHasIt),
      DNS: query.DNS,
      Datacenter: deps.datacenter,
      // Other data centres are not known here.
      Failovers: 0,
    };
    const ordered = near !== '' || query.Service.Near !== '';
    const headers = {
      ...(ordered ? { [ORDERED_HEADER]: 'true' } : {}),
      ...(params.has('cached') ? { 'X-Cache': 'MISS' } : {}),
    };
    return { json, headers };
  });
}

type Entry = ReturnType<typeof queries.execute>[number];

/** Elsewhere Consul turns missing lists into empty ones; here it does not. */
function asGoHasIt({ Node, Service, Checks }: Entry) {
  const checks = Checks.map((c) => ({ ...c, ServiceTags: nilIfEmpty(c.ServiceTags) }));
  return {
    Node,
    Service: { ...Service, Tags: nilIfEmpty(Service.Tags) },
    Checks: nilIfEmpty(checks),
  };
}

function explain(deps: ServerDeps, request: HttpRequest, name: string): Promise<Reply> {
  return run(deps, request, () => ({
    json: { Query: queries.resolveQuery(deps.state(), name) },
    headers: {},
  }));
}

type Evaluate = () => { readonly json: object; readonly headers: Record<string, string> };

/** These two say in the body what others say in headers, and their index says nothing. */
function run(deps: ServerDeps, request: HttpRequest, evaluate: Evaluate): Promise<Reply> {
  return evaluated(deps, request, evaluate).catch(rejectedReply);
}

async function evaluated(
  deps: ServerDeps,
  { params }: HttpRequest,
  evaluate: Evaluate,
): Promise<Reply> {
  checkDatacenter(deps, params.get('dc'));
  const consistency = consistencyOf(params);
  const ready = deps.readiness.ready(consistency);
  if (ready !== undefined) await ready;
  const { knownLeader, lastContactMs } = deps.readiness;
  const meta = {
    Index: 0,
    LastContact: Math.round(lastContactMs),
    KnownLeader: knownLeader,
    ConsistencyLevel: consistency,
  };
  const headers = {
    'X-Consul-Index': '1',
    'X-Consul-Knownleader': String(knownLeader),
    'X-Consul-Lastcontact': String(meta.LastContact),
    'X-Consul-Effective-Consistency': consistency,
  };
  const found = evaluate();
  return { json: { ...found.json, ...meta }, headers: { ...headers, ...found.headers } };
}

function limitOf(params: Params): number {
  const sent = params.get('limit');
  if (sent === '') return 0;
  if (/^[+-]?\d+$/.test(sent)) return Number(sent);
  const why = `strconv.Atoi: parsing ${JSON.stringify(sent)}: invalid syntax`;
  throw new ProconsulError('rejected', `Bad limit: ${why}`);
}
