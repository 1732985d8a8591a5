import assert from 'node:assert/strict';
import { canBeAsked } from '../../web/core/keys-and-values.ts';
import { homed, isAsWritten, matched, pathOf, spotAt } from '../../web/core/path.ts';

describe('an address of the page', () => {
  it('leads back to what it was made of, whatever names there are', () => {
    const dots = ['.', '..', '~.', '~~..', '%2e', '...', '~'];
    for (const name of ['web', 'a/b', 'a b', '100%', '?#&=', '数据库', '"<>', '+', ...dots]) {
      const spot = { datacenter: 'dc1', parts: ['services', name, 'x'] };
      const path = pathOf(spot, '/ui/');
      assert.deepEqual(spotAt(path, '/ui/'), spot, path);
      assert.equal(new URL(path, 'http://x').pathname, path);
    }
  });

  it('may end with a slash, and may be of nothing', () => {
    assert.deepEqual(spotAt('/ui/dc1/nodes/', '/ui/'), { datacenter: 'dc1', parts: ['nodes'] });
    assert.deepEqual(spotAt('/ui/', '/ui/'), { datacenter: '', parts: [] });
    assert.deepEqual(spotAt('/ui', '/ui/'), { datacenter: '', parts: [] });
    assert.equal(spotAt('/v1/kv', '/ui/'), undefined);
    assert.equal(spotAt('/uix', '/ui/'), undefined);
  });

  it('may be typed by hand, badly', () => {
    assert.deepEqual(spotAt('/ui/dc1/services/50%', '/ui/')?.parts, ['services', '50%']);
  });

  it('is matched part by part', () => {
    assert.deepEqual(matched('services/:name', ['services', 'web']), { name: 'web' });
    assert.equal(matched('services/:name', ['services']), undefined);
    assert.equal(matched('services', ['services', 'web']), undefined);
    assert.deepEqual(matched('kv/*key', ['kv', 'a', 'b']), { key: 'a/b' });
    assert.deepEqual(matched('kv/*key', ['kv']), { key: '' });
  });
});

describe('an address without a data centre', () => {
  const isPage = (parts: readonly string[]) =>
    matched('services', parts) !== undefined || matched('services/:name', parts) !== undefined;
  const led = (pathname: string, own: string) => {
    const spot = spotAt(pathname, '/ui/');
    return spot && pathOf(homed(spot, own, isPage), '/ui/');
  };

  it("leads to the page in the reader's own", () => {
    assert.equal(led('/ui/services', 'dc1'), '/ui/dc1/services');
    assert.equal(led('/ui/services/a%2Fb', 'dc1'), '/ui/dc1/services/a%2Fb');
  });

  it('is none where its first part is a data centre, whatever it is called', () => {
    assert.equal(led('/ui/dc1/services', 'dc1'), '/ui/dc1/services');
    assert.equal(led('/ui/dc2/services', 'dc1'), '/ui/dc2/services');
    assert.equal(led('/ui/services/services', 'services'), '/ui/services/services');
    assert.equal(led('/ui/dc2', 'dc1'), '/ui/dc2');
  });
});

describe('a path that is asked', () => {
  it('is as it is written, or is not asked: a browser takes dots away, and a server leads on', () => {
    for (const path of [
      '/v1/kv/a/b',
      '/v1/kv/a/',
      '/v1/kv/a%252f%252fb',
      '/v1/kv/a.b/..c',
      '/v1/kv/%252e%252e/a',
      '/v1/kv/?keys',
    ])
      assert.equal(isAsWritten(path), true, path);
    for (const path of [
      '/v1/kv/x/../?recurse',
      '/v1/kv/../acl/token/x',
      '/v1/kv/%2e%2e/a',
      '/v1/kv/./a',
      '/v1/kv/a//b',
      '/v1/kv//a',
      '/v1/kv//?recurse',
      '/v1/kv/a//?recurse',
      '/v1/kv/a%2F/b',
      '/v1/agent/service/deregister/x%2F..%2Fy?node=n1',
      '/v1/agent/service/deregister/%2Fy',
      '/v1/agent/force-leave/q%2f.%2fy',
      '/v1/health/service/..',
    ])
      assert.equal(isAsWritten(path), false, path);
  });
});

describe('a key', () => {
  it('is asked for where its path leads to it and a server takes it', () => {
    for (const key of ['a/b', 'a b', 'a/', '\u952e', 'a..b', '%2F'])
      assert.equal(canBeAsked(key), true, key);
    for (const key of [
      'a//b',
      '/',
      '..',
      'a/./b',
      'two\nlines',
      'a\u00a0b',
      'a\u202eb',
      'esc\u001b',
    ])
      assert.equal(canBeAsked(key), false, JSON.stringify(key));
  });
});
