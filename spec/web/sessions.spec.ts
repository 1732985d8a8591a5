import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { startGuardedServer, startWebServer, type WebServer } from '../support/web-server.ts';

describePage('the page of sessions and locks', () => {
  async function lock({ put }: WebServer, keys: readonly string[], made: object = {}, token = '') {
    const { ID } = JSON.parse(await put('/v1/session/create', made, token)) as { ID: string };
    for (const key of keys) await put(`/v1/kv/${key}?acquire=${ID}`, 'x', token);
    return ID;
  }
  const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

  it('shows each with what it holds and when it ends, in words, and is live', async () => {
    const server = await startWebServer();
    const made = { Name: 'election', LockDelay: '90s', TTL: '30s', Behavior: 'delete' };
    const id = await lock(server, ['app/leader', 'b', 'c'], made);
    const page = await server.open('sessions');
    const row = rowOf(page, 'election');
    for (const text of ['30 s after a renewal', '1 min 30 s', 'its keys are deleted', 'and 1 more'])
      await row.getByText(text).waitFor();
    await page.getByText('1 session, 1 holding locks').waitFor();
    await server.put(`/v1/kv/b?release=${id}`);
    await row.getByText('and 1 more').waitFor({ state: 'detached' });
    await row.getByRole('link', { name: 'app/leader' }).click();
    await page.getByText('by the session election of n1').waitFor();
  });

  it('is reached by keys, and says what to do where there is none', async () => {
    const { open } = await startWebServer();
    const page = await open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('l');
    await page.getByText('There is no session').waitFor();
    await page.getByText('proconsul lock locks/backup ./backup.sh').waitFor();
  });

  it('ends one, after it has said what is lost and that nothing brings it back', async () => {
    const server = await startWebServer();
    await lock(server, ['leader'], { Name: 'election' });
    const page = await server.open('sessions');
    await page.getByRole('button', { name: 'Invalidate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Others may take 1 lock at once, without a delay.').waitFor();
    await dialog.getByText('There is no way back').waitFor();
    await dialog.getByText('/v1/session/destroy/').waitFor({ state: 'attached' });
    await dialog.getByRole('button', { name: 'Invalidate' }).click();
    await page.getByText('There is no session').waitFor();
    const key = await server.get<{ Session?: string }[]>('/v1/kv/leader');
    assert.equal(key[0]?.Session, undefined);
  });

  it('finds one by the key that it holds', async () => {
    const server = await startWebServer();
    await lock(server, ['app/leader'], { Name: 'one' });
    await lock(server, ['app/backup'], { Name: 'two' });
    const page = await server.open('sessions');
    await rowOf(page, 'one').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('backup');
    await rowOf(page, 'one').waitFor({ state: 'detached' });
    await rowOf(page, 'two').waitFor();
  });

  it('says that one may lose more than the token may see', async () => {
    const server = await startGuardedServer();
    await lock(server, ['secret', 'shown'], { Name: 'election', Behavior: 'delete' }, 'root');
    const rules = 'session_prefix "" { policy = "write" } key "shown" { policy = "read" }';
    const page = await server.openWith(rules, 'sessions');
    await page.getByRole('button', { name: 'Invalidate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('All keys that it holds will be deleted.').waitFor();
    await dialog.getByText('You see 1 of them; there may be more').waitFor();
  });

  it('says what a token may not see, and offers no action that it may not do', async () => {
    const server = await startGuardedServer();
    await lock(server, ['secret'], { Name: 'election' }, 'root');
    const none = await server.openWith('service_prefix "" { policy = "read" }', 'sessions');
    await none.getByText('You may not see this').waitFor();
    const look = 'session_prefix "n" { policy = "read" }';
    const page = await server.openWith(look, 'sessions');
    await rowOf(page, 'election').getByText('no lock').waitFor();
    await page.getByText('there may be more than is shown').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Invalidate' }).count(), 0);
    const write = 'session_prefix "" { policy = "write" } key_prefix "" { policy = "read" }';
    const all = await server.openWith(write, 'sessions');
    await rowOf(all, 'election').getByRole('link', { name: 'secret' }).waitFor();
    await all.getByRole('button', { name: 'Invalidate' }).waitFor();
    await until(async () => (await all.getByText('may be more than').count()) === 0);
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const server = await startWebServer();
      await lock(server, ['app/leader', 'a', 'b'], { Name: 'election', TTL: '30s' });
      await lock(server, []);
      const page = await server.open('sessions', screen);
      await rowOf(page, 'election').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
