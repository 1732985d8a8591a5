import assert from 'node:assert/strict';
import { permissionDenied, tokenNotFound } from '../../../lib/acl/refusals.ts';
import { ANYONE, type Caller, EVERYTHING } from '../../../lib/acl/rights.ts';
import { createApp } from '../../../lib/http/app.ts';
import { anyone, asks, needs, type Right } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { send } from '../../support/servers/start-server.ts';

const reader: Caller = {
  ...ANYONE,
  rights: {
    ...EVERYTHING,
    key: 'r',
    all: false,
    may: (resource, access, name) => resource === 'event' && access === 'read' && name === 'mine',
  },
};

/** A row with this right, and what callers come to by their token. */
async function row(right: Right, extra: Partial<Route> = {}) {
  const asked: string[] = [];
  const handle: Route['handle'] = ({ caller }) => ({ text: `for ${caller.rights.key}` });
  const app = createApp({
    routes: [{ method: 'GET', path: '/v1/x/', right, does: '', handle, ...extra }],
    access: {
      callerOf: (token) => {
        asked.push(token);
        if (token === 'unknown') throw tokenNotFound();
        return token === 'later' ? Promise.resolve(reader) : reader;
      },
    },
    logger: silentLogger,
  });
  const { port } = await serveHttp(app);
  const get = (token: string, name: string) =>
    send(port, 'GET', `/v1/x/${name}`, { headers: { 'X-Consul-Token': token } });
  return { asked, get };
}

describe("a row's right", () => {
  it('lets only those have the answer who may, and asks before the handler runs', async () => {
    const { get } = await row(needs('event:read', ({ rest }) => rest));
    for (const token of ['now', 'later']) {
      assert.equal((await get(token, 'mine')).text, 'for r');
      const refused = await get(token, 'other');
      assert.equal(refused.status, 403);
      assert.equal(refused.text, permissionDenied().message);
    }
  });

  it('looks at nobody where anyone may', async () => {
    const { get, asked } = await row(anyone);
    assert.equal((await get('unknown', 'mine')).text, 'for ');
    assert.deepEqual(asked, []);
  });

  it('refuses a token that nobody knows, also where the handler asks', async () => {
    const { get } = await row(asks());
    const refused = await get('unknown', 'mine');
    assert.deepEqual([refused.status, refused.text], [403, 'ACL not found']);
    assert.equal(refused.headers['x-consul-index'], undefined);
  });

  it('says with a refusal that nothing is known, where answers say their index', async () => {
    const { get } = await row(asks(), { indexedErrors: true });
    assert.equal((await get('unknown', 'mine')).headers['x-consul-index'], '1');
  });
});
