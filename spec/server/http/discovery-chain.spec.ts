import assert from 'node:assert/strict';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

async function start() {
  const server = await startServerWith({ connect: { provider: 'consul', config: {} } });
  // Until then each chain is under a name that is to come.
  await until(() => server.server.state.authority.roots.size > 0);
  const put = (body: object) => server.put('/v1/config', body);
  await put({ Kind: 'proxy-defaults', Config: { protocol: 'http' } });
  return { ...server, write: put };
}

describe('/v1/discovery-chain/:service', () => {
  it('is compiled anew by a change of an entry that it was made of, and by no other', async () => {
    const { get, write, server, clock } = await start();
    const split = (Name: string, Service: string) =>
      write({ Kind: 'service-splitter', Name, Splits: [{ Weight: 100, Service }] });
    await split('web', 'a');
    await split('other', 'b');
    const { index } = await get('/v1/discovery-chain/web');
    const before = server.answers.wakeUps;
    const waiting = get(`/v1/discovery-chain/web?index=${index}`);
    await clock.untilArmed();
    await split('other', 'c');
    await write({ Kind: 'service-defaults', Name: 'c', Protocol: 'http' });
    await write({ Kind: 'service-resolver', Name: 'b' });
    assert.equal(server.answers.wakeUps, before);
    // It was looked for, and was not there.
    await write({ Kind: 'service-resolver', Name: 'a', ConnectTimeout: '1s' });
    const answer = await waiting;
    assert.ok(answer.index > index);
    assert.match(answer.text, /"ConnectTimeout":"1s","Target":"a\.default\.dc1"/);
  });

  it('is not compiled anew by another root, nor by what defaults say that no chain shows', async () => {
    const { get, put, del, write, server, clock } = await start();
    await write({ Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
    const { index } = await get('/v1/discovery-chain/web');
    const before = server.answers.wakeUps;
    const waiting = get(`/v1/discovery-chain/web?index=${index}`);
    await clock.untilArmed();
    const Config = { PrivateKeyType: 'ec', PrivateKeyBits: 384 };
    await put('/v1/connect/ca/configuration', { Provider: 'consul', Config });
    const { roots } = server.state.authority;
    await until(() => roots.size > 1);
    await write({ Kind: 'proxy-defaults', Config: { protocol: 'http', other: 1 } });
    const UpstreamConfig = { Defaults: { ConnectTimeoutMs: 1 } };
    await write({ Kind: 'service-defaults', Name: 'web', Protocol: 'http', UpstreamConfig });
    assert.equal(server.answers.wakeUps, before);
    await write({ Kind: 'service-defaults', Name: 'web', Protocol: 'grpc' });
    const { text, index: newer } = await waiting;
    assert.match(text, /"Protocol":"grpc"/);
    assert.ok(newer > index);
    const gone = get(`/v1/discovery-chain/web?index=${newer}`);
    await del('/v1/config/service-defaults/web');
    assert.match((await gone).text, /"Protocol":"http"/);
  });

  it('says how instances are chosen, how long a request may take, and what splits do to headers', async () => {
    const { get, write } = await start();
    const HashPolicies = [{ Field: 'cookie', FieldValue: 'id', CookieConfig: { TTL: '1h' } }];
    const LoadBalancer = { Policy: 'ring_hash', HashPolicies };
    await write({ Kind: 'service-resolver', Name: 'a', RequestTimeout: '3s', LoadBalancer });
    const split = (Name: string, Service: string, more: object) =>
      write({ Kind: 'service-splitter', Name, Splits: [{ Weight: 100, Service, ...more }] });
    await split('b', 'a', { RequestHeaders: { Set: { x: 'near' }, Remove: ['z'] } });
    await split('web', 'b', { RequestHeaders: { Set: { x: 'far', y: 'far' } } });
    const { json } = await get('/v1/discovery-chain/web');
    interface Node {
      readonly Resolver?: { readonly RequestTimeout: string };
      readonly LoadBalancer?: object;
      readonly Splits?: readonly { readonly Definition?: { readonly RequestHeaders: object } }[];
    }
    const { Nodes } = (json as { Chain: { Nodes: Record<string, Node> } }).Chain;
    const end = Nodes['resolver:a.default.dc1'];
    assert.equal(end?.Resolver?.RequestTimeout, '3s');
    assert.deepEqual(end?.LoadBalancer, {
      Policy: 'ring_hash',
      HashPolicies: [{ Field: 'cookie', FieldValue: 'id', CookieConfig: { TTL: '1h0m0s' } }],
    });
    const headers = Nodes['splitter:web.default']?.Splits?.[0]?.Definition?.RequestHeaders;
    assert.deepEqual(headers, { Set: { x: 'near', y: 'far' }, Remove: ['z'] });
  });

  it('is another one with overrides, and says so', async () => {
    const { ask, get } = await start();
    const body = { OverrideConnectTimeout: '7s', overrideprotocol: 'grpc', Unknown: 1 };
    const { text } = await ask('POST', '/v1/discovery-chain/web', { body });
    assert.match(text, /"CustomizationHash":"[0-9a-f]{8}","Protocol":"grpc"/);
    assert.doesNotMatch((await get('/v1/discovery-chain/web')).text, /CustomizationHash/);
  });
});
