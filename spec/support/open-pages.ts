/** Pages of the browser that a spec has open: they close before what they ask does, which would be a problem of theirs. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

export interface OpenPage {
  readonly page: Page;
  /** What went wrong in it. */
  readonly problems: string[];
}

let opened: OpenPage[] = [];

export function noteOpen(page: OpenPage): void {
  opened.push(page);
}

export async function closePages(): Promise<void> {
  const pages = opened;
  opened = [];
  const problems = pages.flatMap((each) => [...each.problems]);
  await Promise.all(pages.map(({ page }) => page.context().close()));
  assert.deepEqual(problems, []);
}
