import assert from 'node:assert/strict';
import type { Method, Route } from '../../../lib/http/route.ts';
import { allowed, Router } from '../../../lib/http/router.ts';

function row(method: Method, path: string): Route {
  return { method, path, right: 'none', does: '', handle: () => ({}) };
}

describe('a router', () => {
  const router = new Router([
    row('GET', '/v1/query'),
    row('GET', '/v1/query/'),
    row('DELETE', '/v1/query/'),
    row('PUT', '/v1/query/special'),
  ]);
  const found = (path: string) => {
    const match = router.match(path);
    return match && [[...match.methods.keys()], match.rest];
  };

  it('finds the exact row before a longer and a shorter one', () => {
    assert.deepEqual(found('/v1/query'), [['GET'], '']);
    assert.deepEqual(found('/v1/query/special'), [['PUT'], '']);
  });

  it('gives all that follows to the row above it, slashes and all', () => {
    assert.deepEqual(found('/v1/query/a/b//c'), [['GET', 'DELETE'], 'a/b//c']);
    assert.deepEqual(found('/v1/query/'), [['GET', 'DELETE'], '']);
  });

  it('finds nothing for what has no row', () => {
    assert.equal(found('/v1'), undefined);
    assert.equal(found('/v1/queryx'), undefined);
    assert.equal(found('/'), undefined);
  });

  it('has no two rows for one method and path', () => {
    assert.throws(() => new Router([row('GET', '/x'), row('GET', '/x')]), /two rows for GET \/x/);
  });

  it('says which methods a path takes, with OPTIONS, sorted', () => {
    const { methods } = router.match('/v1/query/x') ?? { methods: new Map() };
    assert.equal(allowed(methods), 'DELETE,GET,OPTIONS');
  });
});
