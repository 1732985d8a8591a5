/** /v1/connect/intentions: who may call whom, one by one. */

import type {
  Intention,
  IntentionDefinition,
  IntentionKey,
} from '../../../lib/config-entries/entry.ts';
import { derivedId, shownIntention } from '../../../lib/config-entries/intentions.ts';
import { SERVICE_INTENTIONS } from '../../../lib/config-entries/kinds/service-intentions.ts';
import { decodeEntry, refuseFaulty } from '../../../lib/config-entries/kinds.ts';
import { type Decoder, decoder, type Schema } from '../../../lib/decode.ts';
import { messageOf, ProconsulError } from '../../../lib/errors.ts';
import { compileFilter, onlyValues } from '../../../lib/filter/compile-filter.ts';
import { intentionFields } from '../../../lib/filter/fields.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { changes, shows } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY, FILTER, param } from '../../../lib/http/takes.ts';
import { canonicalId, idComplaint } from '../../../lib/ids.ts';
import { encodeJson } from '../../../lib/json.ts';
import * as queries from '../../query/intentions.ts';
import { Reader } from '../../query/reader.ts';
import { type MeshDeps, type ReadDeps, type WriteDeps, writeAs } from '../deps.ts';
import { freshLook, readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & MeshDeps;

const PATH = '/v1/connect/intentions';
const ENDS = {
  source: param.text('who calls'),
  destination: param.text('who is called'),
};

export function intentionRoutes(deps: Deps): Route[] {
  return [
    readRoute(deps, {
      path: PATH,
      right: 'intention:read',
      params: { filter: FILTER },
      does: 'lists the intentions, the one that counts first in front',
      query: ({ params }) => {
        const filter = params.get('filter');
        const keep = keepOf(filter);
        return queries.intentions({ filter, keep, destinations: destinationsIn(filter) });
      },
    }),
    {
      method: 'POST',
      path: PATH,
      body: intentionBody,
      right: changes('intention:write', ['intention:write']),
      does: 'makes an intention',
      handle: (request) => create(deps, request),
    },
    ...byId(deps),
    ...byNames(deps),
    {
      method: 'GET',
      path: `${PATH}/match`,
      params: {
        by: param.text('source or destination'),
        name: param.texts('a service'),
        ...CONSISTENCY,
      },
      right: shows('intention:read'),
      does: 'shows what is said of calls by or to services',
      handle: (request) => freshLook(deps, request, () => match(deps, request)),
    },
    {
      method: 'GET',
      path: `${PATH}/check`,
      params: { ...ENDS, 'source-type': param.text('consul'), ...CONSISTENCY },
      right: shows('service:read'),
      does: 'says whether one service may call another',
      handle: (request) => freshLook(deps, request, () => check(deps, request)),
    },
  ];
}

function byId(deps: Deps): Route[] {
  const row = { path: `${PATH}/`, rest: 'id' } as const;
  return [
    {
      ...row,
      method: 'GET',
      params: CONSISTENCY,
      answers: { 404: 'there is none' },
      right: shows('intention:read'),
      does: 'shows an intention',
      handle: (request) => freshLook(deps, request, () => show(deps, request)),
    },
    {
      ...row,
      method: 'PUT',
      body: intentionBody,
      right: changes('intention:write', ['intention:write']),
      does: 'changes an intention',
      handle: (request) => update(deps, request),
    },
    {
      ...row,
      method: 'DELETE',
      right: changes('intention:write', ['intention:write']),
      does: 'removes an intention',
      handle: (request) => {
        const ID = idOf(request.rest, WRITING);
        return removed(deps, request, { ID });
      },
    },
  ];
}

/** As later clients name one: by who calls and who is called. */
function byNames(deps: Deps): Route[] {
  const row = { path: `${PATH}/exact` } as const;
  return [
    {
      ...row,
      method: 'GET',
      params: { ...ENDS, ...CONSISTENCY },
      answers: { 404: 'there is none' },
      right: shows('intention:read'),
      does: 'shows the intention of two services',
      handle: (request) =>
        freshLook(deps, request, () => {
          const { params, caller } = request;
          const { source, destination } = endsOf(params);
          const reader = new Reader(deps.state(), caller.rights);
          return shown(reader.config.intentionNamed(source, destination));
        }),
    },
    {
      ...row,
      method: 'PUT',
      params: ENDS,
      body: intentionBody,
      right: changes('intention:write', ['intention:write']),
      does: 'makes or replaces the intention of two services',
      handle: (request) => upsert(deps, request),
    },
    {
      ...row,
      method: 'DELETE',
      params: ENDS,
      right: changes('intention:write', ['intention:write']),
      does: 'removes the intention of two services',
      handle: (request) => {
        const { source, destination } = endsOf(request.params);
        return removed(deps, request, { SourceName: source, DestinationName: destination });
      },
    },
  ];
}

interface Body {
  readonly ID: string;
  readonly Description: string;
  readonly SourceNS: string;
  readonly SourceName: string;
  readonly DestinationNS: string;
  readonly DestinationName: string;
  readonly SourceType: string;
  readonly Action: string;
  readonly Permissions: readonly object[] | null;
  /** Of the entry that it is a part of, as it is shown. */
  readonly JWT: object | null;
  readonly DefaultAddr: string;
  readonly DefaultPort: number;
  readonly Meta: Readonly<Record<string, string>>;
}

const text = { type: 'string', default: '' } as const;
const SHAPE: Schema = {
  type: 'object',
  properties: {
    ID: text,
    Description: text,
    SourceNS: text,
    SourceName: text,
    DestinationNS: text,
    DestinationName: text,
    SourceType: text,
    Action: text,
    Permissions: { type: 'array', nullable: true, items: { free: true }, default: null },
    JWT: { free: true, default: null },
    DefaultAddr: text,
    DefaultPort: { type: 'integer', default: 0 },
    Meta: { type: 'object', additionalProperties: { type: 'string' }, default: {} },
  },
  unheeded: [
    ...['Precedence', 'CreatedAt', 'UpdatedAt', 'Hash', 'CreateIndex', 'ModifyIndex'],
    ...['SourcePartition', 'DestinationPartition', 'SourcePeer', 'SourceSamenessGroup'],
  ],
};

/** Consul answers 500 to one that it cannot read. */
const intentionBody: Decoder<Body> = rejecting(
  decoder<Body>(SHAPE, 'Failed to decode request body'),
);

function rejecting<T>(decode: Decoder<T>): Decoder<T> {
  const whole = (body: Buffer | string) => {
    try {
      return decode(body);
    } catch (error) {
      throw rejected(messageOf(error));
    }
  };
  return Object.assign(whole, { schema: decode.schema, optional: decode.optional });
}

function rejected(why: string): ProconsulError {
  return new ProconsulError('rejected', why);
}

function destinationsIn(filter: string): readonly string[] | undefined {
  return onlyValues(filter, 'DestinationName');
}

function keepOf(filter: string) {
  return filter === '' ? () => true : compileFilter(filter, intentionFields);
}

async function create(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(intentionBody);
  if (body.ID !== '') throw rejected('ID must be empty when creating a new intention');
  const intention = intentionOf(body, deps.random.uuid());
  refuseOtherToken(deps, request, body);
  await writeAs(request, deps, { type: 'set-intention', intention, how: 'create' });
  return { json: { ID: intention.ID } };
}

async function update(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(intentionBody);
  const intention = intentionOf(body, idOf(request.rest, WRITING));
  refuseOtherToken(deps, request, body);
  await writeAs(request, deps, { type: 'set-intention', intention, how: 'update' });
  return { json: { ID: intention.ID } };
}

async function upsert(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(intentionBody);
  const { source, destination } = endsOf(request.params);
  const named = { SourceName: source, DestinationName: destination };
  const intention = intentionOf({ ...body, ...named }, derivedId(named));
  refuseOtherToken(deps, request, { ...body, ...named });
  await writeAs(request, deps, { type: 'set-intention', intention, how: 'upsert' });
  return { json: true };
}

/** An entry asks for a user's token of all its callers: what is sent back as it was shown says nothing new, and all else too little. */
function refuseOtherToken(
  deps: Deps,
  { caller }: HttpRequest,
  { JWT, DestinationName }: Body,
): void {
  if (JWT === null) return;
  const reader = new Reader(deps.state(), caller.rights);
  const entry = reader.config.entry(SERVICE_INTENTIONS.kind, DestinationName);
  if (encodeJson(entry?.['JWT'] ?? null) === encodeJson(JWT)) return;
  throw rejected('JWT is of all who call a service: it is written in its service-intentions entry');
}

async function removed(deps: Deps, request: HttpRequest, which: IntentionKey): Promise<Reply> {
  await writeAs(request, deps, { type: 'delete-intention', which });
  return { json: true };
}

function show(deps: Deps, request: HttpRequest): Reply {
  const { rest, caller } = request;
  const complaint = idComplaint(rest);
  if (complaint !== undefined) {
    throw new ProconsulError('invalid', `Bad request: ${LOOKUP}${complaint}`);
  }
  return shown(new Reader(deps.state(), caller.rights).config.intentionById(canonicalId(rest)));
}

function shown(intention: Intention | undefined): Reply {
  if (intention !== undefined) return { json: shownIntention(intention) };
  return { status: 404, text: 'Intention not found' };
}

function match(deps: Deps, request: HttpRequest): Reply {
  const { params, caller } = request;
  const by = required(params, 'by');
  if (by !== 'source' && by !== 'destination') {
    throw rejected("'by' parameter must be one of 'source' or 'destination'");
  }
  required(params, 'name');
  const names = [...new Set(params.all('name'))];
  if (names.length > MAX_NAMES) {
    throw new ProconsulError('too-large', `more than ${MAX_NAMES} names are asked for at once`);
  }
  const reader = new Reader(deps.state(), caller.rights);
  const found = names.map((name) => [name, queries.matching(reader, by, nameOf(name))] as const);
  return { json: Object.fromEntries(found) };
}

function check(deps: Deps, request: HttpRequest): Reply {
  const { params, caller } = request;
  const type = params.get('source-type');
  const { source, destination } = endsOf(params);
  if (type !== '' && type !== 'consul') {
    throw rejected(`unsupported SourceType: ${JSON.stringify(type)}`);
  }
  const reader = new Reader(deps.state(), caller.rights);
  const decides = queries.deciding(reader, source, destination);
  const Allowed = decides === undefined ? deps.callsByDefault : decides.Action === 'allow';
  return { json: { Allowed } };
}

function endsOf(params: Params) {
  const source = nameOf(required(params, 'source'));
  return { source, destination: nameOf(required(params, 'destination')) };
}

function required(params: Params, name: string): string {
  if (!params.has(name)) throw rejected(`required query parameter '${name}' not set`);
  return params.get(name);
}

/** `default/web` is web, as far as there is one namespace. */
function nameOf(sent: string): string {
  return sent.startsWith('default/') ? sent.slice(sent.lastIndexOf('/') + 1) : sent;
}

/** Of one question: those of wildcards are in the answer once for each name. */
const MAX_NAMES = 16;

const LOOKUP = 'failed intention lookup: index error: ';
const WRITING = `Intention lookup failed: ${LOOKUP}`;

function idOf(rest: string, doing: string): string {
  const complaint = idComplaint(rest);
  if (complaint !== undefined) throw rejected(`${doing}${complaint}`);
  return canonicalId(rest);
}

function intentionOf(body: Body, ID: string): IntentionDefinition {
  const faults = faultsOf(body);
  if (faults.length > 0) {
    const told = faults.map((each) => `\t* ${each}\n`).join('');
    throw rejected(`${faults.length} error${faults.length === 1 ? '' : 's'} occurred:\n${told}\n`);
  }
  const { SourceName, DestinationName, Action, Description, Meta } = body;
  const { DefaultAddr, DefaultPort } = body;
  const plain = { ID, SourceName, DestinationName, Action, Description, Meta };
  const intention = { ...plain, DefaultAddr, DefaultPort };
  const Permissions = permissionsOf(body);
  return Permissions === undefined ? intention : { ...intention, Permissions };
}

/** They are those of an entry, and read as such. */
function permissionsOf({ SourceName, DestinationName, Permissions }: Body) {
  if (Permissions === null || Permissions.length === 0) return undefined;
  const Sources = [{ Name: SourceName, Permissions }];
  const entry = decodeEntry({ Kind: 'service-intentions', Name: DestinationName, Sources });
  refuseFaulty(entry);
  const [source] = entry['Sources'] as readonly Pick<IntentionDefinition, 'Permissions'>[];
  return source?.Permissions;
}

const ANY = '*';

function faultsOf(body: Body): readonly string[] {
  const { SourceName, DestinationName, SourceNS, DestinationNS, SourceType, Action } = body;
  const hasPermissions = (body.Permissions ?? []).length > 0;
  const isAction = Action === 'allow' || Action === 'deny';
  return [
    SourceName === '' && 'SourceName must be set',
    DestinationName === '' && 'DestinationName must be set',
    nameFault('Source', SourceNS, SourceName),
    nameFault('Destination', DestinationNS, DestinationName),
    SourceType !== '' && SourceType !== 'consul' && "SourceType must be set to 'consul'",
    !isAction && !hasPermissions && "Action must be set to 'allow' or 'deny'",
    Action !== '' && hasPermissions && 'Action must be omitted if Permissions are specified',
  ].filter((each) => each !== false);
}

function nameFault(end: string, namespace: string, name: string): string | false {
  if (name !== ANY && name.includes(ANY)) {
    return `${end}Name: wildcard character '*' cannot be used with partial values`;
  }
  if (namespace === ANY && name !== ANY) {
    return `${end}Name: exact value cannot follow wildcard namespace`;
  }
  const isHere = ['', 'default', ANY].includes(namespace);
  return !isHere && `${end}NS: namespaces are a consul enterprise feature`;
}
