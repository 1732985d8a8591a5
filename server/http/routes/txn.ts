/** /v1/txn: several operations, all or nothing. */
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { MAX_KV_VALUE_BYTES, MAX_TXN_BODY_BYTES, MAX_TXN_OPS } from '../../../lib/limits.ts';
import type { Uint64 } from '../../../lib/model.ts';
import type { TxnOp } from '../../commands.ts';
import { nilIfEmpty, shown } from '../../query/catalog.ts';
import { onlyReads, readTxn } from '../../state/apply.ts';
import type { Outcome, TxnError, TxnResult } from '../../state/outcome.ts';
import {
  type CheckBody,
  checkSchema,
  type NodeBody,
  nodeSchema,
  refuseNul,
  type ServiceBody,
  serviceSchema,
  toCheck,
  toNode,
  toService,
} from '../bodies.ts';
import { checkDatacenter, type ServerDeps, write } from '../deps.ts';
import { consistencyOf } from '../reads.ts';

export function txnRoutes(deps: ServerDeps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/txn',
      right: 'own',
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

const txnBody = decoder<OpBody[]>({
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
});

async function txn(deps: ServerDeps, request: HttpRequest): Promise<Reply> {
  checkDatacenter(deps, request.params.get('dc'));
  const consistency = consistencyOf(request.params);
  const ops = await parse(deps, request);
  if (!onlyReads(ops)) {
    const errors = impossible(ops);
    if (errors.length > 0) return reply({ applied: false, errors });
    return reply(await write(deps, { type: 'txn', ops }));
  }
  await deps.readiness.ready(consistency);
  return readReply(deps, readTxn(deps.state(), ops));
}

async function parse(deps: ServerDeps, request: HttpRequest): Promise<TxnOp[]> {
  let body: OpBody[];
  const bytes = await request.body(MAX_TXN_BODY_BYTES);
  try {
    body = txnBody(bytes);
  } catch (cause) {
    if (!(cause instanceof ProconsulError)) throw cause;
    const reason = cause.message.replace('Request decode failed: ', '');
    throw new ProconsulError('invalid', `Failed to parse body: ${reason}`, { cause });
  }
  if (body.length > MAX_TXN_OPS) {
    const size = `${body.length} > ${MAX_TXN_OPS}`;
    throw new ProconsulError('too-large', `Transaction contains too many operations (${size})`);
  }
  // An operation that names nothing does nothing.
  return body.map((op) => toOp(op, deps.datacenter)).filter((op) => op !== undefined);
}

function toOp(body: OpBody, datacenter: string): TxnOp | undefined {
  if (body.KV !== undefined) return { kv: toKvOp(body.KV) };
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
  return { check: { verb: Verb, node: Check.Node, check: toCheck(Check), index } };
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function toKvOp({ Verb, Key, Value, Flags, Index, Session }: KvBody) {
  if (!BASE64.test(Value)) {
    throw new ProconsulError('invalid', `Failed to parse body: illegal base64 data in "${Key}"`);
  }
  const bytes = Buffer.byteLength(Value, 'base64');
  if (bytes > MAX_KV_VALUE_BYTES) {
    const size = `${bytes} > ${MAX_KV_VALUE_BYTES} bytes`;
    throw new ProconsulError('too-large', `Value for key "${Key}" is too large (${size})`);
  }
  const value = Value === '' ? null : Value;
  return { verb: Verb, key: Key, value, flags: Flags, index: Index, session: Session };
}

/** What Consul refuses before it asks the state. */
function impossible(ops: readonly TxnOp[]): TxnError[] {
  const errors: TxnError[] = [];
  for (const [OpIndex, op] of ops.entries()) {
    if ('node' in op && op.node.node.Node === '') {
      errors.push({ OpIndex, What: 'Must provide node' });
    } else if ('service' in op && op.service.verb !== 'get' && op.service.service.Service === '') {
      errors.push({ OpIndex, What: 'Must provide service name with ID' });
    } else if ('kv' in op && op.kv.key === '') {
      errors.push({ OpIndex, What: 'Must provide key' });
    }
  }
  return errors;
}

function reply(outcome: Outcome): Reply {
  return { status: outcome.applied ? 200 : 409, json: answer(outcome) };
}

function answer({ applied, results, errors }: Outcome) {
  if (!applied) return { Results: null, Errors: errors ?? [] };
  return { Results: (results ?? []).map(shownResult), Errors: null };
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

function readReply({ readiness }: ServerDeps, outcome: Outcome): Reply {
  const { knownLeader, lastContactMs } = readiness;
  return {
    status: outcome.applied ? 200 : 409,
    headers: {
      'X-Consul-Knownleader': String(knownLeader),
      'X-Consul-Lastcontact': String(Math.round(lastContactMs)),
    },
    json: {
      ...answer(outcome),
      Index: 0,
      LastContact: Math.round(lastContactMs) * 1e6,
      KnownLeader: knownLeader,
      ConsistencyLevel: '',
    },
  };
}
