import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { goFileError, withoutPassword } from '../../lib/go-error.ts';

describe('failures in Go’s words', () => {
  for (const [path, words] of [
    ['/nowhere', 'open /nowhere: no such file or directory'],
    ['/', 'read: is a directory'],
    ['/dev/null/x', 'open /dev/null/x: not a directory'],
  ] as const) {
    it(`says of a file "${words}"`, () => {
      assert.throws(
        () => readFileSync(path),
        (error: Error) => {
          assert.equal(goFileError(error), words);
          return true;
        },
      );
    });
  }

  it('leaves what Node says of no file', () => {
    assert.equal(goFileError(new Error('EMFILE: x')), 'EMFILE: x');
    assert.equal(goFileError(new Error('no port')), 'no port');
  });

  for (const [url, shown] of [
    ['http://me:SEC@RET@h:1/?a=b@c', 'http://me:***@h:1/?a=b@c'],
    ['https://me:@h', 'https://me:***@h'],
    ['http://me@h/', 'http://me@h/'],
    ['http://h:80/x:y@z', 'http://h:80/x:y@z'],
    ['h:80/me:x@y', 'h:80/me:x@y'],
  ] as const) {
    it(`shows ${shown} of ${url}`, () => assert.equal(withoutPassword(url), shown));
  }
});
