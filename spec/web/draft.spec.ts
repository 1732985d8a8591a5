import assert from 'node:assert/strict';
import type { KeyValue } from '../../lib/model.ts';
import { draftOf, isOver } from '../../web/core/draft.ts';

const row = (ModifyIndex: number, text: string) =>
  ({ Key: 'a', ModifyIndex, Value: Buffer.from(text).toString('base64') }) as KeyValue;
const [one, two] = [row(5, 'one'), row(6, 'two')];

describe('a draft of a key', () => {
  it('is what stands there until somebody writes', () => {
    const { text, isChanged, maySave } = draftOf(undefined, one);
    assert.deepEqual([text, isChanged, maySave], ['one', false, false]);
  });

  it('of a key that is not there may be saved as it is: empty', () => {
    const { text, maySave } = draftOf(undefined, undefined);
    assert.deepEqual([text, maySave], ['', true]);
  });

  it('may be saved upon what it was begun on', () => {
    const draft = draftOf({ text: 'mine', upon: one }, one);
    assert.deepEqual([draft.maySave, draft.upon], [true, one]);
  });

  it('may not be saved over what somebody else wrote', () => {
    const draft = draftOf({ text: 'mine', upon: one }, two);
    assert.deepEqual([draft.isOvertaken, draft.maySave, draft.text], [true, false, 'mine']);
    assert.equal(draftOf({ text: 'mine', upon: one }, undefined).isOvertaken, true);
  });

  it('that was saved is what is shown until it has come back, and then what stands there', () => {
    const saved = { text: 'two', upon: one, saved: 'two' };
    assert.deepEqual([draftOf(saved, one).text, draftOf(saved, one).maySave], ['two', false]);
    assert.equal(draftOf(saved, two).isChanged, false);
    assert.equal(draftOf(saved, row(7, 'three')).text, 'three');
  });

  it('is over where it stands there, though nobody has heard that it was saved', () => {
    const begun = { text: 'two', upon: one };
    assert.deepEqual([draftOf(begun, two).isOvertaken, isOver(begun, two)], [false, true]);
    assert.equal(isOver({ text: 'one', upon: one, saved: 'two' }, one), false);
    assert.equal(isOver({ text: 'one', upon: one }, two), false);
  });

  it('that was saved and is written on is upon what has come back', () => {
    const on = { text: 'two and', upon: one, saved: 'two' };
    assert.equal(draftOf(on, one).maySave, false);
    assert.deepEqual([draftOf(on, two).maySave, draftOf(on, two).upon], [true, two]);
    assert.equal(draftOf(on, row(7, 'three')).isOvertaken, true);
  });

  it('is none of bytes that are no text', () => {
    const bytes = { ...one, Value: '//4=' };
    assert.equal(draftOf(undefined, bytes).text, undefined);
  });

  it('has the ends of lines that a field has, and is unchanged by that alone', () => {
    const there = row(5, 'a\r\nb');
    assert.equal(draftOf(undefined, there).text, 'a\nb');
    const saved = { text: 'a\nc', upon: there, saved: 'a\nc' };
    assert.equal(draftOf(saved, row(6, 'a\r\nc')).isOvertaken, false);
  });
});
