import assert from 'node:assert/strict';
import { linesBetween } from '../../web/core/line-diff.ts';

const told = (before: string, after: string) =>
  linesBetween(before, after).map(({ text, was }) => `${was} ${text}`);

describe('lines between two texts', () => {
  it('are kept, added and removed, in the order of both', () => {
    assert.deepEqual(told('a\nb\nc', 'a\nx\nc\nd'), [
      'kept a',
      'removed b',
      'added x',
      'kept c',
      'added d',
    ]);
  });

  it('are all kept of the same text, and all others of none', () => {
    assert.deepEqual(told('a\nb', 'a\nb'), ['kept a', 'kept b']);
    assert.deepEqual(told('a', 'b'), ['removed a', 'added b']);
  });

  it('are not compared where there are too many', () => {
    const many = 'x\n'.repeat(1500);
    assert.equal(linesBetween(many, `${many}y`).filter(({ was }) => was === 'kept').length, 0);
  });
});
