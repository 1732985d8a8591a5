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
      assert.ok(readingsOf(`${path}?a;b//c`)?.includes('/admin/x?a;b//c'), `${readingsOf(path)}`);
    });
  }

  it('leaves one as it is that says nothing of the kind', () => {
    assert.deepEqual(readingsOf('/a.b/c-d?x=/../y;z%20'), ['/a.b/c-d?x=/../y;z%20']);
  });

  it('is not looked at where that is too much: a path of some kilobytes may be two dozen others', () => {
    const worst = (letters: number) => '/a;b/%2541/.%2e/\\c'.repeat(letters / 18);
    assert.ok((readingsOf(worst(540))?.length ?? 0) > 10);
    for (const letters of [3900, 30_000]) assert.equal(readingsOf(worst(letters)), undefined);
    assert.equal(readingsOf(`${worst(540)}?${'q'.repeat(30_000)}`), undefined);
  });

  it('is looked at for long ones that are written in order', () => {
    const text = encodeURIComponent('ж'.repeat(1000));
    assert.deepEqual(readingsOf(`/a/${text}`)?.length, 2);
    assert.equal(readingsOf(`/a%20b?${'q'.repeat(30_000)}`)?.length, 2);
    assert.equal(readingsOf(`/${'a'.repeat(30_000)}`)?.length, 1);
  });
});
