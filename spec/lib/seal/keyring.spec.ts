import assert from 'node:assert/strict';
import { parseKey } from '../../../lib/seal/key.ts';
import { forgetRetired, install, retire, use } from '../../../lib/seal/keyring.ts';
import { KEYS, keyringOf } from '../../support/sealed.ts';

const [first, second] = [parseKey(KEYS.first), parseKey(KEYS.second)];
const one = keyringOf(KEYS.first);

describe('a keyring', () => {
  it('takes a key once, behind the primary one', () => {
    const two = install(one, second);
    assert.deepEqual(two.keys, [first, second]);
    assert.equal(install(two, second), two);
  });

  it('uses a key that it has, and no other', () => {
    const two = install(one, second);
    assert.deepEqual(use(two, second).keys, [second, first]);
    assert.equal(use(two, first), two);
    assert.throws(() => use(one, second), { message: 'Requested key is not in the keyring' });
  });

  it('gives up what is not primary: it opens until it is forgotten', () => {
    const two = use(install(one, second), second);
    const retired = retire(two, first);
    assert.deepEqual([retired.keys, retired.retired], [[second], [first]]);
    assert.deepEqual(retired.removed, [first.id]);
    assert.deepEqual(forgetRetired(retired).retired, []);
    assert.equal(retire(one, second), one);
    assert.throws(() => retire(two, second), {
      message: 'Removing the primary key is not allowed',
    });
  });

  it('takes a key back that it gave up', () => {
    const again = install(retire(use(install(one, second), second), first), first);
    assert.deepEqual([again.keys, again.retired, again.removed], [[second, first], [], []]);
  });
});
