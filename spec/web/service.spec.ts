import assert from 'node:assert/strict';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { takeBack, told } from '../support/told.ts';
import { startWebServer } from '../support/web-server.ts';

describePage('the page of a service', () => {
  it('shows its instances, how available it was, and what became of them', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    await register('m2', 'pay', 'passing', { ID: 'pay-2' });
    const page = await open('services/pay');
    await page.getByText('all 2 passing').waitFor();
    assert.equal(await page.locator('.strip').count(), 3);
    await page.getByText('100 %').first().waitFor();
    await register('m2', 'pay', 'critical', { ID: 'pay-2' });
    await page.getByText('1 of 2 failing').waitFor();
    await page.getByRole('row').filter({ hasText: 'pay-2' }).getByText('HTTP: said').waitFor();
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByRole('row').filter({ hasText: 'failing' }).getByText('pay-2:http').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('show'), 'history');
  });

  it('says that there is none, and shows it once there is', async () => {
    const { open, register } = await startWebServer();
    const page = await open('services/none');
    await page.getByText('No service is called none').waitFor();
    await register('m1', 'none', 'passing');
    await page.getByRole('link', { name: 'none' }).waitFor();
  });

  it('leads by a tag to the instances that have it', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'passing', { ID: 'pay-1', Tags: ['odd "tag" & more'] });
    await register('m2', 'pay', 'passing', { ID: 'pay-2' });
    const page = await open('services/pay');
    await page.getByRole('link', { name: 'odd "tag" & more' }).click();
    await page.getByRole('link', { name: 'pay-2' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'pay-1' }).waitFor();
  });

  it('names services and instances of any name', async () => {
    const { open, register } = await startWebServer();
    const name = 'a/b c%20?#&"<数据>';
    await register('m1', name, 'passing', { ID: `${name}/1` });
    const page = await open('services');
    await page.getByRole('link', { name }).click();
    await page.getByRole('link', { name: `${name}/1` }).click();
    await page.getByRole('heading', { name: `${name}/1` }).waitFor();
    await page.getByText('HTTP', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('HTTP', { exact: true }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { open, register } = await startWebServer();
      await register('m1', 'pay', 'passing');
      await register('m2', 'pay', 'critical', { ID: 'pay-2' });
      const page = await open('services/pay', screen);
      await page.locator('.strip strong').first().waitFor();
      await page.getByRole('link', { name: 'pay-2' }).waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await page.getByRole('tab', { name: 'History' }).click();
      await page.getByRole('row').filter({ hasText: 'registered' }).first().waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});

describePage('the page of an instance', () => {
  const AGENT = '/v1/agent/service/register';

  it('shows what its checks said, and since when they say it', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'critical', { Meta: { version: '7' } });
    const page = await open('services/pay/m1/pay');
    await page.getByText('said', { exact: true }).waitFor();
    await page.getByRole('time').first().waitFor();
    await page.getByRole('tab', { name: 'Metadata' }).click();
    await page.getByText('version').waitFor();
  });

  it('puts it into maintenance by its agent, and takes that back', async () => {
    const { open, put, get } = await startWebServer();
    await put(AGENT, { Name: 'pay' });
    const page = await open('services/pay/n1/pay');
    await page.getByRole('button', { name: 'Put into maintenance' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The same as a command').click();
    await dialog
      .getByText("proconsul maint -node=n1 -service=pay -enable '-reason=from the web page'")
      .waitFor();
    await dialog.getByRole('button', { name: 'Put into maintenance' }).click();
    await told(page, 'pay is in maintenance.');
    await page.getByText('in maintenance', { exact: true }).first().waitFor();
    await takeBack(page, 'pay is in maintenance.');
    const left = await get<object[]>('/v1/health/checks/pay');
    assert.deepEqual(left, []);
  });

  it('is deregistered where no agent keeps it, and put back as it was', async () => {
    const { open, register, get } = await startWebServer();
    await register('m1', 'pay', 'warning', { Meta: { version: '7' }, Port: 80 });
    const path = '/v1/health/service/pay';
    const plain = async () =>
      JSON.parse(
        JSON.stringify(await get(path)).replaceAll(/"(Create|Modify)Index":\d+/g, '"Index":0'),
      );
    const before = await plain();
    const page = await open('services/pay/m1/pay');
    await page.getByRole('button', { name: 'Deregister' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
    await page.getByText('This instance is not registered any more').waitFor();
    assert.deepEqual(await get(path), []);
    await takeBack(page, 'pay is deregistered.');
    await page.getByRole('tab', { name: 'Checks' }).waitFor();
    assert.deepEqual(await plain(), before);
  });

  it('is deregistered at its own agent, for good', async () => {
    const { open, put, get } = await startWebServer();
    await put(AGENT, { Name: 'pay' });
    const page = await open('services/pay/n1/pay');
    await page.getByRole('button', { name: 'Deregister' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
    await told(page, 'pay is deregistered.');
    await page.getByText('This instance is not registered any more').waitFor();
    assert.deepEqual(await get('/v1/agent/services'), {});
    assert.deepEqual(await get('/v1/health/service/pay'), []);
  });

  it('is left to its own agent where another one keeps it', async () => {
    const { open, register, put } = await startWebServer();
    await register('m1', 'pay', 'passing');
    await put('/v1/catalog/register', {
      Node: 'm1',
      Address: '10.0.0.1',
      Check: { CheckID: 'serfHealth', Name: 'Serf', Status: 'passing' },
    });
    const page = await open('services/pay/m1/pay');
    await page.getByRole('button', { name: 'Deregister' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The agent on m1 decides this').waitFor();
    await dialog.getByText('proconsul services deregister -node=m1 -id=pay').waitFor();
    assert.equal(await dialog.getByRole('button', { name: 'Deregister' }).count(), 0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('offers nothing to whoever may not', async () => {
    const { open, put } = await startWebServer([
      '-hcl=acl { enabled = true default_policy = "deny" tokens { master = "root" agent = "root" } }',
    ]);
    await put(AGENT, { Name: 'pay' }, 'root');
    const rules = 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }';
    await put('/v1/acl/policy', { Name: 'see', Rules: rules }, 'root');
    const { SecretID } = JSON.parse(
      await put('/v1/acl/token', { Policies: [{ Name: 'see' }] }, 'root'),
    );
    const page = await open('services/pay/n1/pay');
    await page.getByText('You may not see this').waitFor();
    await page.getByText('You see what anyone may see').waitFor();
    await page.evaluate(`sessionStorage.setItem('proconsul.token', ${JSON.stringify(SecretID)})`);
    await page.reload();
    await page.getByText('No check watches it').or(page.getByText('Serf Health Status')).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Deregister' }).count(), 0);
    await page.evaluate("sessionStorage.setItem('proconsul.token', 'root')");
    await page.reload();
    await page.getByRole('button', { name: 'Deregister' }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { open, register } = await startWebServer();
      await register('m1', 'pay', 'critical');
      const page = await open('services/pay/m1/pay', screen);
      await page.getByText('said', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Deregister' }).click();
      await page.getByRole('dialog').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
