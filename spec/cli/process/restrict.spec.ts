import assert from 'node:assert/strict';
import { restrict } from '../../../cli/process/restrict.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { Params } from '../../../lib/http/params.ts';
import type { HttpRequest } from '../../../lib/http/route.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

function asking(over: Partial<HttpRequest>): HttpRequest {
  return {
    method: 'GET',
    target: '/v1/kv/a',
    rest: 'a',
    params: new Params(''),
    headers: {},
    token: '',
    remoteAddress: '127.0.0.1',
    signal: new AbortController().signal,
    body: async () => Buffer.alloc(0),
    ...over,
  };
}

function handlerUnder(config: string) {
  const argv = ['-dev', '-bind=127.0.0.1', '-hcl', `http_config { ${config} }`];
  const { http } = loadConfig({ argv, host: fakeConfigHost() }).config;
  return restrict(() => ({ json: true }), http);
}

describe('http_config.block_endpoints', () => {
  const handle = handlerUnder('block_endpoints = ["/v1/kv"]');

  it('refuses what begins so', () => {
    assert.throws(() => handle(asking({})), /Endpoint is blocked by agent configuration/);
  });

  it('lets everything else pass', () => {
    assert.deepEqual(handle(asking({ target: '/v1/catalog/nodes' })), { json: true });
  });
});

describe('http_config.allow_write_http_from', () => {
  const handle = handlerUnder('allow_write_http_from = ["10.0.0.0/8"]');

  it('refuses writes from elsewhere', () => {
    assert.throws(() => handle(asking({ method: 'PUT' })), /Access is restricted/);
  });

  it('takes writes from there, also over a socket for both families', () => {
    for (const remoteAddress of ['10.1.2.3', '::ffff:10.1.2.3']) {
      assert.deepEqual(handle(asking({ method: 'PUT', remoteAddress })), { json: true });
    }
  });

  it('lets anyone read', () => {
    assert.deepEqual(handle(asking({})), { json: true });
  });
});
