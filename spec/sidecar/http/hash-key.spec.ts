import assert from 'node:assert/strict';
import { hashRulesIn, keyOf } from '../../../sidecar/http/hash-key.ts';

describe('by what a host is chosen', () => {
  const rules = hashRulesIn([{ Field: 'cookie', FieldValue: 'sid' }]);
  const keyIn = (cookie: string) =>
    keyOf(rules, { path: '/', authority: '', fields: ['cookie', cookie] }, '', () => '').key;

  it('is a cookie of that name, and no value without a name', () => {
    assert.equal(keyIn('a=b; sid="x"'), 'x');
    for (const cookie of ['sidX', 'sid', 'a=sid']) assert.equal(keyIn(cookie), undefined, cookie);
  });
});
