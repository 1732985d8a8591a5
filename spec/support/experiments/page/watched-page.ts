/** The page of services as an experiment looks at it. */

import { fileURLToPath } from 'node:url';
import type { CDPSession, Page } from 'playwright-core';
import { openPage } from '../../browser.ts';
import { until } from '../../until.ts';
import { metricsOf, type Size, sizeOf } from './page-size.ts';

const WATCH = fileURLToPath(new URL('./watch.mjs', import.meta.url));
const OVERVIEW = '/v1/internal/overview/services';
const PATIENCE_MS = 60_000;

export class WatchedPage {
  readonly #page: Page;
  readonly #devtools: CDPSession;
  /** Of the newest answer that it has. */
  #index = 0;

  private constructor(page: Page, devtools: CDPSession) {
    this.#page = page;
    this.#devtools = devtools;
    page.on('response', (response) => {
      if (!response.url().includes(OVERVIEW)) return;
      const index = Number(response.headers()['x-consul-index'] ?? 0);
      this.#index = Math.max(this.#index, index);
    });
  }

  static async open(address: string): Promise<WatchedPage> {
    const page = await openPage(address, { first: WATCH });
    page.setDefaultTimeout(PATIENCE_MS);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    return new WatchedPage(page, devtools);
  }

  close(): Promise<void> {
    return this.#page.close();
  }

  /** In whole milliseconds since it was asked for. */
  async firstSight(): Promise<{ readonly paint: number; readonly rows: number }> {
    const rows: number = await this.#page.evaluate('watch.firstRows');
    const [paint, from]: [number, number] = await this.#page.evaluate(
      "[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.timeOrigin]",
    );
    return { paint: Math.round(paint), rows: Math.round(rows - from) };
  }

  /** Shows a list without a program in place of the page: what this machine's browser does at best. */
  bare(rows: number): Promise<void> {
    return this.#page.evaluate(`watch.bare(${rows})`);
  }

  scrolled(frames: number, pixels: number): Promise<{ times: number[]; blank: number }> {
    return this.#page.evaluate(`watch.scrolled(${frames}, ${pixels})`);
  }

  /** When a row of that name is in sight and says the text, or, where that is not to be, none is that does. */
  says(name: string, text: string, isSaid = true): Promise<number> {
    const [quotedName, quotedText] = [JSON.stringify(name), JSON.stringify(text)];
    return this.#page.evaluate(`watch.says(${quotedName}, ${quotedText}, ${isSaid})`);
  }

  /** When it says that of its server; '' when it says nothing. */
  status(text: string): Promise<number> {
    return this.#page.evaluate(`watch.status(${JSON.stringify(text)})`);
  }

  async hasRows(): Promise<boolean> {
    return (await this.#page.locator('.rows .row').count()) > 0;
  }

  /** Resolves when it has an answer of the index, or of a later one. */
  async reaches(index: number): Promise<void> {
    await until(
      () => this.#index >= index,
      () => `${this.#index}, of ${index}`,
      PATIENCE_MS,
    );
  }

  /** Through the other lists, and back. By links: keys that follow each other late, on a machine that is busy, are no command. */
  async walk(): Promise<void> {
    for (const title of ['Nodes', 'Key/Value', 'Cluster', 'Services']) {
      await this.#page.locator('nav#navigation').getByRole('link', { name: title }).click();
      await this.#page.getByRole('heading', { name: title, level: 1 }).waitFor();
    }
    await this.#page.locator('.rows .row').first().waitFor();
  }

  /** For how long its thread has been at work, on a processor. */
  async workedMs(): Promise<number> {
    const of = await metricsOf(this.#devtools);
    return of('TaskDuration') * 1000;
  }

  size(): Promise<Size> {
    return sizeOf(this.#devtools);
  }
}
