/**
 * What is said at an agent of something that it does not know, in a server's process: the check of a node
 * that has no agent is reported, its service taken out. An id is unique on its node alone: of several only
 * those count that the caller may change, and where that leaves more than one, nobody guesses.
 */
import { permissionDenied } from '../../lib/acl/refusals.ts';
import type { Rights } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { HttpRequest } from '../../lib/http/route.ts';
import type { Check, CheckStatus, Instance } from '../../lib/model.ts';
import { Judge } from '../acl/judge-rows.ts';
import type { Deregister } from '../commands.ts';
import { definitionOf, ttlMs } from '../state/agentless.ts';
import type { State } from '../state/state.ts';
import { fold } from '../state/topic-names.ts';
import { type AgentlessDeps, writeAs } from './deps.ts';

type Asking = Pick<HttpRequest, 'callerStill'>;

interface Named {
  readonly id: string;
  /** '' where it is not said. */
  readonly node: string;
}

interface Report extends Named {
  readonly status: CheckStatus;
  readonly output: string;
}

/** What somebody may mean by an id. */
interface Sought<Row> {
  readonly what: string;
  find(catalog: State['catalog'], id: string): readonly Row[];
  /** Whether it may be done to this one, by whose it is. */
  may(judge: Judge, row: Row): boolean;
  /** An agent that takes out what it does not know says that it is done. */
  readonly mayBeUnknown: boolean;
}

const REPORTED: Sought<Check> = {
  what: 'check',
  find: (catalog, id) => catalog.checksWithId(id),
  may: (judge, check) => judge.mayReport(check),
  mayBeUnknown: false,
};

const CHECK: Sought<Check> = {
  ...REPORTED,
  may: (judge, check) => judge.mayTakeOut(check),
  mayBeUnknown: true,
};

const SERVICE: Sought<Instance> = {
  what: 'service',
  find: (catalog, id) => catalog.instancesWithId(id),
  may: (judge, instance) => judge.mayTakeOut(instance),
  mayBeUnknown: true,
};

/** How often a check is looked up that others change at the same moment. */
const MAX_TRIES = 8;
/** So many nodes are named to whoever has to choose. */
const MAX_NAMED = 5;

/** Each answers false where nobody has it: it is as unknown as anything. */
export class AgentlessReports {
  readonly #deps: AgentlessDeps;

  constructor(deps: AgentlessDeps) {
    this.#deps = deps;
  }

  async report(asking: Asking, { status, output, ...named }: Report): Promise<boolean> {
    for (let n = 0; n < MAX_TRIES; n++) {
      const check = await this.#theOne(asking, REPORTED, named);
      if (check === undefined) return false;
      if (ttlMs(check) === 0) {
        throw new ProconsulError('rejected', `CheckID "${named.id}" does not have associated TTL`);
      }
      // First: once it is written that it is well, nobody may find that its time was over before.
      await this.#deps.reporting.renew(check);
      if (!this.#isNews(check, status, output)) return true;
      if (await this.#write(asking, check, { Status: status, Output: output })) return true;
    }
    const text = `check "${named.id}" is changed by others all the time`;
    throw new ProconsulError('unavailable', text);
  }

  async deregisterService(asking: Asking, named: Named): Promise<boolean> {
    const instance = await this.#theOne(asking, SERVICE, named);
    return await this.#takeOut(asking, instance && { node: instance.Node, serviceId: instance.ID });
  }

  async deregisterCheck(asking: Asking, named: Named): Promise<boolean> {
    const check = await this.#theOne(asking, CHECK, named);
    return await this.#takeOut(asking, check && { node: check.Node, checkId: check.CheckID });
  }

  /** What is meant, of all that have the id; undefined where there is none. */
  async #theOne<Row extends Check | Instance>(
    asking: Asking,
    sought: Sought<Row>,
    named: Named,
  ): Promise<Row | undefined> {
    const rows = await this.#rows(sought, named);
    if (rows.length === 0) return undefined;
    const { rights } = await asking.callerStill();
    const { catalog } = this.#deps.state();
    const judge = new Judge(this.#deps.state(), rights);
    const own = rights.all ? rows : rows.filter((row) => sought.may(judge, row));
    if (own.length === 0) throw permissionDenied();
    const nodes = own.map(({ Node }) => Node);
    const text = `${sought.what} ${JSON.stringify(named.id)} is on ${told(rights, nodes)}`;
    if (nodes.every((node) => catalog.hasAgent(node))) {
      if (sought.mayBeUnknown && named.node === '') return undefined;
      throw new ProconsulError('rejected', `${text}: the agent there is the one to tell`);
    }
    if (own.length > 1) throw new ProconsulError('rejected', `${text}: say which by ?node=`);
    return own[0];
  }

  /** What this server does not know it may only not have read yet, or others alone, whom it does not hear. */
  async #rows<Row extends Check | Instance>(
    { find }: Sought<Row>,
    { id, node }: Named,
  ): Promise<readonly Row[]> {
    const { state, readiness } = this.#deps;
    const found = () => {
      const rows = find(state().catalog, id);
      return node === '' ? rows : rows.filter(({ Node }) => fold(Node) === fold(node));
    };
    const rows = found();
    if (rows.length > 0) return rows;
    return await readiness.read('consistent', found);
  }

  #isNews(check: Check, status: CheckStatus, output: string): boolean {
    if (check.Status !== status) return true;
    return check.Output !== output && this.#deps.reporting.allowsOutput(check);
  }

  /** False where it was changed meanwhile. */
  async #write(
    asking: Asking,
    check: Check,
    said: Pick<Check, 'Status' | 'Output'>,
  ): Promise<boolean> {
    const { Node: node, ModifyIndex: index } = check;
    const op = { verb: 'cas', node, check: { ...definitionOf(check), ...said }, index };
    return (await writeAs(asking, this.#deps, { type: 'txn', ops: [{ check: op }] })).applied;
  }

  async #takeOut(
    asking: Asking,
    what: Omit<Deregister, 'type' | 'judged'> | undefined,
  ): Promise<boolean> {
    if (what === undefined) return false;
    await writeAs(asking, this.#deps, { type: 'deregister', ...what });
    return true;
  }
}

/** The nodes in words, by name as far as they may be seen. */
function told(rights: Rights, nodes: readonly string[]): string {
  const seen = nodes.filter((node) => rights.may('node', 'read', node)).sort();
  const named = seen.slice(0, MAX_NAMED).map((node) => JSON.stringify(node));
  const [all, others] = [nodes.length, nodes.length - named.length];
  if (named.length === 0) return all === 1 ? 'a node' : `${all} nodes`;
  const more = others > 0 ? ` and ${others} more` : '';
  return `${all === 1 ? 'node' : 'nodes'} ${named.join(', ')}${more}`;
}
