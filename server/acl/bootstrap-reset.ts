/**
 * The file by which whoever has the machine, and has lost all tokens that may do anything, makes
 * another one: it must name the index that a refused bootstrap tells.
 */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../../lib/logger.ts';

const NAME = 'acl-bootstrap-reset';

export class BootstrapReset {
  readonly #path: string | undefined;
  readonly #logger: Logger;

  /** `folder` is '' where nothing is kept: then there is no such file. */
  constructor(folder: string, logger: Logger) {
    this.#path = folder === '' ? undefined : path.join(folder, NAME);
    this.#logger = logger;
  }

  /** The index that it names; 0 where there is none, or nonsense in it. */
  async read(): Promise<number> {
    if (this.#path === undefined) return 0;
    const text = await readFile(this.#path, 'utf8').catch(() => '');
    if (text === '') return 0;
    const index = Number(text.trim());
    if (Number.isSafeInteger(index) && index > 0) return index;
    this.#logger.error(`acl: ${this.#path} does not hold an index, as it must`);
    return 0;
  }

  /** It counts once. */
  async remove(): Promise<void> {
    if (this.#path === undefined) return;
    await rm(this.#path, { force: true }).catch((error: Error) => {
      this.#logger.error(`acl: ${this.#path} must be removed by hand: ${error.message}`);
    });
  }
}
