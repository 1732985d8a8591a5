import assert from 'node:assert/strict';
import type { Route } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { told } from '../support/told.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startGuardedServer, startWebServer } from '../support/web-server.ts';

const LONG_MS = 30_000;
/** As web/core/retry.ts has it. */
const PATIENCE_MS = 15_000;

describePage('what a token may do', () => {
  it('is asked again where another token came before it was answered', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const reader = '22222222-2222-4222-8222-222222222222';
    await server.put('/v1/acl/token', { SecretID: reader, Description: 'reader' }, ROOT);
    const page = await server.openAs(ROOT, 'services');
    const unanswered: Route[] = [];
    const asks = (token: string) =>
      unanswered.some((route) => {
        const rights = route.request().postDataJSON() as readonly { Resource: string }[];
        const isOfAccess = rights.some((each) => each.Resource === 'acl');
        return route.request().headers()['x-consul-token'] === token && isOfAccess;
      });
    await page.route('**/v1/internal/acl/authorize', (route) => void unanswered.push(route));
    await page.goto(page.url().replace(/services.*/, 'access'));
    await page.getByText('Log in as somebody else').click();
    await until(() => asks(ROOT));
    await page.getByLabel('Secret', { exact: true }).fill(reader);
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await page.getByRole('heading', { name: 'reader' }).waitFor();
    await until(() => asks(reader));
    for (const route of unanswered) await route.abort();
  });

  it('is asked again where its rules change, and something is shown by it or no more', async () => {
    const server = await startGuardedServer();
    const rules = (policy: string) => `mesh = "read" service_prefix "" { policy = "${policy}" }`;
    const page = await server.openWith(rules('read'), 'config');
    await page.getByText('There are no config entries').waitFor();
    const entry = page.getByRole('link', { name: 'New entry' });
    assert.equal(await entry.count(), 0);
    const { ID } = await server.get<{ ID: string }>('/v1/acl/policy/name/rules-1', 'root');
    const allow = (policy: string) =>
      server.put(`/v1/acl/policy/${ID}`, { ID, Name: 'rules-1', Rules: rules(policy) }, 'root');
    await allow('write');
    await entry.waitFor();
    await allow('read');
    await entry.waitFor({ state: 'detached' });
  });

  it('is asked one by one of a server that is older, and knows not each of them', async () => {
    const server = await startGuardedServer();
    const rules = 'node_prefix "" { policy = "write" } service_prefix "" { policy = "write" }';
    await server.put('/v1/catalog/register', { Node: 'm1', Address: '10.0.0.1' }, 'root');
    const page = await server.openWith(rules, 'services');
    await page.route('**/v1/internal/acl/authorize', async (route) => {
      const asked = route.request().postData() ?? '';
      if (!asked.includes('write-prefix')) await route.continue();
      else await route.fulfill({ status: 400, body: 'Invalid access level for service resource' });
    });
    await page.goto(page.url().replace(/services.*/, 'nodes/m1'));
    await page.getByRole('button', { name: 'Deregister' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
    await told(page, 'm1 is deregistered.');
    assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0);
  });

  it('is waited for, whatever is asked again meanwhile, until somebody hangs', async () => {
    const server = await startGuardedServer();
    const page = await server.openWith(
      'node_prefix "" { policy = "write" } session_prefix "" { policy = "read" }',
      'services',
    );
    const address = page.url().replace(/services.*/, 'nodes/n1');
    // What the page before still asks for is given up with it.
    await page.goto('about:blank');
    await page.clock.install();
    const questions: Route[] = [];
    let [hangs, answered] = [true, 0];
    await page.route('**/v1/internal/acl/authorize', async (route) => {
      if (hangs) {
        questions.push(route);
        return;
      }
      await route.continue();
      answered++;
    });
    const given = new Map<string, number>();
    page.on('requestfailed', (request) => {
      const asked = request.postData() ?? '';
      if (request.url().includes('authorize')) given.set(asked, (given.get(asked) ?? 0) + 1);
    });
    let waits = 0;
    page.on('request', (request) => {
      waits += Number(/session\/node.*index=/.test(request.url()));
    });
    // Doubts come after a second or so.
    const passes = async (holds: () => boolean) => {
      await page.clock.runFor(1000);
      return holds();
    };
    await page.goto(address);
    await until(() => passes(() => questions.length > 0 && waits > 0), undefined, LONG_MS);
    for (let i = 0; i < 5; i++) {
      const before = waits;
      await server.put('/v1/session/create', { Node: 'n1', Name: `s${i}` }, 'root');
      await until(() => passes(() => waits > before), undefined, LONG_MS);
      await page.clock.runFor(2000);
    }
    const passed: number = await page.evaluate('performance.now()');
    // Of one that hangs no more than once in so long.
    for (const [asked, times] of given) assert.ok(times <= passed / PATIENCE_MS, asked);
    const askedBefore = questions.length;
    await until(() => passes(() => questions.length > askedBefore), undefined, LONG_MS);
    // Those that were given up meanwhile are asked again, and are not to hang.
    hangs = false;
    for (const route of questions.splice(0)) await route.continue().catch(() => undefined);
    const maintain = page.getByRole('button', { name: 'Put into maintenance' });
    await until(
      async () => (await passes(() => true)) && (await maintain.count()) === 1,
      undefined,
      LONG_MS,
    );
    // What was answered may be of before.
    const before = answered;
    await until(() => passes(() => answered > before), undefined, LONG_MS);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('is known of each name, however long a name somebody has given', async () => {
    const server = await startGuardedServer();
    for (const Node of ['m1', 'n'.repeat(70_000)]) {
      await server.put('/v1/catalog/register', { Node, Address: '10.0.0.1' }, 'root');
      await server.put('/v1/session/create', { Node, Name: 'mine', NodeChecks: [] }, 'root');
    }
    const rules = 'node_prefix "" { policy = "read" } session_prefix "" { policy = "write" }';
    const page = await server.openWith(rules, 'sessions');
    const row = page.getByRole('row').filter({ hasText: 'm1' });
    await row.getByRole('button', { name: 'Invalidate' }).waitFor();
  });

  it('is said where there is no button, and a way to make one is shown to whoever may make any', async () => {
    const server = await startGuardedServer();
    await server.put('/v1/config', { Kind: 'service-defaults', Name: 'web' }, 'root');
    const only = 'service_prefix "" { policy = "read" } service "web" { policy = "write" }';
    const page = await server.openWith(only, 'config');
    await page.getByRole('link', { name: 'New entry' }).waitFor();
    await page.getByRole('link', { name: 'web', exact: true }).first().click();
    await page.getByRole('button', { name: 'Delete' }).waitFor();
    const reader = await server.openWith(
      'service_prefix "" { policy = "read" }',
      'config/service-defaults/web',
    );
    await reader.getByText('Your token may only look at this.').waitFor();
    assert.equal(await reader.getByRole('button', { name: 'Delete' }).count(), 0);
  });
});
