import assert from 'node:assert/strict';
import { open, Sealing } from '../../../lib/seal/box.ts';
import { parseKey } from '../../../lib/seal/key.ts';
import { KEYS } from '../../support/sealed.ts';

const key = parseKey(KEYS.first);
const other = parseKey(KEYS.second);
const keys = new Map([[key.id, key]]);

describe('a sealed text', () => {
  const box = new Sealing().seal(key, 'the secret', 'entry 7');

  it('opens under its key, and shows nothing of itself', () => {
    assert.equal(open(box, keys, 'entry 7').toString(), 'the secret');
    assert(!box.includes('secret'));
    assert(!Buffer.from(box.slice(10), 'base64').includes('secret'));
  });

  it('does not open when any one of its characters was changed', () => {
    for (let at = 0; at < box.length; at++) {
      const digit = box[at] === 'A' ? 'B' : 'A';
      const forged = `${box.slice(0, at)}${digit}${box.slice(at + 1)}`;
      // The last digits of base64 may say nothing.
      if (forged.slice(0, 10) === box.slice(0, 10) && bytes(forged).equals(bytes(box))) continue;
      assert.throws(() => open(forged, keys, 'entry 7'), { name: 'ProconsulError' }, `at ${at}`);
    }
  });

  it('does not open when it was cut, at any length', () => {
    for (let length = 0; length < box.length - 2; length++) {
      assert.throws(() => open(box.slice(0, length), keys, 'entry 7'), {
        name: 'ProconsulError',
      });
    }
  });

  it('does not open in another place', () => {
    const message = `it does not open under the key ${key.id}: it was changed, forged or moved`;
    assert.throws(() => open(box, keys, 'entry 8'), { message });
  });

  it('is refused by name when its key is not there, or it is none', () => {
    const message = new RegExp(`sealed under the key ${key.id}, which is not in this keyring`);
    assert.throws(() => open(box, new Map([[other.id, other]]), 'entry 7'), { message });
    assert.throws(() => open('{}', keys, 'entry 7'), { message: 'it is not sealed' });
    assert.throws(() => open('~2x', keys, 'entry 7'), { message: /later version/ });
    assert.throws(() => open('~1<script>', keys, 'entry 7'), { message: /a?key that has no id/ });
  });
});

describe('a nonce', () => {
  it('comes once: eight bytes that each Sealing draws, and a counter', () => {
    const sealings = Array.from({ length: 50 }, () => new Sealing());
    const nonces = new Set<string>();
    for (let round = 0; round < 50; round++) {
      for (const sealing of sealings) {
        nonces.add(bytes(sealing.seal(key, 'x', 'y')).toString('hex', 0, 12));
      }
    }
    assert.equal(nonces.size, 2500);
    assert.equal(new Set([...nonces].map((nonce) => nonce.slice(0, 16))).size, 50);
  });
});

function bytes(box: string): Buffer {
  return Buffer.from(box.slice(10), 'base64');
}
