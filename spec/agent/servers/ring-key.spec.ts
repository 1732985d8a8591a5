import assert from 'node:assert/strict';
import { ringKey } from '../../../agent/servers/ring-key.ts';

describe('what the ring places a request by', () => {
  it('is the service’s name, whichever way it is asked for', () => {
    for (const target of [
      '/v1/health/service/web',
      '/v1/health/service/web?passing&index=5',
      '/v1/catalog/service/web?tag=a',
      '/v1/health/checks/web',
      '/v1/health/connect/web',
      '/v1/health/service/w%65b',
    ]) {
      assert.equal(ringKey(target), 'web');
    }
  });

  it('is the path for all else', () => {
    assert.equal(ringKey('/v1/kv/a/b?recurse'), '/v1/kv/a/b');
    assert.equal(ringKey('/v1/catalog/nodes'), '/v1/catalog/nodes');
  });

  it('is something even for a path that is broken', () => {
    assert.equal(ringKey('/v1/health/service/%zz'), '%zz');
  });
});
