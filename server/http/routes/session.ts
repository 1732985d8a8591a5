/** /v1/session: sessions, which locks are held by. */
import { permissionDenied } from '../../../lib/acl/refusals.ts';
import { decoder, optional } from '../../../lib/decode.ts';
import {
  durationComplaint,
  formatDuration,
  NS_PER_MS,
  parseDuration,
} from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { changes } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { canonicalId, idComplaint } from '../../../lib/ids.ts';
import { encodeJson } from '../../../lib/json.ts';
import { SERF_HEALTH, type ServiceCheckRef, type Session } from '../../../lib/model.ts';
import * as queries from '../../query/sessions.ts';
import {
  askingNode,
  type PlaceDeps,
  type ReadDeps,
  readFor,
  readyFor,
  required,
  type SessionDeps,
  type WriteDeps,
  writeAs,
} from '../deps.ts';
import { readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & PlaceDeps & SessionDeps;

const DEFAULT_LOCK_DELAY_NS = 15e9;
/** Clients in Go can read back nanoseconds below it. */
const MAX_INT64 = 2 ** 63;
const MAX_TTL_NS = 24 * 3600e9;
/** A number below it was meant in seconds: Consul's own guess. */
const LOCK_DELAY_SECONDS_BELOW = 1000;

export function sessionRoutes(deps: Deps): Route[] {
  return [...sessionWrites(deps), ...sessionReads(deps)];
}

function sessionWrites(deps: Deps): Route[] {
  const row = { method: 'PUT', right: changes('session:write', ['session:write']) } as const;
  return [
    {
      ...row,
      path: '/v1/session/create',
      body: sessionBody,
      does: 'makes a session',
      handle: (request) => create(deps, request),
    },
    {
      ...row,
      path: '/v1/session/destroy/',
      rest: 'id',
      does: 'ends a session and lets go of its locks',
      handle: async (request) => {
        await writeAs(request, deps, { type: 'destroy-session', id: sessionId(request.rest) });
        return { json: true };
      },
    },
    {
      ...row,
      path: '/v1/session/renew/',
      answers: { 404: 'the session is gone' },
      rest: 'id',
      does: "gives a session's TTL its full time again",
      handle: (request) => renew(deps, request),
    },
  ];
}

function sessionReads(deps: Deps): Route[] {
  const common = { right: 'session:read' } as const;
  return [
    readRoute(deps, {
      ...common,
      path: '/v1/session/info/',
      rest: 'id',
      does: 'shows a session',
      query: ({ rest }) => queries.session(sessionId(rest)),
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/session/list',
      does: 'lists the sessions',
      query: () => queries.sessions(),
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/session/node/',
      rest: 'node',
      does: 'lists the sessions of a node',
      query: ({ rest }) => queries.sessionsOn(required(rest, 'node name')),
    }),
  ];
}

function sessionId(rest: string): string {
  const id = required(rest, 'session');
  const complaint = idComplaint(id);
  if (complaint === undefined) return canonicalId(id);
  throw new ProconsulError('rejected', `failed session lookup: index error: ${complaint}`);
}

interface SessionBody {
  readonly Name: string;
  readonly Node: string;
  readonly Checks?: readonly string[];
  readonly NodeChecks?: readonly string[];
  readonly ServiceChecks?: readonly Pick<ServiceCheckRef, 'ID'>[];
  readonly LockDelay?: unknown;
  readonly Behavior: string;
  readonly TTL: string;
}

const names = { type: 'array', items: { type: 'string' } } as const;
/** Unlike all others, Consul passes over fields here that nobody knows. */
const sessionBody = optional(
  decoder<SessionBody>({
    type: 'object',
    open: true,
    properties: {
      Name: { type: 'string', default: '' },
      Node: { type: 'string', default: '' },
      Checks: names,
      NodeChecks: names,
      ServiceChecks: {
        type: 'array',
        items: {
          type: 'object',
          open: true,
          properties: { ID: { type: 'string', default: '' } },
        },
      },
      LockDelay: {},
      Behavior: { type: 'string', default: '' },
      TTL: { type: 'string', default: '' },
    },
  }),
);

async function create(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(sessionBody);
  const session: Omit<Session, 'CreateIndex' | 'ModifyIndex'> = {
    ID: deps.random.uuid(),
    Name: body.Name,
    Node: body.Node === '' ? askingNode(deps, request) : body.Node,
    LockDelay: lockDelay(body.LockDelay),
    Behavior: behavior(body.Behavior),
    TTL: checkedTtl(body.TTL, deps.sessionTtlMinMs),
    ...checksOf(body),
  };
  await writeAs(request, deps, { type: 'create-session', session });
  if (session.TTL !== '') await deps.renewSession(session.ID);
  return { json: { ID: session.ID } };
}

/**
 * Whatever else a session rests on, it rests on the node's agent: only an empty list takes that
 * away. `Checks` is the old name of both other lists, and is kept beside them.
 */
function checksOf({ Checks, NodeChecks, ServiceChecks }: SessionBody) {
  const own = Checks !== undefined && Checks.length > 0 && NodeChecks?.length !== 0 ? Checks : [];
  const justDefault = own.length === 1 && own[0] === SERF_HEALTH;
  return {
    NodeChecks: Checks?.length === 0 ? [] : (NodeChecks ?? [SERF_HEALTH]),
    ServiceChecks: ServiceChecks?.map(({ ID }) => ({ ID, Namespace: '' })) ?? null,
    ...(own.length > 0 && !justDefault && { Checks: own }),
  };
}

function lockDelay(sent: unknown): number {
  if (sent === undefined) return DEFAULT_LOCK_DELAY_NS;
  const ns = typeof sent === 'string' ? parseDuration(sent) : nanoseconds(sent);
  if (ns !== undefined) return Math.max(0, ns);
  const complaint =
    typeof sent === 'string'
      ? durationComplaint(sent)
      : `time: invalid duration ${encodeJson(sent)}`;
  throw new ProconsulError('invalid', `Request decode failed: ${complaint}`);
}

function nanoseconds(sent: unknown): number | undefined {
  if (typeof sent !== 'number' && typeof sent !== 'bigint') return undefined;
  const number = Number(sent);
  const ns = Math.round(number < LOCK_DELAY_SECONDS_BELOW ? number * 1e9 : number);
  return Math.abs(ns) < MAX_INT64 ? ns : undefined;
}

function behavior(sent: string): 'release' | 'delete' {
  if (sent === '' || sent === 'release') return 'release';
  if (sent === 'delete') return 'delete';
  throw new ProconsulError('rejected', `Invalid Behavior setting '${sent}'`);
}

/** Patroni reads the start of these texts. */
function checkedTtl(ttl: string, minMs: number): string {
  if (ttl === '') return '';
  const ns = parseDuration(ttl);
  if (ns === undefined) {
    const reason = durationComplaint(ttl);
    throw new ProconsulError('rejected', `Session TTL '${ttl}' invalid: ${reason}`);
  }
  if (ns !== 0 && (ns < minMs * NS_PER_MS || ns > MAX_TTL_NS)) {
    const range = `[${formatDuration(minMs * NS_PER_MS)}=${formatDuration(MAX_TTL_NS)}]`;
    const text = `Invalid Session TTL '${ns}', must be between ${range}`;
    throw new ProconsulError('rejected', text);
  }
  return ttl;
}

async function renew(deps: Deps, request: HttpRequest): Promise<Reply> {
  const id = sessionId(request.rest);
  // As new as any acknowledged write: the session may just have been made through another server.
  await readyFor(deps, request);
  const found = () => deps.state().sessions.get(id);
  // Its client gives up all that it holds where it is gone: who is parted from the others cannot tell.
  const session = found() ?? (await readFor(deps, request, 'consistent', found));
  if (session === undefined) {
    throw new ProconsulError('not-found', `Session id '${id}' not found`);
  }
  const { rights } = request.caller;
  if (!rights.all && !rights.may('session', 'write', session.Node)) {
    throw permissionDenied();
  }
  await deps.renewSession(id);
  return { json: [session] };
}
