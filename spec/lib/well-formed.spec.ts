import assert from 'node:assert/strict';
import { asInUrl } from '../../lib/connect/identity.ts';
import { inPath } from '../../lib/well-formed.ts';

describe('a name in a path', () => {
  it('stays one part of it, whatever it is', () => {
    assert.equal(inPath('a/b c?é'), 'a%2Fb%20c%3F%C3%A9');
    const ways = ['.', '..', '../..', 'a/../b', 'a/.', '/a', 'a//b'];
    for (const name of ways) assert.equal(inPath(name), '%00');
    for (const name of ['', 'a.', '..a', 'a/b', 'a/...']) {
      assert.equal(inPath(name), encodeURIComponent(name));
    }
    for (const name of ['\ud800', 'x\udfffy']) assert.match(inPath(name), /%EF%BF%BD/);
  });

  it('is in no certificate where it has half of a character: it would be another', () => {
    assert.throws(() => asInUrl('x\ud800'), { code: 'invalid' });
    assert.equal(asInUrl('x\ud83d\ude00/y'), 'x%F0%9F%98%80/y');
  });
});
