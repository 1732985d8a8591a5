/** What a sync's token may not read, as the catalog says it. */
import assert from 'node:assert/strict';
import type { Catalog } from '../../kubernetes/catalog.ts';
import { hiddenOf } from '../../kubernetes/rights.ts';
import { startAclServer } from '../support/servers/acl-server.ts';
import { type Answer, startServer } from '../support/servers/start-server.ts';

type Ask = (method: string, path: string, body: object) => Promise<Answer>;

const { signal } = new AbortController();

const catalogOf = (ask: Ask): Catalog => ({
  ask: async ({ method, path, body = {} }) => {
    const answer = await ask(method, path, body as object);
    return Object.assign(answer, { index: '' });
  },
});

describe('what the token of a sync may not read', () => {
  it('is told name by name, of however many', async () => {
    const { as, master } = await startAclServer();
    const Rules =
      'key_prefix "app/" { policy = "read" } key "app/n70" { policy = "deny" } service "web" { policy = "read" }';
    await master('PUT', '/v1/acl/policy', { Name: 'p', Rules });
    const { SecretID = '' } = await master('PUT', '/v1/acl/token', { Policies: [{ Name: 'p' }] });
    const catalog = catalogOf((method, path, body) => as(SecretID, method, path, body));
    const keys = Array.from({ length: 150 }, (_, i) => `app/n${i}`);
    assert.deepEqual(await hiddenOf(catalog, 'key', [...keys, 'b'], signal), ['app/n70', 'b']);
    assert.deepEqual(await hiddenOf(catalog, 'service', ['web', 'db'], signal), ['db']);
  });

  it('is nothing where there is no access control, and all where the answer is none', async () => {
    const { ask } = await startServer();
    const open = catalogOf((method, path, body) => ask(method as 'PUT', path, { body }));
    assert.deepEqual(await hiddenOf(open, 'key', ['a'], signal), []);
    const other = (status: number, json: unknown): Catalog => ({
      ask: async () => ({ status, index: '', text: 'no', json }),
    });
    assert.deepEqual(await hiddenOf(other(200, {}), 'key', ['a'], signal), ['a']);
    assert.deepEqual(await hiddenOf(other(401, []), 'key', ['a'], signal), ['a']);
  });
});
