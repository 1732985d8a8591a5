import assert from 'node:assert/strict';
import { keyComplaint, parseKey } from '../../../lib/seal/key.ts';
import { KEYS } from '../../support/sealed.ts';

/** As a real Consul complains of each. */
const COMPLAINTS: readonly (readonly [string, string])[] = [
  ['short', 'illegal base64 data at input byte 4'],
  ['xx', 'illegal base64 data at input byte 0'],
  ['pUqJrVyVRj5jsiYEkM/tFQ', 'illegal base64 data at input byte 20'],
  ['c2hvcnQ=', 'key size must be 16, 24 or 32 bytes'],
  ['', 'key size must be 16, 24 or 32 bytes'],
];

describe('a key', () => {
  it('has 16, 24 or 32 bytes, and an id and a secret that follow from them', () => {
    const keys = Object.values(KEYS).map(parseKey);
    assert.equal(new Set(keys.map(({ id }) => id)).size, 4);
    for (const { id, secret, text } of keys) {
      assert.equal(secret.symmetricKeySize, 32);
      assert.match(id, /^[\w-]{8}$/);
      assert(!text.includes(id));
      assert.equal(parseKey(text).id, id);
    }
  });

  for (const [text, message] of COMPLAINTS) {
    it(`is refused in Consul's words: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseKey(text), { code: 'rejected', message });
    });
  }

  it('is base64 as Go reads it', () => {
    assert.equal(keyComplaint('AAAA'), undefined);
    assert.equal(keyComplaint('AAA-'), 'illegal base64 data at input byte 3');
    assert.equal(keyComplaint('é'), 'illegal base64 data at input byte 0');
  });
});
