import assert from 'node:assert/strict';
import { Params } from '../../../lib/http/params.ts';

describe('a query string', () => {
  it('has a flag when it is named at all', () => {
    for (const text of ['stale', 'stale=', 'stale=false', 'a=1&stale']) {
      assert.equal(new Params(text).has('stale'), true, text);
    }
    assert.equal(new Params('Stale').has('stale'), false);
  });

  it('may begin with a mark, which is a part of a name then', () => {
    const params = new Params('?stale&wait=1s');
    assert.deepEqual(
      [params.has('stale'), params.has('?stale'), params.get('wait')],
      [false, true, '1s'],
    );
  });

  it('gives the first value, or all', () => {
    const params = new Params('tag=a&tag=b%26c&x=1+2');
    assert.deepEqual([params.get('tag'), params.get('x'), params.get('none')], ['a', '1 2', '']);
    assert.deepEqual(params.all('tag'), ['a', 'b&c']);
  });

  it('is read as a URL is, whether anything in it stands for something else or not', () => {
    for (const text of [
      'a&&b==c&=d&a=',
      '&',
      '=',
      'a=b=c&a;b',
      "a'=(c)*&~",
      'a+b=%41',
      'é=ü',
      'a b=c',
    ]) {
      const read = new URLSearchParams(`&${text}`);
      const params = new Params(text);
      for (const name of [...read.keys(), 'none']) {
        assert.deepEqual(params.all(name), read.getAll(name), text);
      }
    }
  });

  it("reads truth as Go's ParseBool does", () => {
    const read = (value: string) => new Params(`b=${value}`).bool('b');
    for (const yes of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.equal(read(yes), true);
    for (const no of ['0', 'f', 'F', 'false', 'FALSE', 'False']) assert.equal(read(no), false);
    assert.equal(read(''), undefined);
    for (const bad of ['yes', 'tRue', '2']) assert.throws(() => read(bad), /Invalid value for \?b/);
  });

  it('reads unsigned integers of 64 bits, and nothing beyond', () => {
    const read = (value: string) => new Params(`n=${value}`).uint64('n');
    assert.equal(read('18446744073709551615'), 2n ** 64n - 1n);
    for (const none of ['18446744073709551616', '-1', '1e3', '', ' 1', '0x1', '9'.repeat(400)]) {
      assert.equal(read(encodeURIComponent(none)), undefined, none);
    }
  });

  it('knows __proto__ only when somebody sent it', () => {
    assert.equal(new Params('').has('__proto__'), false);
    assert.equal(new Params('__proto__=x').get('__proto__'), 'x');
  });
});
