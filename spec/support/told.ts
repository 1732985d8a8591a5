/**
 * What the page says once something is done, beside all else: a text that may stand on the page before as well, in a form
 * or its commands, says nothing of that.
 */
import type { Locator, Page } from 'playwright-core';

const TAKEN_BACK = 'Taken back.';
const NOT_DONE = 'Somebody else has changed it meanwhile: nothing was done.';

const toasts = (page: Page, text: string) => page.locator('.toast').filter({ hasText: text });
const undoOf = (page: Page, text: string): Locator =>
  toasts(page, text).last().getByRole('button', { name: 'Undo', exact: true });

/** Until it is told. */
export async function told(page: Page, text: string): Promise<void> {
  await toasts(page, text).last().waitFor();
}

/** Until it is told, with a way back. */
export async function toldWithUndo(page: Page, text: string): Promise<void> {
  await undoOf(page, text).waitFor();
}

/** What was told so is taken back, and that is told; of what, no other way back is taken for it. */
export async function takeBack(page: Page, text: string): Promise<void> {
  await forget(page, TAKEN_BACK);
  await undoOf(page, text).click();
  await told(page, TAKEN_BACK);
}

/** Whatever comes of it. */
export async function triesToTakeBack(page: Page, text: string): Promise<void> {
  await undoOf(page, text).click();
}

/** The same, where somebody else was there. */
export async function takesNothingBack(page: Page, text: string): Promise<void> {
  await forget(page, NOT_DONE);
  await undoOf(page, text).click();
  await told(page, NOT_DONE);
  await forget(page, NOT_DONE);
}

/** What was told before would be taken for what is told next. */
async function forget(page: Page, text: string): Promise<void> {
  for (;;) {
    const said = toasts(page, text).first();
    if ((await said.count()) === 0) return;
    // It may go by itself.
    await said
      .getByRole('button', { name: 'Dismiss', exact: true })
      .click({ timeout: 1000 })
      .catch(() => undefined);
  }
}
