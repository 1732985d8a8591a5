import assert from 'node:assert/strict';
import { anyone } from '../../../lib/http/right.ts';
import type { Method, Route } from '../../../lib/http/route.ts';
import { allowed, Router } from '../../../lib/http/router.ts';

function row(method: Method, path: string): Route {
  return { method, path, right: anyone, does: '', handle: () => ({}) };
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

  it('knows what lacks the slash in front of what follows', () => {
    const rows = new Router([
      row('GET', '/v1/kv/'),
      row('GET', '/v1/query'),
      row('GET', '/v1/query/'),
    ]);
    const paths = ['/v1/kv', '/v1/kv/', '/v1/kv/a', '/v1/query', '/v1', '/'];
    assert.deepEqual(
      paths.filter((path) => rows.isAbove(path)),
      ['/v1/kv'],
    );
  });

  it('does no more for a path of 15,000 parts than for a short one', () => {
    // Whoever tries each part takes a tenth of a second for each of these.
    for (let n = 0; n < 3000; n++) {
      assert.equal(
        router.match(`/v1/query/${'a/'.repeat(15_000)}${n}`)?.rest.length,
        30_000 + `${n}`.length,
      );
    }
  });

  it('has no two rows for one method and path', () => {
    assert.throws(() => new Router([row('GET', '/x'), row('GET', '/x')]), /two rows for GET \/x/);
  });

  it('says which methods a path takes, with OPTIONS, in the order of the rows', () => {
    const { methods } = router.match('/v1/query/x') ?? { methods: new Map() };
    assert.equal(allowed(methods), 'OPTIONS,GET,DELETE');
  });
});
