/**
 * Says in the log how checks stand, when that changes: what an operator looks for first. That the same
 * is found again is no news. A check that is well from its first look on is one of thousands at a start.
 */
import type { Fields, Logger } from '../../lib/logger.ts';
import type { LocalState } from '../state/local-state.ts';

/** Enough of what a check says to know what is wrong. */
const MAX_OUTPUT_CHARS = 200;

export interface StatusNewsOptions {
  readonly local: LocalState;
  readonly node: string;
  readonly logger: Logger;
}

export class StatusNews {
  readonly #options: StatusNewsOptions;
  /** By check: what was said of it last, or what it was registered with. */
  readonly #said = new Map<string, string>();
  readonly #stopObserving: () => void;

  constructor(options: StatusNewsOptions) {
    this.#options = options;
    this.#stopObserving = options.local.observe({
      checkChanged: (id) => this.#look(id),
      // A check that is critical until it is first looked at, and then is found to be.
      outputChanged: (id) => this.#look(id),
    });
  }

  stop(): void {
    this.#stopObserving();
  }

  #look(id: string): void {
    const definition = this.#options.local.checks.get(id)?.definition;
    if (definition === undefined) {
      this.#said.delete(id);
      return;
    }
    const { Status, Output, ServiceID } = definition;
    const before = this.#said.get(id);
    if (before === Status) return;
    // Nobody has looked yet. Critical is what it begins with, and is news once it is found to be so.
    const isUnseen = before === undefined && Output === '';
    if (!isUnseen || Status !== 'critical') this.#said.set(id, Status);
    if (isUnseen) return;
    this.#tell(before, Status, {
      check: id,
      service: ServiceID || undefined,
      node: this.#options.node,
      was: before,
      output: firstLine(Output) || undefined,
    });
  }

  #tell(before: string | undefined, status: string, fields: Fields): void {
    const { logger } = this.#options;
    const line = `agent: Check is now ${status}`;
    if (status !== 'passing') logger.warn(line, fields);
    else if (before === undefined) logger.debug(line, fields);
    else logger.info(line, fields);
  }
}

function firstLine(output: string): string {
  const [line = ''] = output.trimStart().split('\n', 1);
  return line.trimEnd().slice(0, MAX_OUTPUT_CHARS);
}
