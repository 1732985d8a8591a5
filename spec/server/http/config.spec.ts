import assert from 'node:assert/strict';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServer } from '../../support/servers/start-server.ts';

const defaults = (Name: string, Protocol = 'http') => ({
  Kind: 'service-defaults',
  Name,
  Protocol,
});
const namesIn = (json: unknown) => (json as { Name: string }[]).map(({ Name }) => Name);
const PEM = (what: string) => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;

describe('/v1/config', () => {
  it('lists by kind and name, in one order', async () => {
    const { put, get } = await startServer();
    for (const name of ['b', 'A', 'c']) await put('/v1/config', defaults(name));
    await put('/v1/config', { Kind: 'mesh' });
    assert.deepEqual(namesIn((await get('/v1/config/service-defaults')).json), ['A', 'b', 'c']);
    assert.deepEqual(namesIn((await get('/v1/config/')).json), ['mesh', 'A', 'b', 'c']);
  });

  it('wakes who waits on an entry by a change of it alone', async () => {
    const { put, get, clock } = await startServer();
    await put('/v1/config', defaults('web', 'tcp'));
    const { index } = await get('/v1/config/service-defaults/web');
    const waiting = get(`/v1/config/service-defaults/web?index=${index}`);
    await clock.untilArmed();
    await put('/v1/config', defaults('other'));
    await put('/v1/config', defaults('web', 'tcp'));
    assert.equal((await get('/v1/config/service-defaults/web')).index, index);
    await put('/v1/config', defaults('web', 'http'));
    const answer = await waiting;
    assert.equal((answer.json as { Protocol: string }).Protocol, 'http');
    assert.ok(answer.index > index);
  });

  it('removes an entry only at the index that is named', async () => {
    const { put, get, del } = await startServer();
    await put('/v1/config', defaults('web'));
    const { ModifyIndex } = (await get('/v1/config/service-defaults/web')).json as {
      ModifyIndex: number;
    };
    assert.equal(
      (await del(`/v1/config/service-defaults/web?cas=${ModifyIndex + 1}`)).text,
      'false',
    );
    assert.equal((await del(`/v1/config/service-defaults/web?cas=${ModifyIndex}`)).text, 'true');
    assert.equal((await get('/v1/config/service-defaults/web')).status, 404);
  });

  it('shows and changes what the token may, by the name of the service', async () => {
    const { as, master } = await startAclServer();
    const tokenOf = async (Name: string, Rules: string) => {
      await master('PUT', '/v1/acl/policy', { Name, Rules });
      return (await master('PUT', '/v1/acl/token', { Policies: [{ Name }] }))['SecretID'] ?? '';
    };
    const web = await tokenOf(
      'web',
      'service "web" { policy = "write" } service "db" { policy = "read" }',
    );
    const operator = await tokenOf('operator', 'operator = "write"');
    const statusOf = async (token: string, body: object) =>
      (await as(token, 'PUT', '/v1/config', body)).status;
    assert.equal(await statusOf(web, defaults('web')), 200);
    assert.equal(await statusOf(web, defaults('db')), 403);
    assert.equal(await statusOf(web, { Kind: 'proxy-defaults' }), 403);
    assert.equal(await statusOf(operator, { Kind: 'proxy-defaults' }), 200);
    assert.equal(await statusOf(operator, defaults('web')), 403);
    const redirect = (Service: string) => ({
      Kind: 'service-resolver',
      Name: 'web',
      Redirect: { Service },
    });
    assert.equal(await statusOf(web, redirect('secret')), 403);
    await master('PUT', '/v1/config', defaults('db'));
    assert.equal(await statusOf(web, redirect('db')), 200);
    await master('PUT', '/v1/config', defaults('secret'));
    assert.deepEqual(namesIn((await as(web, 'GET', '/v1/config/service-defaults')).json), [
      'db',
      'web',
    ]);
    assert.equal((await as(web, 'GET', '/v1/config/service-defaults/secret')).status, 403);
    assert.equal((await as(web, 'GET', '/v1/config/service-defaults/none')).status, 403);
    assert.equal((await as('', 'GET', '/v1/config/proxy-defaults/global')).status, 200);
    assert.equal((await as(web, 'DELETE', '/v1/config/service-defaults/db')).status, 403);
  });

  it('shows the key of a certificate to those alone who may write it', async () => {
    const { as, master } = await startAclServer();
    await master('PUT', '/v1/acl/policy', { Name: 'see', Rules: 'mesh = "read"' });
    const { SecretID = '' } = await master('PUT', '/v1/acl/token', { Policies: [{ Name: 'see' }] });
    await master('PUT', '/v1/config', {
      Kind: 'inline-certificate',
      Name: 'c',
      Certificate: PEM('CERTIFICATE'),
      PrivateKey: PEM('PRIVATE KEY'),
    });
    for (const path of ['/v1/config/inline-certificate/c', '/v1/config/inline-certificate']) {
      assert.match(JSON.stringify(await master('GET', path)), /BEGIN PRIVATE KEY/);
      const { text } = await as(SecretID, 'GET', path);
      assert.match(text, /"PrivateKey":"\\u003chidden\\u003e"/);
      assert.doesNotMatch(text, /BEGIN PRIVATE/);
    }
  });
});
