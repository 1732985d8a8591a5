import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, openPage, SCREENS } from '../support/browser.ts';
import { type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { slashLeadsTo } from '../support/slash.ts';
import { takeBack, told } from '../support/told.ts';
import { until } from '../support/until.ts';

describePage('the page of keys', () => {
  const put = async ({ port }: Proconsul, path: string, body: string | object) => {
    const { status, text, json } = await send(port, 'PUT', path, { body });
    assert.equal(status, 200, text);
    return json;
  };

  const get = async ({ port }: Proconsul, key: string) =>
    (await send(port, 'GET', `/v1/kv/${key}?raw`, {})).text;

  async function start(keys: Readonly<Record<string, string>> = {}): Promise<Proconsul> {
    const server = await startProconsul(['-dev']);
    for (const [key, value] of Object.entries(keys)) await put(server, `/v1/kv/${key}`, value);
    return server;
  }

  const open = ({ port }: Proconsul, query = '', screen = {}) =>
    openPage(`http://127.0.0.1:${port}/ui/dc1/kv${query}`, screen);
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const value = (page: Page) => page.getByRole('textbox', { name: 'Value' });
  const says = (page: Page, text: string) =>
    until(async () => (await value(page).inputValue()) === text);

  it('leads through folders to what a key says, which its address keeps, and is live', async () => {
    const server = await start({ 'app/web/color': 'blue', 'app/size': '7' });
    const page = await open(server);
    await button(page, 'app/').click();
    await button(page, 'web/').click();
    await button(page, 'color').click();
    await says(page, 'blue');
    await put(server, '/v1/kv/app/web/color', 'red');
    await says(page, 'red');
    await put(server, '/v1/kv/app/web/shape', 'round');
    await button(page, 'shape').waitFor();
    const again = await openPage(page.url());
    await says(again, 'red');
    await button(page, 'all').click();
    await button(page, 'app/').waitFor();
  });

  it('goes back step by step, as somebody came', async () => {
    const page = await open(await start({ 'app/web/color': 'blue', 'app/size': '7' }));
    await button(page, 'app/').click();
    await button(page, 'size').click();
    await says(page, '7');
    await button(page, 'web/').click();
    await button(page, 'color').waitFor();
    await page.goBack();
    await says(page, '7');
    await page.goBack();
    await value(page).waitFor({ state: 'detached' });
    await button(page, 'web/').waitFor();
    await page.goBack();
    await button(page, 'app/').waitFor();
    await page.goForward();
    await button(page, 'web/').waitFor();
  });

  it('searches names, and below a folder values too', async () => {
    const server = await start({
      'app/color': 'blue',
      'app/deep/size': 'seven',
      'app/shape': 'round',
    });
    const page = await open(server, '?folder=app/');
    await page.getByPlaceholder('Words in names', { exact: true }).waitFor();
    await slashLeadsTo(page, page.getByRole('searchbox'));
    await page.keyboard.type('col');
    await button(page, 'shape').waitFor({ state: 'detached' });
    await page.getByRole('searchbox').fill('seven');
    await page.getByText('“With all below” searches deeper, and values').waitFor();
    await page.getByLabel('With all below').check();
    await page.getByPlaceholder('Words in names or values', { exact: true }).waitFor();
    await button(page, 'deep/size').waitFor();
    assert.equal(await button(page, 'color').count(), 0);
    await page.getByRole('searchbox').fill('eight');
    await page.getByText('try fewer words, or the folder around it').waitFor();
  });

  /** So many, one behind the other. */
  async function fill(server: Proconsul, all: number, key: (n: number) => string): Promise<void> {
    for (let from = 0; from < all; from += 64) {
      const ops = Array.from({ length: Math.min(64, all - from) }, (_, i) => ({
        KV: { Verb: 'set', Key: key(from + i), Value: btoa('x') },
      }));
      await put(server, '/v1/txn', ops);
    }
  }

  it('shows of a large folder the first names, says so, and opens any other by its name', async () => {
    const server = await start();
    await fill(server, 10_001, (n) => `app/${String(n).padStart(5, '0')}`);
    const page = await open(server, '?folder=app/');
    await page.getByText('The first 10,000 names alone are shown and searched.').waitFor();
    await page.getByRole('searchbox').fill('09999');
    await button(page, '09999').waitFor();
    await page.getByRole('searchbox').fill('10000');
    await page.getByText('No key matches').waitFor();
    await page.getByText('The first ones alone were searched').waitFor();
    await button(page, 'New key').click();
    await page.getByLabel('Name').fill('app/10000');
    await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
    await says(page, 'x');
    await put(server, '/v1/kv/app/later/a', 'y');
    await button(page, 'New key').click();
    await page.getByLabel('Name').fill('app/later/');
    await page.getByRole('dialog').getByRole('button', { name: 'Open the folder' }).click();
    await button(page, 'a').click();
    await says(page, 'y');
  });

  it('shows of a large store the first of what is below, and says so', async () => {
    const server = await start();
    const key = (n: number) => `app/${String(n).padStart(4, '0')}`;
    await fill(server, 1001, key);
    const page = await open(server, '?deep=yes');
    await page.getByText('The first 1,000 keys alone are shown and searched.').waitFor();
    await button(page, key(0)).waitFor();
    await page.getByRole('searchbox').fill('1000');
    await page.getByText('No key matches').waitFor();
    await page.getByRole('searchbox').fill('');
    await page.goto(page.url().replace('deep=yes', 'folder=app/&search=1000'));
    await button(page, '1000').waitFor();
  });

  it('reads of large values no more than so much, and says so', async () => {
    const server = await start();
    for (let n = 10; n < 20; n++) await put(server, `/v1/kv/app/${n}`, 'x'.repeat(500_000));
    const page = await open(server, '?deep=yes');
    await page.getByText('No more than the first 7 keys are shown and searched').waitFor();
    await button(page, 'app/16').waitFor();
    await page.getByRole('searchbox').fill('17');
    await page.getByText('No key matches').waitFor();
    await put(server, '/v1/kv/app/10', 'small');
    await page.getByText('No more than the first 8 keys are shown and searched').waitFor();
  });

  it('writes a key, new or known, and says what is no JSON', async () => {
    const server = await start();
    const page = await open(server);
    await page.getByText('There are no keys yet').waitFor();
    await button(page, 'New key').click();
    await page.getByLabel('Name').fill('app/color');
    await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
    await value(page).fill('{"a": 1');
    await page.getByText('This is no JSON: line 1, column 8').waitFor();
    await value(page).fill('{"a":1}');
    await button(page, 'Lay out').click();
    await button(page, 'Save').click();
    await told(page, 'app/color is written.');
    assert.equal(await get(server, 'app/color'), '{\n  "a": 1\n}');
    await value(page).fill('green');
    await button(page, 'Save').click();
    await until(async () => (await get(server, 'app/color')) === 'green');
  });

  it('says of YAML and HCL which line is wrong, and takes a text for what somebody says', async () => {
    const server = await start({
      'a.yaml': 'a: 1\nb: [1\nc: 2\n',
      'b.hcl': 'a = 1\nb = = 2',
      c: 'x',
    });
    const page = await open(server, '?key=a.yaml');
    await page.getByText('This is no YAML: line 3, column 1').waitFor();
    await page.locator('.code .wrong', { hasText: 'c: 2' }).waitFor();
    await value(page).fill('a: 1\nb: [1]\n');
    await page.getByText('This is YAML.').waitFor();
    await page.locator('.code .key', { hasText: 'b' }).waitFor();
    await button(page, 'b.hcl').click();
    await page.getByText('This is no HCL, as Consul reads it: line 2, column 5').waitFor();
    await button(page, 'Show it').click();
    const selected = 'document.activeElement.value.slice(document.activeElement.selectionStart)';
    assert.equal(await page.evaluate(selected), '= 2');
    await button(page, 'c').click();
    await page.getByLabel('Read as').selectOption('JSON');
    await page.getByText('This is no JSON').waitFor();
    await page.reload();
    await page.getByText('This is no JSON').waitFor();
  });

  it('overwrites nothing that somebody else wrote meanwhile', async () => {
    const server = await start({ color: 'blue' });
    const page = await open(server, '?key=color');
    await value(page).fill('green');
    await put(server, '/v1/kv/color', 'red');
    await page.getByText('Somebody else has written it meanwhile').waitFor();
    assert.equal(await value(page).inputValue(), 'green');
    assert.equal(await get(server, 'color'), 'red');
    await button(page, 'Take that').click();
    assert.equal(await value(page).inputValue(), 'red');
  });

  it('leaves the flags of a lock as they are, saved, deleted or taken back', async () => {
    const server = await start();
    const path = '/v1/kv/lock';
    await put(server, `${path}?flags=3304740253564472344`, 'blue');
    const row = async () => (await send(server.port, 'GET', path, {})).text;
    const page = await open(server, '?key=lock');
    await value(page).fill('green');
    await page.getByText('flags=3304740253564472344').first().waitFor({ state: 'attached' });
    await button(page, 'Save').click();
    await until(async () => (await get(server, 'lock')) === 'green');
    assert.match(await row(), /"Flags": ?3304740253564472344,/);
    await button(page, 'Delete').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await takeBack(page, 'lock is deleted.');
    assert.match(await row(), /"Flags": ?3304740253564472344,/);
  });

  it('deletes a key, and takes it back', async () => {
    const server = await start({ color: 'blue' });
    const page = await open(server, '?key=color');
    await button(page, 'Delete').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await told(page, 'color is deleted.');
    assert.equal(await get(server, 'color'), '');
    await takeBack(page, 'color is deleted.');
    assert.equal(await get(server, 'color'), 'blue');
  });

  it('deletes a folder, and what lies beside it stays', async () => {
    const server = await start({ 'app/color': 'blue', 'app/web/size': '7', apple: 'red' });
    const page = await open(server, '?folder=app/');
    await button(page, 'Delete the folder').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Deletes every key whose name begins with app/, for good.').waitFor();
    await dialog.getByRole('button', { name: 'Delete the folder' }).click();
    await told(page, 'app/ is deleted.');
    await page.getByText('There is no key in this folder').waitFor();
    const { json } = await send(server.port, 'GET', '/v1/kv/?keys', {});
    assert.deepEqual(json, ['apple']);
  });

  it('says who has the lock, and for how long nobody takes it after him', async () => {
    const server = await start();
    const made = { Name: 'election', LockDelay: '90s', TTL: '30s' };
    const { ID } = (await put(server, '/v1/session/create', made)) as { ID: string };
    await put(server, `/v1/kv/leader?acquire=${ID}`, 'n1');
    const page = await open(server, '?key=leader');
    await page.getByText('by the session election of n1').waitFor();
    await page.getByText('nobody takes the lock for another 1 min 30 s').waitFor();
  });

  it('shows what a key said before, against now, and rolls it back', async () => {
    const server = await start();
    await put(server, '/v1/operator/kv-revisions', { Prefixes: ['app/'] });
    await put(server, '/v1/kv/app/color', 'one\ntwo');
    await put(server, '/v1/kv/app/color', 'one\nthree');
    const page = await open(server, '?folder=app/&key=app/color');
    await page.getByText('What it said before').click();
    await button(page, 'Compare with now').click();
    await page.locator('.diff .removed', { hasText: 'two' }).waitFor();
    await page.locator('.diff .added', { hasText: 'three' }).waitFor();
    await button(page, 'Roll back to this').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back to this' }).click();
    await told(page, 'app/color says again what it said.');
    assert.equal(await get(server, 'app/color'), 'one\ntwo');
  });

  it('edits no bytes that are no text, and asks for no name that no path leads to', async () => {
    const server = await start();
    await send(server.port, 'PUT', '/v1/kv/bytes', { body: Buffer.from([0xff, 0xfe]) });
    const page = await open(server, '?key=bytes');
    await page.getByText('These bytes are no text').waitFor();
    assert.equal(await value(page).count(), 0);
    await page.goto(page.url().replace('bytes', 'a/../b'));
    await page.getByText('No path leads to this key').waitFor();
  });

  it('asks for no folder, and deletes none, that no path leads to', async () => {
    const server = await start({ 'shop/eu/db': 'one' });
    for (const Key of ['shop/eu//db', '/top'])
      await put(server, '/v1/txn', [{ KV: { Verb: 'set', Key, Value: btoa('two') } }]);
    // To each of these a server answers where it would lead on, to what others are in.
    for (const at of ['folder=x/../', 'folder=shop/eu//', 'folder=/', 'key=shop/eu//db']) {
      const page = await open(server, `?${at}`);
      await page.getByText('No path leads to this key').waitFor();
      for (const name of ['Delete the folder', 'Delete', 'Save'])
        assert.equal(await button(page, name).count(), 0, at);
    }
    assert.equal(await get(server, 'shop/eu/db'), 'one');
  });

  it('says that nothing was done where somebody else was first', async () => {
    const server = await start({ color: 'blue' });
    const page = await open(server, '?key=color');
    await button(page, 'Delete').click();
    await put(server, '/v1/kv/color', 'red');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Somebody else has changed it meanwhile: nothing was done.').waitFor();
    assert.equal(await get(server, 'color'), 'red');
  });

  it('lets only look who may not write', async () => {
    const acl = 'acl { enabled = true default_policy = "deny" tokens { master = "root" } }';
    const server = await startProconsul(['-dev', `-hcl=${acl}`]);
    const headers = { 'X-Consul-Token': 'root' };
    const as = (path: string, body: string | object) =>
      send(server.port, 'PUT', path, { body, headers });
    await as('/v1/kv/color', 'blue');
    await as('/v1/acl/policy', { Name: 'r', Rules: 'key_prefix "" { policy = "read" }' });
    await as('/v1/acl/token', {
      SecretID: '11111111-1111-4111-8111-111111111111',
      Policies: [{ Name: 'r' }],
    });
    const page = await open(server);
    await page.evaluate(
      "sessionStorage.setItem('proconsul.token', '11111111-1111-4111-8111-111111111111')",
    );
    await page.goto(`${page.url()}?key=color`);
    await says(page, 'blue');
    assert.equal(await value(page).isEditable(), false);
    assert.equal(await button(page, 'Save').count(), 0);
    assert.equal(await button(page, 'Delete').count(), 0);
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const server = await start({ 'app/web/color': '{"a": 1}', 'app/size': '7' });
      const page = await open(server, '?folder=app/&key=app/web/color&deep=yes', screen);
      await value(page).waitFor();
      await page.getByText('What it said before').click();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
