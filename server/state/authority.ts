/** The mesh's authority: what it was told, its roots, and the keys by which they sign. */
import type { CaRoot } from '../../lib/connect/model.ts';
import type { RootKey, StoredCaConfig } from '../connect-commands.ts';
import { type Journal, Table } from './table.ts';
import { CA, TRUST_DOMAIN } from './topic-names.ts';
import type { Topics } from './topics.ts';

export class Authority {
  readonly #topics: Topics;
  /** One row at most, by the name 'config'. */
  readonly configs: Table<StoredCaConfig>;
  /** By their IDs. */
  readonly roots: Table<CaRoot>;
  /** By the IDs of the roots. No query reads them. */
  readonly keys: Table<RootKey>;

  constructor(journal: Journal, topics: Topics) {
    this.#topics = topics;
    const touch = () => this.#topics.touch(CA);
    this.configs = new Table(journal, (before, after) => {
      touch();
      if (before?.ClusterID !== after?.ClusterID) this.#topics.touch(TRUST_DOMAIN);
    });
    this.roots = new Table(journal, touch);
    this.keys = new Table(journal);
  }

  get config(): StoredCaConfig | undefined {
    return this.configs.get('config');
  }

  get activeRoot(): CaRoot | undefined {
    for (const root of this.roots.values()) if (root.Active) return root;
    return undefined;
  }
}
