import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

/** In nanoseconds they are beyond 2^53: from 105 days on. */
const LONG = ['3000h', '2000000h'];

describe('durations that no JSON number holds exactly', () => {
  for (const long of LONG) {
    it(`are as good as others, on every server that applies them: ${long}`, async () => {
      const { put, get } = await startServer();
      await put('/v1/config', { Kind: 'proxy-defaults', Config: { protocol: 'http' } });
      const resolver = { Kind: 'service-resolver', Name: 'web', ConnectTimeout: long };
      const Routes = [{ Destination: { RequestTimeout: long } }];
      const written: readonly (readonly [string, object])[] = [
        ['/v1/config', resolver],
        ['/v1/config', { Kind: 'service-router', Name: 'web', Routes }],
        ['/v1/operator/kv-revisions', { Prefixes: ['r/'], MaxAge: long }],
        ['/v1/operator/autopilot/configuration', { LastContactThreshold: long }],
      ];
      for (const [path, body] of written) assert.equal((await put(path, body)).status, 200, path);
      const shown = [
        '/v1/config/service-resolver/web',
        '/v1/config/service-router/web',
        '/v1/operator/kv-revisions',
        '/v1/operator/autopilot/configuration',
      ];
      for (const path of shown) assert.ok((await get(path)).text.includes(`${long}0m0s`), path);
      for (const value of ['a', 'b']) assert.equal((await put('/v1/kv/r/k', value)).text, 'true');
      assert.equal(((await get('/v1/kv/r/k?history')).json as object[]).length, 2);
    });

    it(`may be a lock-delay's: ${long}`, async () => {
      const { put } = await startServer();
      await put('/v1/catalog/register', { Node: 'n', Address: '10.0.0.1' });
      const session = async (over: object) => {
        const { json } = await put('/v1/session/create', { Node: 'n', Checks: [], ...over });
        return (json as { ID: string }).ID;
      };
      const ID = await session({ LockDelay: long });
      assert.equal((await put(`/v1/kv/lock?acquire=${ID}`, 'mine')).text, 'true');
      assert.equal((await put(`/v1/session/destroy/${ID}`)).text, 'true');
      const other = await session({});
      assert.equal((await put(`/v1/kv/lock?acquire=${other}`, 'ours')).text, 'false');
    });
  }
});
