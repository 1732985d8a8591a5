/** Who may run a transaction's operations: each is refused for itself, and what may not be seen is left out. */
import { PERMISSION_DENIED, permissionDenied } from '../../lib/acl/refusals.ts';
import type { Rights } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { CheckOp, KvOp, NodeOp, ServiceOp, TxnOp } from '../commands.ts';
import type { TxnError, TxnResult } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { Judge } from './judge-rows.ts';

/** Some of its operations are refused; the others are not done either. */
export class TxnRefused extends ProconsulError {
  readonly errors: readonly TxnError[];

  constructor(errors: readonly TxnError[]) {
    super('forbidden', PERMISSION_DENIED);
    this.errors = errors;
  }
}

/** Throws TxnRefused. Operations count for those after them. */
export function judgeTxn(state: State, rights: Rights, ops: readonly TxnOp[]): void {
  const judging = new TxnJudge(state, rights);
  const errors: TxnError[] = [];
  for (const [OpIndex, op] of ops.entries()) {
    try {
      judging.op(op);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      errors.push({ OpIndex, What: error.message });
    }
  }
  if (errors.length > 0) throw new TxnRefused(errors);
}

const FILTERED = new Set(['get', 'get-tree']);
/** Their outcome alone tells something of the key. */
const TELLING = new Set(['check-session', 'check-index']);

class TxnJudge {
  readonly #judge: Judge;
  readonly #rights: Rights;
  /** The services of instances that operations before have made. */
  readonly #made = new Map<string, string>();

  constructor(state: State, rights: Rights) {
    this.#judge = new Judge(state, rights);
    this.#rights = rights;
  }

  op(op: TxnOp): void {
    if ('kv' in op) this.#kv(op.kv);
    else if ('node' in op) this.#node(op.node);
    else if ('service' in op) this.#service(op.service);
    else this.#check(op.check);
  }

  #kv(op: KvOp): void {
    if (FILTERED.has(op.verb)) return;
    if (!TELLING.has(op.verb)) this.#judge.kv(op);
    else if (!this.#rights.may('key', 'read', op.key)) throw permissionDenied();
  }

  #node({ verb, node }: NodeOp): void {
    if (verb !== 'get') this.#judge.node(node);
  }

  #service({ verb, node, service }: ServiceOp): void {
    if (verb === 'get') return;
    this.#judge.instance(node, service);
    this.#made.set(`${node}\0${service.ID}`, service.Service);
  }

  #check({ verb, node, check }: CheckOp): void {
    if (verb === 'get') return;
    this.#judge.check(node, check, this.#made.get(`${node}\0${check.ServiceID}`));
  }
}

/** Whether an operation reads what may not be seen by its very name: then it is as if it were not there. */
export function isUnseen({ catalog }: State, rights: Rights, op: TxnOp): boolean {
  if ('kv' in op) return op.kv.verb === 'get' && !rights.may('key', 'read', op.kv.key);
  if (!('node' in op) || op.node.verb !== 'get') return false;
  const { ID, Node } = op.node.node;
  const name = catalog.nodeById(ID)?.Node ?? catalog.node(Node)?.Node ?? Node;
  return !rights.may('node', 'read', name);
}

/** As Consul: an instance and a service's check are seen by the service alone, whatever node they are on. */
export function isSeen(rights: Rights, result: TxnResult): boolean {
  if ('KV' in result) return rights.may('key', 'read', result.KV.Key);
  if ('Node' in result) return rights.may('node', 'read', result.Node.Node);
  if ('Service' in result) return rights.may('service', 'read', result.Service.Service);
  const { Node, ServiceName } = result.Check;
  if (ServiceName === '') return rights.may('node', 'read', Node);
  return rights.may('service', 'read', ServiceName);
}
