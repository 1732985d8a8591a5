import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { permissionDenied, tokenNotFound } from '../../../lib/acl/refusals.ts';
import { ANYONE, type Caller, EVERYTHING } from '../../../lib/acl/rights.ts';
import { createApp } from '../../../lib/http/app.ts';
import { anyone, asks, needs, type Right } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { FakeAccess } from '../../support/fakes/fake-access.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { RawClient } from '../../support/servers/raw-client.ts';
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
  const app = createApp(
    {
      routes: [{ method: 'GET', path: '/v1/x/', right, does: '', handle, ...extra }],
      access: {
        callerOf: (token) => {
          asked.push(token);
          if (token === 'unknown') throw tokenNotFound();
          return token === 'later' ? Promise.resolve(reader) : reader;
        },
      },
    },
    { logger: silentLogger },
  );
  const { port } = await serveHttp(app);
  const get = (token: string, name: string) =>
    send(port, 'GET', `/v1/x/${name}`, { headers: { 'X-Consul-Token': token } });
  return { asked, get, port };
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

  it('takes the bearer token where an empty header says none', async () => {
    const { asked, port } = await row(asks());
    const headers = { 'X-Consul-Token': '', Authorization: 'Bearer now' };
    assert.equal((await send(port, 'GET', '/v1/x/mine', { headers })).text, 'for r');
    assert.deepEqual(asked, ['now']);
  });

  it('takes a bearer token after a space alone, as Consul does', async () => {
    const { asked, port } = await row(asks());
    for (const Authorization of ['bearer now', 'Bearer  now x', 'Bearer \tnow', 'Bearer\tnow']) {
      await send(port, 'GET', '/v1/x/mine', { headers: { Authorization } });
    }
    assert.deepEqual(asked, ['now', 'now', 'now', '']);
  });

  it('takes the first of two tokens in headers, as Consul does', async () => {
    const { asked, port } = await row(asks());
    const client = await RawClient.connect(port);
    const headers = 'Host: localhost\r\nX-Consul-Token: now\r\nX-Consul-Token: unknown\r\n\r\n';
    const { body } = await client.ask(`GET /v1/x/mine HTTP/1.1\r\n${headers}`);
    assert.deepEqual([body.toString(), asked], ['for r', ['now']]);
  });

  it('takes a token with a comma in it as it is', async () => {
    const { asked, port } = await row(asks());
    await send(port, 'GET', '/v1/x/mine', { headers: { 'X-Consul-Token': 'now, then' } });
    assert.deepEqual(asked, ['now, then']);
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

describe("a row's right, while a body is on its way", () => {
  it('is asked again, before anything is done with the body', async () => {
    const access = new FakeAccess({ t: 'event "mine" { policy = "write" }' });
    const row = new EventEmitter();
    const bodies: string[] = [];
    const handle: Route['handle'] = async (asked) => {
      const coming = asked.body(100);
      row.emit('begun');
      bodies.push(String(await coming));
      return {};
    };
    const right = needs('event:write', () => 'mine');
    const body = { what: 'what is written' };
    const routes: Route[] = [{ method: 'PUT', path: '/v1/x', right, body, does: '', handle }];
    const { port } = await serveHttp(createApp({ routes, access }, { logger: silentLogger }));
    const ask = async (change: () => void) => {
      const headers = { 'X-Consul-Token': 't', 'Content-Length': 2 };
      const asking = request({ port, method: 'PUT', path: '/v1/x', headers });
      const answered = once(asking, 'response') as Promise<[IncomingMessage]>;
      const begun = once(row, 'begun');
      asking.write('a');
      await begun;
      change();
      asking.end('b');
      const [response] = await answered;
      response.resume();
      return response.statusCode;
    };
    assert.equal(await ask(() => access.grant('t', 'event_prefix "" { policy = "write" }')), 200);
    assert.equal(await ask(() => access.grant('t', '')), 403);
    access.grant('t', 'event "mine" { policy = "write" }');
    assert.equal(await ask(() => access.revoke('t')), 403);
    assert.deepEqual(bodies, ['ab']);
  });
});

describe("a row's right, while its answer is made", () => {
  it('is asked again, and who has lost it is told nothing', async () => {
    const access = new FakeAccess({ t: 'event "mine" { policy = "read" }' });
    const row = new EventEmitter();
    const handle: Route['handle'] = async () => {
      const made = once(row, 'made');
      row.emit('begun');
      await made;
      return { text: 'a profile' };
    };
    const right = needs('event:read', () => 'mine');
    const routes: Route[] = [{ method: 'GET', path: '/v1/x', right, does: '', handle }];
    const { port } = await serveHttp(createApp({ routes, access }, { logger: silentLogger }));
    const ask = async (change: () => void) => {
      const begun = once(row, 'begun');
      const answer = send(port, 'GET', '/v1/x', { headers: { 'X-Consul-Token': 't' } });
      await begun;
      change();
      row.emit('made');
      const { status, text } = await answer;
      return [status, text];
    };
    assert.deepEqual(await ask(() => undefined), [200, 'a profile']);
    assert.deepEqual(await ask(() => access.grant('t', '')), [403, 'Permission denied']);
    access.grant('t', 'event "mine" { policy = "read" }');
    assert.deepEqual(await ask(() => access.revoke('t')), [403, 'ACL not found']);
  });
});
