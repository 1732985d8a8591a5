/** A leader's duty to config entries: those of the configuration are there, where none of their names is. */
import type { ConfigEntryDefinition } from '../../lib/config-entries/entry.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';

export interface FirstEntriesDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly logger: Logger;
}

export class FirstEntries {
  readonly #deps: FirstEntriesDeps;
  readonly #entries: readonly ConfigEntryDefinition[];

  constructor(deps: FirstEntriesDeps, entries: readonly ConfigEntryDefinition[]) {
    this.#deps = deps;
    this.#entries = entries;
  }

  /** In their order: one may need what another one says. */
  async begin(): Promise<void> {
    const { state, propose, logger } = this.#deps;
    for (const entry of this.#entries) {
      const { Kind, Name } = entry;
      if (state().configEntries.get(Kind, Name) !== undefined) continue;
      const { refused } = await propose({ type: 'set-config-entry', entry, cas: 0 });
      if (refused === undefined) continue;
      logger.error(`config_entries.bootstrap: ${Kind}/${Name} is not made: ${refused}`);
    }
  }

  /** Whoever deletes one means it. */
  tick(): Promise<void> {
    return Promise.resolve();
  }
}
