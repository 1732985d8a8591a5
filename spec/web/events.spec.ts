import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { told } from '../support/told.ts';
import { startGuardedServer, startWebServer } from '../support/web-server.ts';

describePage('the page of events', () => {
  const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });
  const begin = (page: Page) => page.getByRole('button', { name: 'Fire an event' }).click();

  it('shows what was fired, the newest first, for whom, and is live', async () => {
    const { put, open } = await startWebServer();
    await put('/v1/event/fire/deploy?service=consul', '1.2.3');
    const page = await open('events');
    const row = rowOf(page, 'deploy');
    for (const text of ['1.2.3', 'services consul']) await row.getByText(text).waitFor();
    for (let i = 0; i < 3; i++) {
      await put(`/v1/event/fire/again-${i}`);
      await rowOf(page, `again-${i}`).getByText('everybody').waitFor();
    }
    await page.getByText('4 events, the newest first').waitFor();
    await page.getByRole('row').nth(1).getByText('again-2').waitFor();
  });

  it('fires one, with the same as a command', async () => {
    const { open, get } = await startWebServer();
    const page = await open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.getByText('No event is known').waitFor();
    await begin(page);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('deploy');
    await dialog.getByLabel('What it says').fill("it's 1");
    await dialog.getByLabel('For nodes', { exact: true }).fill('n1');
    const command = `proconsul event -name=deploy -node=n1 'it'\\''s 1'`;
    await dialog.getByText(command).waitFor({ state: 'attached' });
    await dialog.getByRole('button', { name: 'Fire', exact: true }).click();
    await told(page, 'deploy is fired.');
    await rowOf(page, 'deploy').getByText("it's 1").waitFor();
    const [event] = await get<{ NodeFilter: string }[]>('/v1/event/list');
    assert.equal(event?.NodeFilter, 'n1');
  });

  it('fires nothing that a token may not, and says what it may not see', async () => {
    const { put, openWith } = await startGuardedServer();
    await put('/v1/event/fire/deploy', 'x', 'root');
    const none = await openWith('service_prefix "" { policy = "read" }', 'events');
    await none.getByText('You may not see this').waitFor();
    const page = await openWith('event "deploy" { policy = "write" }', 'events');
    await rowOf(page, 'deploy').waitFor();
    await begin(page);
    const fire = page.getByRole('button', { name: 'Fire', exact: true });
    await page.getByLabel('Name', { exact: true }).fill('other');
    await page.getByText('Your token may not fire other.').waitFor();
    assert.equal(await fire.isEnabled(), false);
    await page.getByLabel('Name', { exact: true }).fill('deploy');
    await fire.click();
    await told(page, 'deploy is fired.');
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { put, open } = await startWebServer();
      await put('/v1/event/fire/deploy?service=consul', '1.2.3');
      const page = await open('events', screen);
      await rowOf(page, 'deploy').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await begin(page);
      await page.getByLabel('What it says').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
