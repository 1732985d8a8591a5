import assert from 'node:assert/strict';
import { bindNameComplaint, filledIn } from '../../../server/acl/methods/bind-name.ts';

const place = (name: string) => `$${`{${name}}`}`;
const KNOWN = ['value.team', 'value.user'];

describe('a BindName', () => {
  it('is filled in with what the method tells, and with nothing for what it does not', () => {
    const variables = new Map([['value.team', 'ops']]);
    assert.equal(
      filledIn(`a-${place('value.team')}-${place(' value.user ')}.`, variables),
      'a-ops-.',
    );
    assert.equal(filledIn('plain', variables), 'plain');
  });

  it('fills in nothing of what is filled in', () => {
    const variables = new Map([['value.team', place('value.user')]]);
    assert.equal(filledIn(place('value.team'), variables), place('value.user'));
  });

  for (const [text, complaint] of [
    [`svc-${place('user')}`, '1:7: unknown variable accessed: user'],
    [`x-${place(' value.nope')}`, '1:6: unknown variable accessed: value.nope'],
    [place('constructor'), '1:3: unknown variable accessed: constructor'],
    ['${', 'parse error: syntax error'],
    [`${place('value.team')}\${`, 'parse error: syntax error'],
    [place(''), 'parse error: syntax error'],
    [place('value.team'), undefined],
    ['a$b}', undefined],
  ] as const) {
    it(`${text}: ${complaint ?? 'nothing is wrong'}`, () => {
      assert.equal(bindNameComplaint(text, KNOWN), complaint);
    });
  }
});
