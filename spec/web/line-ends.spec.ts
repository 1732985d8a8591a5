import assert from 'node:assert/strict';
import { asStored, asTyped, lineEndsOf } from '../../web/core/line-ends.ts';

describe('the ends of lines', () => {
  it('stay as they were, though a field has but one way', () => {
    for (const text of ['', 'a', 'a\n', 'a\r\n', 'a\r\nb\r\n', 'a\nb'])
      assert.equal(asStored(asTyped(text), text), text, JSON.stringify(text));
    assert.equal(asStored('a\nc', 'a\r\nb'), 'a\r\nc');
  });

  it('become one where there were several', () => {
    assert.equal(lineEndsOf('a\r\nb\n'), 'mixed');
    assert.equal(lineEndsOf('a\rb'), 'mixed');
    assert.equal(asStored(asTyped('a\r\nb\nc\rd'), 'a\r\nb\nc\rd'), 'a\nb\nc\nd');
  });
});
