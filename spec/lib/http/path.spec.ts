import assert from 'node:assert/strict';
import { cleanPath, encodePath, isPrintable, splitTarget } from '../../../lib/http/path.ts';

describe('splitTarget', () => {
  it('decodes the path once, and leaves the query string alone', () => {
    assert.deepEqual(splitTarget('/v1/kv/a%2Fb%2520?x=%41?'), {
      path: '/v1/kv/a/b%20',
      query: 'x=%41?',
    });
  });

  it('takes a whole URL for the path in it', () => {
    assert.deepEqual(splitTarget('HTTP://h:80/v1/kv/k?raw'), { path: '/v1/kv/k', query: 'raw' });
  });

  for (const target of [
    '*',
    'x',
    'http://h',
    'ftp://h/x',
    '/%',
    '/%zz',
    '/%c0%af',
    '/%ed%a0%80',
    '/x?cas%zz=1',
    '/x?a=%',
    '/x?a=%2',
  ]) {
    it(`refuses ${target}`, () =>
      assert.throws(() => splitTarget(target), /^ProconsulError: Bad Request/));
  }
});

describe('cleanPath', () => {
  const CLEANED: readonly (readonly [string, string])[] = [
    ['//v1//kv', '/v1/kv'],
    ['/v1/./kv/../x', '/v1/x'],
    ['/v1/kv/a//', '/v1/kv/a/'],
    ['/../../x', '/x'],
    ['/..', '/'],
    ['/v1/kv/..', '/v1'],
  ];
  for (const [path, clean] of CLEANED) {
    it(`${path} → ${clean}`, () => assert.equal(cleanPath(path), clean));
  }

  for (const path of ['/', '/v1/kv/a/', '/v1/kv/..a', '/v1/kv/a..', '/v1/kv/...', '/v1/kv/.a']) {
    it(`leaves ${path} as it is`, () => assert.equal(cleanPath(path), path));
  }
});

describe('isPrintable', () => {
  it('takes letters of any kind and plain spaces', () => {
    for (const path of ['/a b', '/ä😀', '/\ufffd', '/"<>']) assert(isPrintable(path), path);
  });

  it('refuses control characters, other spaces and what is no character', () => {
    for (const c of ['\0', '\n', '\x7f', '\u00a0', '\u2028', '\u200b', '\uffff', '\ue000']) {
      assert(!isPrintable(`/a${c}`), JSON.stringify(c));
    }
  });
});

describe('encodePath', () => {
  it('writes what may stand in a Location', () => {
    assert.equal(encodePath('/a b/ä?#%'), '/a%20b/%C3%A4%3F%23%25');
  });
});
