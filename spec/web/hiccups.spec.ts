import assert from 'node:assert/strict';
import { describePage } from '../support/browser.ts';
import { told, toldWithUndo } from '../support/told.ts';
import { until } from '../support/until.ts';
import { startGuardedServer, startWebServer } from '../support/web-server.ts';

describePage('the page, where a server does not answer', () => {
  it('keeps a draft of a new key through a hiccup, a look at another key, and another page', async () => {
    const { put, open, get } = await startWebServer();
    await put('/v1/kv/color', 'blue');
    const page = await open('kv?key=shape');
    const value = page.getByRole('textbox', { name: 'Value' });
    await value.fill('round');
    await page.route('**/v1/**', (route) => route.abort());
    await put('/v1/kv/size', '7');
    await page.evaluate("dispatchEvent(new Event('online'))");
    await page.getByText('The server cannot be reached').waitFor();
    assert.equal(await value.inputValue(), 'round');
    // While nobody answers it stands still: it goes by itself once somebody does.
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.unroute('**/v1/**');
    await page.getByRole('button', { name: 'size' }).waitFor();
    await page.getByRole('button', { name: 'color' }).click();
    await until(async () => (await value.inputValue()) === 'blue');
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByRole('heading', { name: 'Nodes' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('shape');
    await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
    await until(async () => (await value.inputValue()) === 'round');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await told(page, 'shape is written.');
    assert.equal((await get<{ Value: string }[]>('/v1/kv/shape'))[0]?.Value, btoa('round'));
  });

  it('asks again what the token may do, once somebody answers', async () => {
    const { put, openWith, process } = await startGuardedServer();
    await put('/v1/kv/color', 'blue', 'root');
    const page = await openWith('key_prefix "" { policy = "write" }', 'nodes');
    let away = 0;
    await page.route('**/v1/internal/acl/authorize*', (route) =>
      ++away < 3 ? route.abort() : route.continue(),
    );
    await page.goto(`http://127.0.0.1:${process.port}/ui/dc1/kv?key=color`);
    await page.getByRole('button', { name: 'Save', exact: true }).waitFor();
    assert.ok(away >= 3);
  });

  it('says what a server says that cannot answer', async () => {
    const { open, process } = await startWebServer();
    const page = await open('nodes');
    await page.route('**/v1/internal/overview/services*', (route) =>
      route.fulfill({ status: 500, body: 'No cluster leader' }),
    );
    await page.goto(`http://127.0.0.1:${process.port}/ui/dc1/services`);
    await page.getByText('The server cannot answer: No cluster leader.').waitFor();
  });

  it('says where somebody in between answers in its place, and takes nothing of it for what is', async () => {
    const { put, openWith, process } = await startGuardedServer();
    await put('/v1/kv/color', 'blue', 'root');
    const page = await openWith(
      'key_prefix "" { policy = "read" } node_prefix "" { policy = "read" }',
      'nodes',
    );
    await page.getByRole('link', { name: 'n1' }).waitFor();
    for (const answer of [
      { status: 401, body: 'Unauthorized' },
      { status: 401, body: '<html>Unauthorized</html>', contentType: 'text/html' },
      { status: 200, body: '<html>Please log in</html>', contentType: 'text/html' },
      { status: 200, body: 'Please log in', contentType: 'text/plain' },
      { status: 204 },
      { status: 302, headers: { Location: '/login' } },
    ]) {
      await page.route('**/v1/**', (route) => route.fulfill(answer));
      for (const address of ['nodes', 'kv?key=color', 'services']) {
        await page.goto(`http://127.0.0.1:${process.port}/ui/dc1/${address}`);
        await page.getByText('Something in between answers in place of the server').waitFor();
        assert.equal(await page.getByText('Access control is off').count(), 0);
        assert.equal(await page.getByText('has failed').count(), 0);
      }
      await page.unroute('**/v1/**');
      await page.getByRole('button', { name: 'Try now' }).click();
      await page.getByText('Something in between').waitFor({ state: 'detached' });
    }
  });

  it('is lost where somebody in between cannot reach it, and what was sent may have been done', async () => {
    const { open, put, process } = await startWebServer();
    await put('/v1/kv/color', 'blue');
    const page = await open('kv?key=color');
    const away = { status: 504, body: '<html>Gateway Timeout</html>', contentType: 'text/html' };
    const plain = { contentType: 'text/plain', body: 'upstream connect error' };
    const saidSo = page.getByText('The server has not answered in time: it may have been done');
    let told = away;
    await page.route('**/v1/kv/color*', (route) =>
      route.request().method() === 'PUT' ? route.fulfill(told) : route.fallback(),
    );
    for (told of [away, { ...plain, status: 502 }, { ...plain, status: 503 }]) {
      await page.getByRole('textbox', { name: 'Value' }).fill(`red ${told.status}`);
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await saidSo.waitFor();
      await page.getByRole('button', { name: 'Discard changes' }).click();
      await saidSo.waitFor({ state: 'detached' });
    }
    await page.route('**/v1/**', (route) => route.fulfill(away));
    await page.goto(`http://127.0.0.1:${process.port}/ui/dc1/services`);
    await page.getByText('The server cannot be reached.').waitFor();
    assert.equal(await page.getByText('load the page anew').count(), 0);
  });

  it('asks for the data centre of its address, and says where that is none', async () => {
    const { open, process } = await startWebServer();
    const page = await open('nodes');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`http://127.0.0.1:${process.port}/ui/dc7/nodes`);
    await page.getByText('No path to datacenter').waitFor();
    assert.ok(asked.some((url) => url.endsWith('/v1/internal/overview/nodes?dc=dc7')));
    await page.getByRole('link', { name: 'Show the same of dc1' }).click();
    await page.getByRole('link', { name: 'n1' }).waitFor();
  });

  it('says where there is no such page, in the title of its tab too', async () => {
    const page = await (await startWebServer()).open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.evaluate(
      `history.pushState(null, '', '/ui/dc1/nowhere'); dispatchEvent(new PopStateEvent('popstate'))`,
    );
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    assert.equal(await page.title(), 'There is no such page · dc1 · Proconsul');
  });

  it('leaves the focus nowhere, whatever goes away under it', async () => {
    const { put, open } = await startWebServer();
    await put('/v1/kv/color', 'blue');
    const page = await open('kv?key=color');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await until(
      async () => (await page.evaluate('document.activeElement.textContent')) === 'Delete',
    );
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await toldWithUndo(page, 'color is deleted.');
    await until(async () => (await page.evaluate('document.activeElement.id')) === 'content');
    await page.keyboard.press('u');
    await told(page, 'Taken back.');
  });
});

describePage('the page of keys, as written before', () => {
  it('keeps the ends of lines, and large numbers', async () => {
    const { put, open, get } = await startWebServer();
    const value = async (key: string) =>
      atob((await get<{ Value: string }[]>(`/v1/kv/${key}`))[0]?.Value ?? '');
    await put('/v1/kv/lines', 'one\r\ntwo\r\n');
    await put('/v1/kv/number', '{"id":12345678901234567890}');
    const page = await open('kv?key=lines');
    const text = page.getByRole('textbox', { name: 'Value' });
    await text.fill('one\nthree\n');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await until(async () => (await value('lines')) === 'one\r\nthree\r\n');
    await page.getByRole('button', { name: 'number' }).click();
    await page.getByRole('button', { name: 'Lay out' }).click();
    assert.equal(await text.inputValue(), '{\n  "id": 12345678901234567890\n}');
  });

  it('offers to delete a folder to those alone who may delete all that is in it', async () => {
    const { put, openWith } = await startGuardedServer();
    await put('/v1/kv/app/color', 'blue', 'root');
    const rules = 'key_prefix "app/" { policy = "write" } key "app/color" { policy = "read" }';
    const some = await openWith(rules, 'kv?folder=app/');
    await some.getByRole('button', { name: 'color' }).waitFor();
    await some.getByRole('button', { name: 'New key' }).waitFor();
    assert.equal(await some.getByRole('button', { name: 'Delete the folder' }).count(), 0);
    const all = await openWith('key_prefix "app/" { policy = "write" }', 'kv?folder=app/');
    await all.getByRole('button', { name: 'Delete the folder' }).waitFor();
  });
});
