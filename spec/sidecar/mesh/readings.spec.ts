import assert from 'node:assert/strict';
import { readingsOf } from '../../../sidecar/mesh/readings.ts';

describe('how a program may read a path', () => {
  for (const path of [
    '/admin/x',
    '/a/../admin/x',
    '/%61dmin/x',
    '/%2561dmin/x',
    '/%252561dmin/x',
    '//admin//x',
    '/admin;v=1/x',
    '/;v=1/admin/x;y',
    '/a/..;v/admin/x',
    '/a/%2e%2e;v/admin/x',
    '/a%3b/..%3bv/admin/x',
    '/a\\..\\admin\\x',
    '/a%5c..%255Cadmin/x',
    '/a/%252e%252e/admin%2fx',
  ]) {
    it(`${path} may be /admin/x`, () => {
      assert.ok(readingsOf(`${path}?a;b//c`).includes('/admin/x?a;b//c'), `${readingsOf(path)}`);
    });
  }

  it('leaves one as it is that says nothing of the kind', () => {
    assert.deepEqual(readingsOf('/a.b/c-d?x=/../y;z%20'), ['/a.b/c-d?x=/../y;z%20']);
  });

  it('is found soon for a long path', () => {
    assert.ok(readingsOf('/%2525;./..//'.repeat(2000)).length < 60);
  });
});
