import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

const PATH = '/v1/internal/central-defaults';

async function start() {
  const { ask, put, del } = await startServer();
  const defaults = (body: object, query = '') => ask('POST', PATH + query, { body });
  const config = (Kind: string, Name: string, said: object) =>
    put('/v1/config', { Kind, Name, ...said });
  return { defaults, config, del };
}

describe(`POST ${PATH}`, () => {
  it('says what the entries of all, of the service and of those it calls come to', async () => {
    const { defaults, config } = await start();
    const Path = { Path: '/w', ListenerPort: 4, LocalPathPort: 3 };
    await config('proxy-defaults', 'global', {
      Config: { protocol: 'tcp', a: 1 },
      MeshGateway: { Mode: 'local' },
      Expose: { Checks: true, Paths: [{ ...Path, Path: '/g' }] },
    });
    await config('service-defaults', 'web', {
      Protocol: 'http',
      MeshGateway: { Mode: 'none' },
      Expose: { Paths: [Path] },
      Mode: 'transparent',
      LocalConnectTimeoutMs: 5,
      UpstreamConfig: {
        Defaults: { ConnectTimeoutMs: 1 },
        Overrides: [{ Name: 'db', ConnectTimeoutMs: 2, MeshGateway: { Mode: 'remote' } }],
      },
    });
    await config('service-defaults', 'db', { Protocol: 'grpc' });
    const { json } = await defaults({ Service: 'WEB', Upstreams: ['DB', 'other'] });
    assert.deepEqual(json, {
      Proxy: {
        Config: { protocol: 'http', a: 1, local_connect_timeout_ms: 5 },
        MeshGateway: { Mode: 'none' },
        Expose: { Checks: true, Paths: [{ ...Path, ParsedFromCheck: false }] },
        Mode: 'transparent',
      },
      Upstreams: [
        {
          Name: 'DB',
          Config: { protocol: 'grpc', connect_timeout_ms: 2 },
          MeshGateway: { Mode: 'remote' },
        },
        { Name: 'other', Config: { protocol: 'tcp', connect_timeout_ms: 1 }, MeshGateway: {} },
      ],
    });
  });

  it('says nothing where nobody does, and waits for whatever would change it, and for that alone', async () => {
    const { defaults, config, del } = await start();
    const body = { Service: 'web', Upstreams: ['db'] };
    const first = await defaults(body);
    assert.deepEqual(first.json, { Proxy: { MeshGateway: {}, Expose: {} }, Upstreams: [] });
    let { index } = first;
    let isAnswered = false;
    const waits = () => defaults(body, `?index=${index}&wait=10s`);
    const next = waits().finally(() => {
      isAnswered = true;
    });
    await config('service-defaults', 'another', { Protocol: 'http' });
    assert.equal(isAnswered, false);
    await config('service-defaults', 'db', { Protocol: 'http' });
    const second = await next;
    assert.match(second.text, /"protocol":"http"/);
    index = second.index;
    const third = waits();
    await del('/v1/config/service-defaults/db');
    assert.deepEqual((await third).json, first.json);
  });
});
