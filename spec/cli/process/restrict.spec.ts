import assert from 'node:assert/strict';
import { guardOf } from '../../../cli/process/restrict.ts';
import { ANYONE } from '../../../lib/acl/rights.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { Params } from '../../../lib/http/params.ts';
import type { Guard, HttpRequest } from '../../../lib/http/route.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

function asking(over: Partial<HttpRequest>): HttpRequest {
  return {
    method: 'GET',
    path: '/v1/kv/a',
    target: '/v1/kv/a',
    rest: 'a',
    params: new Params(''),
    headers: {},
    token: '',
    caller: ANYONE,
    remoteAddress: '127.0.0.1',
    signal: new AbortController().signal,
    body: async () => Buffer.alloc(0),
    ...over,
  };
}

function guardUnder(config: string) {
  const argv = ['-dev', '-bind=127.0.0.1', '-hcl', `http_config { ${config} }`];
  const { http } = loadConfig({ argv, host: fakeConfigHost() }).config;
  const guard = guardOf(http);
  assert(guard !== undefined);
  return guard;
}

describe('http_config.block_endpoints', () => {
  const guard: Guard = guardUnder('block_endpoints = ["/v1/kv"]');

  it('refuses what begins so', () => {
    assert.throws(() => guard(asking({})), /Endpoint is blocked by agent configuration/);
  });

  it('refuses it whatever the method, and however its path was written', () => {
    assert.throws(() => guard(asking({ method: 'OPTIONS' })), /is blocked/);
    assert.throws(() => guard(asking({ target: '/v1/%6bv/a' })), /is blocked/);
  });

  it('lets everything else pass', () => {
    guard(asking({ path: '/v1/catalog/nodes' }));
  });
});

describe('http_config.allow_write_http_from', () => {
  const guard: Guard = guardUnder('allow_write_http_from = ["10.0.0.0/8"]');

  it('refuses writes from elsewhere', () => {
    assert.throws(() => guard(asking({ method: 'PUT' })), /Access is restricted/);
  });

  it('takes writes from there, also over a socket for both families', () => {
    for (const remoteAddress of ['10.1.2.3', '::ffff:10.1.2.3']) {
      guard(asking({ method: 'PUT', remoteAddress }));
    }
  });

  it('lets anyone read', () => {
    guard(asking({}));
  });
});
