/** /v1/txn: several operations, all or nothing. */

import type { Rights } from '../../../lib/acl/rights.ts';
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { asks } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY } from '../../../lib/http/takes.ts';
import { Rows } from '../../../lib/json-bytes.ts';
import { MAX_TXN_OPS, MAX_TXN_ROWS } from '../../../lib/limits.ts';
import type { Uint64 } from '../../../lib/model.ts';
import { isSeen, isUnseen, judgeTxn, TxnRefused } from '../../acl/judge-txn.ts';
import type { NodeOp, TxnOp } from '../../commands.ts';
import { nilIfEmpty, shown } from '../../query/catalog.ts';
import { onlyReads, readTxn } from '../../state/apply.ts';
import type { Outcome, TxnError, TxnResult } from '../../state/outcome.ts';
import type { State } from '../../state/state.ts';
import {
  type CheckBody,
  checkSchema,
  type NodeBody,
  nodeSchema,
  type ServiceBody,
  serviceSchema,
} from '../bodies.ts';
import {
  nodeIdFault,
  refuseNul,
  serviceFault,
  toCheck,
  toNode,
  toService,
} from '../definitions.ts';
import { type PlaceDeps, type ReadDeps, readFor, type WriteDeps, writeAs } from '../deps.ts';
import { demandOf } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & PlaceDeps;

export function txnRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/txn',
      answers: { 409: 'nothing was done: which operations fail, and why' },
      right: asks('own', ['key:read', 'node:read', 'service:read']),
      params: CONSISTENCY,
      body: txnBody,
      does: 'runs up to 64 operations on keys, nodes, instances and checks, all or nothing',
      handle: (request) => txn(deps, request),
    },
  ];
}

interface KvBody {
  readonly Verb: string;
  readonly Key: string;
  readonly Value: string;
  readonly Flags: Uint64;
  readonly Index: Uint64;
  readonly Session: string;
}

interface OpBody {
  readonly KV?: KvBody;
  readonly Node?: { readonly Verb: string; readonly Node: NodeBody };
  readonly Service?: {
    readonly Verb: string;
    readonly Node: string;
    readonly Service: ServiceBody;
  };
  readonly Check?: { readonly Verb: string; readonly Check: CheckBody };
}

const text = { type: 'string', default: '' } as const;
const uint64 = { uint64: true, default: 0 } as const;
const verb = { Verb: text } as const;

const OPENING = 'Failed to parse body';
const txnBody = decoder<OpBody[]>(
  {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        KV: {
          type: 'object',
          properties: {
            ...verb,
            Key: text,
            Value: text,
            Flags: uint64,
            Index: uint64,
            Session: text,
          },
        },
        Node: { type: 'object', properties: { ...verb, Node: { ...nodeSchema, default: {} } } },
        Service: {
          type: 'object',
          properties: { ...verb, Node: text, Service: { ...serviceSchema, default: {} } },
        },
        Check: { type: 'object', properties: { ...verb, Check: { ...checkSchema, default: {} } } },
      },
    },
  },
  OPENING,
);

async function txn(deps: Deps, request: HttpRequest): Promise<Reply> {
  const demand = demandOf(request.params);
  const ops = await parse(deps, request);
  const { answers } = deps;
  if (onlyReads(ops)) {
    const consistency = deps.readiness.consistency(demand);
    const evaluate = () => answers.inRoom(request, () => read(deps, request, ops));
    const outcome = await readFor(deps, request, consistency, evaluate);
    return readReply(deps, outcome, deps.readiness.ageMs(consistency));
  }
  // They may be very many to count. No other write stands in line behind those who read.
  if (ops.some(isTree)) await answers.inRoom(request, () => refuseManyRows(deps.state(), ops));
  const errors = impossible(ops);
  if (errors.length > 0) return reply({ applied: false, errors });
  return reply(await run(deps, request, ops));
}

async function run(deps: Deps, request: HttpRequest, ops: readonly TxnOp[]): Promise<Outcome> {
  const seen = seenOf(deps.state(), request.caller.rights, ops);
  try {
    return seen.shown(await writeAs(request, deps, { type: 'txn', ops: seen.ops }));
  } catch (error) {
    return seen.refused(error);
  }
}

function read(deps: Deps, { caller: { rights } }: HttpRequest, ops: readonly TxnOp[]): Outcome {
  const state = deps.state();
  refuseManyRows(state, ops);
  const seen = seenOf(state, rights, ops);
  try {
    if (!rights.all) judgeTxn(state, rights, seen.ops);
    return seen.shown(readTxn(state, seen.ops));
  } catch (error) {
    return seen.refused(error);
  }
}

/** What may not be seen is left out, of the operations as of their results. */
function seenOf(state: State, rights: Rights, ops: readonly TxnOp[]) {
  const places = [...ops.keys()].filter(
    (i) => rights.all || !isUnseen(state, rights, ops[i] as TxnOp),
  );
  return {
    ops: places.map((i) => ops[i] as TxnOp),
    shown: (outcome: Outcome): Outcome => ({
      ...outcome,
      ...(outcome.errors && { errors: placed(outcome.errors, places) }),
      ...(outcome.results && {
        results: outcome.results.filter((each) => rights.all || isSeen(rights, each)),
      }),
    }),
    /** Throws what is no refusal of theirs. */
    refused: (error: unknown): Outcome => {
      if (!(error instanceof TxnRefused)) throw error;
      return { applied: false, errors: placed(error.errors, places) };
    },
  };
}

/** Errors by the place that an operation has among all that were sent. */
function placed(errors: readonly TxnError[], places: readonly number[]): TxnError[] {
  return errors.map(({ OpIndex, What }) => ({ OpIndex: places[OpIndex] ?? OpIndex, What }));
}

async function parse(deps: Deps, request: HttpRequest): Promise<TxnOp[]> {
  const body = await request.json(txnBody, deps.limits.txnBytes, 'txn_max_req_len');
  if (body.length > MAX_TXN_OPS) {
    const size = `${body.length} > ${MAX_TXN_OPS}`;
    throw new ProconsulError('too-large', `Transaction contains too many operations (${size})`);
  }
  // An operation that names nothing does nothing.
  return body.map((op) => toOp(op, deps)).filter((op) => op !== undefined);
}

function toOp(body: OpBody, { datacenter, limits }: Deps): TxnOp | undefined {
  if (body.KV !== undefined) return { kv: toKvOp(body.KV, limits.kvValueBytes) };
  if (body.Node !== undefined) {
    const { Verb, Node } = body.Node;
    refuseNul(Node.Node);
    return {
      node: { verb: Verb, node: toNode(Node, datacenter), index: Node.ModifyIndex ?? 0 },
    };
  }
  if (body.Service !== undefined) {
    const { Verb, Node, Service } = body.Service;
    refuseNul(Node, Service.ID, Service.Service);
    const index = Service.ModifyIndex ?? 0;
    return { service: { verb: Verb, node: Node, service: toService(Service), index } };
  }
  if (body.Check === undefined) return undefined;
  const { Verb, Check } = body.Check;
  refuseNul(Check.Node, Check.CheckID, Check.Name);
  const index = Check.ModifyIndex ?? 0;
  // Consul's transactions pass over the type of a check, and derive none.
  const check = toCheck({ ...Check, Type: '' });
  return { check: { verb: Verb, node: Check.Node, check, index } };
}

function isTree(op: TxnOp): op is Extract<TxnOp, { readonly kv: unknown }> {
  return 'kv' in op && op.kv.verb === 'get-tree';
}

/** Whoever asks for all keys 64 times has everybody wait for it, on every server where it also writes. */
function refuseManyRows({ kv }: State, ops: readonly TxnOp[]): void {
  let rows = 0;
  for (const op of ops) {
    if (!isTree(op)) continue;
    rows += kv.under(op.kv.key, MAX_TXN_ROWS + 1 - rows).length;
    if (rows > MAX_TXN_ROWS) {
      const max = `max: ${MAX_TXN_ROWS}`;
      throw new ProconsulError('too-large', `Transaction reads too many keys, ${max}`);
    }
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function toKvOp({ Verb, Key, Value, Flags, Index, Session }: KvBody, maxBytes: number) {
  if (!BASE64.test(Value)) {
    throw new ProconsulError('invalid', `${OPENING}: illegal base64 data in "${Key}"`);
  }
  const bytes = Buffer.byteLength(Value, 'base64');
  if (bytes > maxBytes) {
    const size = `${bytes} > ${maxBytes} bytes`;
    throw new ProconsulError('too-large', `Value for key "${Key}" is too large (${size})`);
  }
  const value = Value === '' ? null : Value;
  return { verb: Verb, key: Key, value, flags: Flags, index: Index, session: Session };
}

/** What Consul refuses before it asks the state. */
function impossible(ops: readonly TxnOp[]): TxnError[] {
  const errors: TxnError[] = [];
  for (const [OpIndex, op] of ops.entries()) {
    const What = faultOf(op);
    if (What !== undefined) errors.push({ OpIndex, What });
  }
  return errors;
}

function faultOf(op: TxnOp): string | undefined {
  if ('kv' in op) {
    return op.kv.key === '' && op.kv.verb !== 'delete-tree' ? 'Must provide key' : undefined;
  }
  if ('node' in op) return nodeFault(op.node);
  if (!('service' in op) || op.service.verb === 'get') return undefined;
  const { node, service, verb } = op.service;
  if (service.Service === '') {
    if (service.ID === '') return 'failed inserting service: object missing primary index';
    return 'Must provide service name with ID';
  }
  return verb === 'set' || verb === 'cas' ? serviceFault(node, service) : undefined;
}

function nodeFault({ verb, node }: NodeOp): string | undefined {
  if (verb === 'get') return undefined;
  if (node.Node === '' && node.ID === '') return 'Must provide node';
  return nodeIdFault(node.ID);
}

function reply(outcome: Outcome): Reply {
  return { status: outcome.applied ? 200 : 409, json: answer(outcome) };
}

function answer({ applied, results, errors }: Outcome) {
  if (!applied) return { Results: null, Errors: errors ?? [] };
  return { Results: Rows.of(results ?? [], shownResult), Errors: null };
}

/** Unlike the other endpoints this one shows empty lists as Go's nil. */
function shownResult(result: TxnResult) {
  if ('Service' in result) {
    const { Service } = result;
    return { Service: { ...shown(Service), Tags: nilIfEmpty(Service.Tags) } };
  }
  if (!('Check' in result)) return result;
  return { Check: { ...result.Check, ServiceTags: nilIfEmpty(result.Check.ServiceTags) } };
}

function readReply({ readiness }: Deps, outcome: Outcome, ageMs: number): Reply {
  const { knownLeader } = readiness;
  return {
    status: outcome.applied ? 200 : 409,
    headers: {
      'X-Consul-Knownleader': String(knownLeader),
      'X-Consul-Lastcontact': String(ageMs),
    },
    json: {
      ...answer(outcome),
      Index: 0,
      LastContact: ageMs * 1e6,
      KnownLeader: knownLeader,
      ConsistencyLevel: '',
    },
  };
}
