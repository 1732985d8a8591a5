import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type ApiClient, createApiClient } from '../../cli/api-client.ts';
import { ConsulCopy } from '../../cli/consul-copy.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type AclServer, MASTER, startAclServer } from '../support/servers/acl-server.ts';

function clientOf({ port }: AclServer) {
  const headers = { 'X-Consul-Token': MASTER };
  const target = { scheme: 'http', address: `127.0.0.1:${port}`, headers } as const;
  return createApiClient({ target, query: [], signal: new AbortController().signal });
}

const SERVICE = { Node: 'm', Address: '10.0.0.1', Service: { ID: 'db1', Service: 'db', Port: 1 } };
const CHECK = { Node: 'm', CheckID: 'up', Name: 'up', Status: 'passing' };

/** A copy that was made already, and both clusters; the new one is asked by `to`. */
async function copied(through = (to: ApiClient) => to, of = (from: ApiClient) => from) {
  const [old, now] = [await startAclServer(), await startAclServer()];
  await old.master('PUT', '/v1/catalog/register', { ...SERVICE, Check: CHECK });
  await old.master('PUT', '/v1/acl/policy', { Name: 'p', Rules: 'key "a" { policy = "read" }' });
  await old.master('PUT', '/v1/kv/a', '1');
  const sides = { from: of(clientOf(old)), to: through(clientOf(now)) };
  const copy = await ConsulCopy.between(sides, () => {});
  await copy.copy();
  return { old, now, copy };
}

/** What somebody may do to the new cluster, and how it is called. */
const WRITES: readonly (readonly [what: string, method: string, path: string, body: unknown])[] = [
  ['key a', 'PUT', '/v1/kv/a', '2'],
  ['node other', 'PUT', '/v1/catalog/register', { Node: 'other', Address: '10.0.0.2' }],
  ['service web at m', 'PUT', '/v1/catalog/register', { ...SERVICE, Service: { Service: 'web' } }],
  [
    'service db at m',
    'PUT',
    '/v1/catalog/register',
    { ...SERVICE, Service: { ...SERVICE.Service, Tags: ['t'] } },
  ],
  ['session', 'PUT', '/v1/session/create', { Node: 'm', NodeChecks: [] }],
  ['policy q', 'PUT', '/v1/acl/policy', { Name: 'q' }],
  ['role r', 'PUT', '/v1/acl/role', { Name: 'r', Policies: [{ Name: 'p' }] }],
  ['token', 'PUT', '/v1/acl/token', { Policies: [{ Name: 'p' }] }],
  ['prepared query', 'POST', '/v1/query', { Name: 'q', Service: { Service: 'db' } }],
  [
    'config entry service-defaults/db',
    'PUT',
    '/v1/config',
    { Kind: 'service-defaults', Name: 'db', Protocol: 'http' },
  ],
  [
    'intention db',
    'PUT',
    '/v1/connect/intentions/exact?source=web&destination=db',
    {
      Action: 'deny',
    },
  ],
];

describe('a copy of a Consul', function () {
  this.timeout(60_000);

  for (const [what, method, path, body] of WRITES) {
    it(`is not copied over once somebody has written to it: ${what}`, async () => {
      const { now, copy } = await copied();
      const { status, text } = await now.as(MASTER, method, path, body as object);
      assert.equal(status, 200, text);
      await assert.rejects(copy.copy(), (error: Error) => {
        assert.match(error.message, /^Somebody writes to the new cluster by now \(/);
        assert.ok(error.message.includes(`(${what}`), error.message);
        return true;
      });
    });
  }

  it('has the auth methods that the other’s archive lacks, as those of Consul 1.8 do but for the first', async () => {
    const { old, now, copy } = await copied(undefined, (from) => {
      let archive: Promise<Buffer> | undefined;
      return {
        send: (request) => from.send(request),
        stream: async (request) => {
          archive ??= from.stream(request).then(buffer);
          return Readable.from([await archive]);
        },
      };
    });
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const Config = {
      BoundIssuer: 'x',
      JWTValidationPubKeys: [publicKey.export({ type: 'spki', format: 'pem' })],
    };
    for (const Name of ['a', 'b']) {
      const method = { Name, Type: 'jwt', MaxTokenTTL: '5m', Config };
      await old.master('PUT', '/v1/acl/auth-method', method);
    }
    for (const round of [1, 2]) {
      const { counts, here } = await copy.copy();
      assert.deepEqual([counts.get('authMethod'), here.get('authMethod')], [2, 2], `${round}`);
    }
    const {
      CreateIndex: _,
      ModifyIndex: __,
      ...b
    } = await now.master('GET', '/v1/acl/auth-method/b');
    assert.deepEqual(b, { Name: 'b', Type: 'jwt', MaxTokenTTL: '5m0s', Config });
    await now.master('PUT', '/v1/acl/auth-method', { ...b, Description: 'mine' });
    await assert.rejects(copy.copy(), /\(auth method b\)/);
  });

  describe('whose connection broke after it was written, and before it was looked at', () => {
    /** Breaks off the look after the next copy. */
    async function broken() {
      let looks = Number.POSITIVE_INFINITY;
      const both = await copied((to) => ({
        send: (request) => to.send(request),
        stream: async (request) => {
          if (--looks === 0) throw new ProconsulError('unavailable', 'broken');
          return await to.stream(request);
        },
      }));
      for (const [, method, path, body] of WRITES)
        await both.old.master(method, path, body as object);
      // One for what was written there, and one for how it was taken.
      looks = 2;
      await assert.rejects(both.copy.copy(), { message: 'broken' });
      assert.equal((await both.now.as(MASTER, 'GET', '/v1/kv/a?raw')).text, '2');
      return both;
    }

    it('is not taken for what somebody wrote', async () => {
      const { old, now, copy } = await broken();
      await old.master('PUT', '/v1/kv/b', '3');
      await copy.copy();
      await copy.copy();
      assert.equal((await now.as(MASTER, 'GET', '/v1/kv/b?raw')).text, '3');
    });

    for (const [what, method, path, body] of [
      ['key a', 'PUT', '/v1/kv/a', '9'],
      ['policy mine', 'PUT', '/v1/acl/policy', { Name: 'mine' }],
      [
        'service mine at m',
        'PUT',
        '/v1/catalog/register',
        { ...SERVICE, Service: { Service: 'mine' } },
      ],
    ] as const) {
      it(`is not copied over what somebody has made since: ${what}`, async () => {
        const { now, copy } = await broken();
        await now.master(method, path, body);
        await assert.rejects(copy.copy(), (error: Error) => error.message.includes(`(${what})`));
      });
    }
  });

  it('would replace what a cluster has that is not new, of whatever kind', async () => {
    const { now } = await copied();
    const copy = await ConsulCopy.between({ from: clientOf(now), to: clientOf(now) }, () => {});
    assert.equal(await copy.losses(), 'key: 1, policy: 1');
    const fresh = await startAclServer();
    const other = await ConsulCopy.between({ from: clientOf(now), to: clientOf(fresh) }, () => {});
    assert.equal(await other.losses(), '');
  });

  it('is copied over again where only the other was written to', async () => {
    const { old, now, copy } = await copied();
    for (const [, method, path, body] of WRITES) await old.master(method, path, body as object);
    await copy.copy();
    await copy.copy();
    assert.equal((await now.as(MASTER, 'GET', '/v1/kv/a?raw')).text, '2');
    assert.equal((await now.master('GET', '/v1/acl/policy/name/q'))['Name'], 'q');
  });

  it('is copied over again after what happens by itself: a look at a check, the end of a session', async () => {
    const { old, now, copy } = await copied();
    const { ID } = await old.master('PUT', '/v1/session/create', { Node: 'm', NodeChecks: [] });
    await old.master('PUT', `/v1/kv/locked?acquire=${ID}`, 'x');
    await copy.copy();
    const Check = { ...CHECK, Status: 'warning', Output: 'slow' };
    await now.master('PUT', '/v1/catalog/register', { ...SERVICE, Check });
    await now.master('PUT', `/v1/session/destroy/${ID}`);
    await copy.copy();
    assert.equal((await now.as(MASTER, 'GET', '/v1/kv/a?raw')).text, '1');
  });
});
