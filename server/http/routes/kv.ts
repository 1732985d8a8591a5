/** /v1/kv: the key/value store. */

import { permissionDenied } from '../../../lib/acl/refusals.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { uint64Complaint } from '../../../lib/go-literals.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { changes } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import type { Uint64 } from '../../../lib/model.ts';
import type { KvOp } from '../../commands.ts';
import * as queries from '../../query/kv.ts';
import type { Query } from '../../query/query.ts';
import { type KeyDeps, type ReadDeps, readyFor, type WriteDeps, writeAs } from '../deps.ts';
import { readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & KeyDeps;

export function kvRoutes(deps: Deps): Route[] {
  return [
    readRoute(deps, {
      path: '/v1/kv/',
      answers: { 404: 'there is no such key, or none that begins so' },
      rest: 'key',
      params: {
        recurse: param.flag('all keys that begin with this one'),
        limit: param.number('with recurse or keys: the first so many of them'),
        'limit-bytes': param.number('with recurse and limit: no more once they come to so many'),
        keys: param.flag('their names alone'),
        separator: param.text('with keys: names end here, each once: folders'),
        raw: param.flag('the value alone, as it was written'),
        history: param.number('what it said before, the newest first: so many, or all'),
        revision: param.number('what it said at that index'),
      },
      right: 'key:read',
      does: 'reads a key, a tree or the names of keys',
      bareErrors: true,
      query: (request) => queryOf(request, deps.listsNeedRight),
    }),
    {
      method: 'PUT',
      path: '/v1/kv/',
      rest: 'key',
      params: {
        flags: param.number('stored beside the value, for clients'),
        cas: param.number(
          'only where the key still has this ModifyIndex; 0: only where it is not there',
        ),
        acquire: param.text('the session that takes the lock'),
        release: param.text('the session that lets go of it'),
        rollback: param.number('writes what it said at that index; cas may stand beside it'),
        limit: param.number('is refused: one key is written'),
        'limit-bytes': param.number('is refused likewise'),
      },
      body: { what: 'the value' },
      right: changes('key:write', ['key:write']),
      does: 'writes a key: plainly, by CAS, or with a lock',
      handle: (request) => put(deps, request),
    },
    {
      method: 'DELETE',
      path: '/v1/kv/',
      rest: 'key',
      params: {
        recurse: param.flag('all keys that begin with this one'),
        limit: param.number('is refused: all of a tree is deleted, or nothing'),
        'limit-bytes': param.number('is refused likewise'),
        cas: param.number('only where the key still has this ModifyIndex'),
      },
      right: changes('key:write'),
      does: 'deletes a key or a tree',
      handle: (request) => remove(deps, request),
    },
  ];
}

function queryOf({ rest: key, params }: HttpRequest, asWhole: boolean): Query {
  if (
    params.has('limit-bytes') &&
    (params.has('keys') || !params.has('recurse') || !params.has('limit'))
  )
    throw new ProconsulError('invalid', '?limit-bytes is for ?recurse with a ?limit');
  if (params.has('keys')) {
    return queries.keys(key, params.get('separator'), asWhole, limitOf(params));
  }
  if (params.has('recurse')) return treeOf(key, params, asWhole);
  if (params.has('limit')) throw new ProconsulError('invalid', '?limit is for ?recurse or ?keys');
  if (key === '') throw missingKey();
  if (params.has('history')) return queries.history(key, indexOf(params, 'history') || Infinity);
  if (params.has('revision')) {
    return queries.revision(key, indexOf(params, 'revision'), params.has('raw'));
  }
  return params.has('raw') ? queries.rawKey(key) : queries.oneKey(key);
}

function treeOf(prefix: string, params: Params, asWhole: boolean): Query {
  if (!params.has('limit')) return queries.tree(prefix, asWhole);
  return queries.firstOfTree(prefix, { rows: limitOf(params), bytes: bytesOf(params) }, asWhole);
}

/** They are counted before the first is written, while everybody waits. */
const MAX_COUNTED_BYTES = 4 * 1024 * 1024;

function bytesOf(params: Params): number {
  if (!params.has('limit-bytes')) return Infinity;
  const atMost = indexOf(params, 'limit-bytes');
  if (atMost > 0 && atMost <= MAX_COUNTED_BYTES) return atMost;
  throw new ProconsulError('invalid', `limit-bytes must be from 1 to ${MAX_COUNTED_BYTES}`);
}

function limitOf(params: Params): number {
  if (!params.has('limit')) return Infinity;
  const atMost = indexOf(params, 'limit');
  if (atMost === 0) throw new ProconsulError('invalid', 'Invalid limit');
  return atMost;
}

/** Whoever means the first few must not lose all. */
function refuseLimits(params: Params, what: string): void {
  const limit = ['limit', 'limit-bytes'].find((name) => params.has(name));
  if (limit !== undefined) throw new ProconsulError('invalid', `${what} takes no ?${limit}`);
}

function missingKey(): ProconsulError {
  return new ProconsulError('invalid', 'Missing key name');
}

async function put(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { params } = request;
  const key = ownText(request.rest);
  if (key === '') throw missingKey();
  refuseLimits(params, 'A PUT');
  refuseConflict(request, ['cas', 'acquire', 'release']);
  refuseConflict(request, ['acquire', 'release', 'rollback']);
  if (params.has('rollback')) return await rollBack(deps, request);
  const flags = uint64(params, 'flags') ?? 0;
  const op = { key, flags, value: null, index: 0, session: '', ...verb(params) };
  const value = await request.body(deps.limits.kvValueBytes, 'kv_max_value_size');
  return await writeOp(deps, request, {
    ...op,
    value: value.length === 0 ? null : value.toString('base64'),
  });
}

/** Apart from the request that it was a part of, which would be kept for as long as the key is. */
function ownText(part: string): string {
  return Buffer.from(part, 'utf8').toString('utf8');
}

function verb(params: Params): Pick<KvOp, 'verb'> & Partial<KvOp> {
  if (params.has('cas')) return { verb: 'cas', index: uint64(params, 'cas') ?? 0 };
  if (params.has('acquire')) return { verb: 'lock', session: params.get('acquire') };
  if (params.has('release')) return { verb: 'unlock', session: params.get('release') };
  return { verb: 'set' };
}

async function remove(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { rest: key, params } = request;
  refuseConflict(request, ['recurse', 'cas']);
  refuseLimits(params, 'A DELETE');
  const op = { key, flags: 0, value: null, index: 0, session: '' };
  if (params.has('recurse')) return await writeOp(deps, request, { ...op, verb: 'delete-tree' });
  if (key === '') throw missingKey();
  if (!params.has('cas')) return await writeOp(deps, request, { ...op, verb: 'delete' });
  return await writeOp(deps, request, {
    ...op,
    verb: 'delete-cas',
    index: uint64(params, 'cas') ?? 0,
  });
}

/** Writes what was there at an index: its value and flags, or that it was not there. */
async function rollBack(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { rest: key, params } = request;
  // Whoever writes what he may not read would see it in what becomes of it.
  const refuseUnseen = () => {
    const { rights } = request.caller;
    if (!rights.all && !rights.may('key', 'read', key)) throw permissionDenied();
  };
  refuseUnseen();
  const index = indexOf(params, 'rollback');
  await readyFor(deps, request);
  refuseUnseen();
  const found = deps.state().revisions.at(key, index);
  if (found === undefined) throw queries.noRevision(key, index);
  const { Value = null, Flags = 0 } = found.row ?? {};
  const op = { key, flags: Flags, value: Value, index: uint64(params, 'cas') ?? 0, session: '' };
  const [plain, cas] = found.row === undefined ? ['delete', 'delete-cas'] : ['set', 'cas'];
  return await writeOp(deps, request, { ...op, verb: params.has('cas') ? cas : plain });
}

async function writeOp(deps: Deps, request: HttpRequest, op: KvOp): Promise<Reply> {
  const outcome = await writeAs(request, deps, { type: 'kv', op });
  return { json: outcome.applied };
}

/** An index is far below 2^53: whatever is beyond stands for the newest. */
function indexOf(params: Params, name: string): number {
  const value = params.get(name) === '' ? 0 : (params.uint64(name) ?? Number.NaN);
  if (Number.isNaN(value)) throw new ProconsulError('invalid', `Invalid ${name}`);
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}

/** Names the flags, and no other parameter: the query may hold a token. */
function refuseConflict({ params }: HttpRequest, names: readonly string[]): void {
  const flags = names.filter((name) => params.has(name)).sort();
  if (flags.length < 2) return;
  const shown = new URLSearchParams();
  for (const name of flags) shown.append(name, params.get(name));
  throw new ProconsulError('invalid', `Conflicting flags: ${shown}`);
}

/** Consul answers 500 to a number that is none. */
function uint64(params: Params, name: string): Uint64 | undefined {
  if (!params.has(name)) return undefined;
  const sent = params.get(name);
  const complaint = uint64Complaint(sent);
  if (complaint !== undefined) throw new ProconsulError('rejected', complaint);
  const value = BigInt(sent);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
