import assert from 'node:assert/strict';
import { guardsOf } from '../../../cli/process/restrict.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import type { Guard } from '../../../lib/http/route.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { httpRequest } from '../../support/fakes/http-request.ts';

function guardUnder(config: string) {
  const argv = ['-dev', '-bind=127.0.0.1', '-hcl', `http_config { ${config} }`];
  const { http } = loadConfig({ argv, host: fakeConfigHost() }).config;
  const [guard] = guardsOf(http);
  assert(guard !== undefined);
  return guard;
}

describe('http_config.block_endpoints', () => {
  const guard: Guard = guardUnder('block_endpoints = ["/v1/kv"]');

  it('refuses what begins so', () => {
    assert.throws(() => guard(httpRequest({})), /Endpoint is blocked by agent configuration/);
  });

  it('refuses it whatever the method, and however its path was written', () => {
    assert.throws(() => guard(httpRequest({ method: 'OPTIONS' })), /is blocked/);
    assert.throws(() => guard(httpRequest({ target: '/v1/%6bv/a' })), /is blocked/);
  });

  it('lets everything else pass', () => {
    guard(httpRequest({ path: '/v1/catalog/nodes' }));
  });
});

describe('http_config.allow_write_http_from', () => {
  const guard: Guard = guardUnder('allow_write_http_from = ["10.0.0.0/8"]');

  it('refuses writes from elsewhere', () => {
    assert.throws(() => guard(httpRequest({ method: 'PUT' })), /Access is restricted/);
  });

  it('takes writes from there, also over a socket for both families', () => {
    for (const remoteAddress of ['10.1.2.3', '::ffff:10.1.2.3']) {
      guard(httpRequest({ method: 'PUT', remoteAddress }));
    }
  });

  it('lets anyone read', () => {
    guard(httpRequest({}));
  });
});
