/** How the catalog answers, whichever part of a sync asks: what fails is counted in one place, and so none fails unseen. */
import type { Clock } from '../lib/clock.ts';
import type { Catalog, CatalogAnswer, CatalogRequest } from './catalog.ts';

/** Whatever is still wanted was tried again by then. */
const LASTING_MS = 60_000;
const MAX_FAILING = 5000;

export class SeenCatalog implements Catalog {
  readonly #catalog: Catalog;
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** By what was asked: when it failed last, since it was answered. */
  readonly #failing = new Map<string, number>();
  /** Questions, and writes, that were refused or had no answer. */
  readonly failures = { read: 0, write: 0 };

  constructor(catalog: Catalog, clock: Pick<Clock, 'monotonic'>) {
    this.#catalog = catalog;
    this.#clock = clock;
  }

  /** Something of it fails, and goes on to. */
  get isFailing(): boolean {
    const since = this.#clock.monotonic() - LASTING_MS;
    for (const [what, at] of this.#failing) if (at < since) this.#failing.delete(what);
    return this.#failing.size > 0;
  }

  async ask(request: CatalogRequest, signal: AbortSignal): Promise<CatalogAnswer> {
    // What is asked by POST, as what a token may do, changes nothing.
    const isWrite = request.method === 'PUT' || request.method === 'DELETE';
    const how = isWrite ? 'write' : 'read';
    const what = `${how} ${request.path}`;
    try {
      const answer = await this.#catalog.ask(request, signal);
      this.#failing.delete(what);
      return answer;
    } catch (error) {
      // Nobody waits for it any more.
      if (signal.aborted) throw error;
      this.failures[how]++;
      if (this.#failing.size < MAX_FAILING || this.#failing.has(what))
        this.#failing.set(what, this.#clock.monotonic());
      throw error;
    }
  }
}
