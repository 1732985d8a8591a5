/**
 * What was seen of external nodes comes into the catalog: a status when it changes, an output alone once
 * in a while. A write names the state of the check that it replaces, so that of two servers which both
 * look, for a moment, one writes, and nothing is put back that is gone.
 */
import type { Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Check, CheckDefinition } from '../../lib/model.ts';
import type { Command } from '../commands.ts';
import { definitionOf, isSameToSee, NODE_HEALTH } from '../state/agentless.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { rowKey } from '../state/topic-names.ts';
import type { Sight } from './lookout.ts';
import { OutputPace } from './output-pace.ts';

export interface FindingsDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  /** How often an output may be written whose status stays. */
  readonly outputMs: number;
}

/** As consul-esm registers it. */
const NODE_CHECK: CheckDefinition = {
  CheckID: NODE_HEALTH,
  Name: 'External Node Status',
  Status: '',
  Notes: '',
  Output: '',
  ServiceID: '',
  Type: '',
  Definition: {},
};

/** Enough of what a check says to know what is wrong. */
const MAX_TOLD_CHARS = 200;

export class Findings {
  readonly #deps: FindingsDeps;
  readonly #pace: OutputPace;
  /** What is on its way to the log: the next look will see whether it got there. */
  readonly #writing = new Set<string>();

  constructor(deps: FindingsDeps) {
    this.#deps = deps;
    this.#pace = new OutputPace(deps.clock, deps.outputMs);
  }

  /** Of a check that still says to look there: what is gone is not made anew. */
  async ofCheck(seen: Check, sight: Sight): Promise<void> {
    const row = this.#deps.state().catalog.check(seen.Node, seen.CheckID);
    if (row === undefined || !isSameToSee(seen, row)) return;
    await this.#write(row, definitionOf(row), sight);
  }

  /** The check of the node itself is made where it is not there. */
  async ofNode(name: string, sight: Sight): Promise<void> {
    const { catalog } = this.#deps.state();
    const node = catalog.node(name);
    if (node === undefined) return;
    const row = catalog.check(name, NODE_HEALTH) ?? { Node: node.Node, ModifyIndex: 0 };
    await this.#write(row, NODE_CHECK, sight);
  }

  async #write(
    row: Pick<Check, 'Node' | 'ModifyIndex'> & Partial<Check>,
    definition: CheckDefinition,
    { status, output }: Sight,
  ): Promise<void> {
    const { propose, logger } = this.#deps;
    const { Node: node, ModifyIndex: index } = row;
    const key = rowKey(node, definition.CheckID);
    if (this.#writing.has(key) || !this.#isNews(key, row, { status, output })) return;
    const check = { ...definition, Status: status, Output: output };
    this.#writing.add(key);
    try {
      const { applied } = await propose({
        type: 'txn',
        ops: [{ check: { verb: 'cas', node, check, index } }],
      });
      if (applied && row.Status !== status) this.#tell(node, check, row.Status);
    } catch (error) {
      // The log is away, or full: the next look is written where this one still holds.
      logger.debug(`external: ${describeChain(error)}`);
    } finally {
      this.#writing.delete(key);
    }
  }

  #isNews(key: string, row: Partial<Check>, { status, output }: Sight): boolean {
    if (row.Status !== status) return true;
    return row.Output !== output && this.#pace.allows(key);
  }

  #tell(node: string, { CheckID, ServiceID, Status, Output }: CheckDefinition, was?: string): void {
    const { logger } = this.#deps;
    const [line = ''] = Output.trimStart().split('\n', 1);
    const output = line.trimEnd().slice(0, MAX_TOLD_CHARS) || undefined;
    const fields = { check: CheckID, service: ServiceID || undefined, node, was, output };
    const said = `external: Check is now ${Status}`;
    if (Status === 'passing') logger.info(said, fields);
    else logger.warn(said, fields);
  }
}
