/** /v1/config: config entries. */
import type { ConfigEntryDefinition } from '../../../lib/config-entries/entry.ts';
import {
  decodeEntry,
  KINDS,
  kindNamed,
  refuseUnwritable,
  unknownKind,
} from '../../../lib/config-entries/kinds.ts';
import { decoder, refined, type Schema } from '../../../lib/decode.ts';
import { messageOf, ProconsulError } from '../../../lib/errors.ts';
import { uint64Complaint } from '../../../lib/go-literals.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { changes } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import * as queries from '../../query/config-entries.ts';
import { type ReadDeps, type WriteDeps, writeAs } from '../deps.ts';
import { readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps;

const CAS = param.number('only if it stands at this index; 0 only if it is not there');

export function configRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/config',
      params: { cas: CAS },
      body: entryBody,
      right: changes('service:write', ENTRIES_CHANGED_BY),
      does: 'makes or replaces a config entry',
      handle: (request) => set(deps, request),
    },
    readRoute(deps, {
      path: '/v1/config/',
      rest: 'entry',
      answers: { 404: 'there is no such entry' },
      right: 'service:read',
      does: 'shows a config entry, or without a name those of a kind',
      query: ({ rest }) => queryOf(rest),
      bareErrors: true,
    }),
    {
      method: 'DELETE',
      path: '/v1/config/',
      rest: 'entry',
      params: { cas: CAS },
      answers: { 404: 'no name is given' },
      right: changes('service:write'),
      does: 'removes a config entry',
      handle: (request) => remove(deps, request),
    },
  ];
}

/** One of these, by the kind. */
const ENTRIES_CHANGED_BY = [
  ...new Set([...KINDS.values()].map(({ changedBy }) => `${changedBy}:write` as const)),
];

const OPENING = 'Bad request: Request decoding failed';

/** What all kinds have; the other fields are those of the kind's table. */
const SHAPE: Schema = { free: true, properties: { Kind: {}, Name: {}, Meta: {} } };

/** Of any kind: its table says which fields it has. */
const entryBody = refined(decoder<unknown>(SHAPE, OPENING), (body): ConfigEntryDefinition => {
  try {
    return decodeEntry(body);
  } catch (error) {
    throw new ProconsulError('invalid', `${OPENING}: ${messageOf(error)}`);
  }
});

async function set(deps: Deps, request: HttpRequest): Promise<Reply> {
  const entry = await request.json(entryBody);
  const cas = casOf(request.params);
  refuseUnwritable(entry);
  const { applied } = await writeAs(request, deps, {
    type: 'set-config-entry',
    entry,
    ...(cas !== undefined && { cas }),
    dates: true,
  });
  return { json: applied };
}

async function remove(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { kind, name } = placeOf(request.rest);
  if (kind === '' || name === undefined) {
    return { status: 404, text: 'Must provide both a kind and name to delete' };
  }
  if (kindNamed(kind) === undefined) throw new ProconsulError('invalid', unknownKind(kind));
  const cas = casOf(request.params);
  // Of some kinds there is one alone, whatever it is called.
  const { Name } = decodeEntry({ Kind: kind, Name: name });
  const { applied } = await writeAs(request, deps, {
    type: 'delete-config-entry',
    kind,
    name: Name,
    ...(cas !== undefined && { cas }),
  });
  return { json: cas === undefined ? {} : applied };
}

function queryOf(rest: string) {
  const { kind, name } = placeOf(rest);
  if (kind !== '' && kindNamed(kind) === undefined) {
    throw new ProconsulError('rejected', unknownKind(kind));
  }
  return name === undefined ? queries.configEntries(kind) : queries.configEntry(kind, name);
}

/** Without a name where no slash follows the kind. */
function placeOf(rest: string): { readonly kind: string; readonly name: string | undefined } {
  const slash = rest.indexOf('/');
  if (slash < 0) return { kind: rest, name: undefined };
  return { kind: rest.slice(0, slash), name: rest.slice(slash + 1) };
}

function casOf(params: Params) {
  const sent = params.get('cas');
  if (sent === '') return undefined;
  const complaint = uint64Complaint(sent);
  if (complaint !== undefined) throw new ProconsulError('rejected', complaint);
  return params.uint64('cas');
}
