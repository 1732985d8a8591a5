import assert from 'node:assert/strict';
import { FLOOR } from '../../../server/state/topic-names.ts';
import { MAX_TOMBSTONES, TOMBSTONE_MS, Topics } from '../../../server/state/topics.ts';

/** They sink together, within a minute. */
const SUNK_MS = TOMBSTONE_MS + 60_000;

describe("a topic's index", () => {
  it('is 1 before anything happened', () => {
    assert.equal(new Topics().indexOf('x'), 1);
  });

  it('is that of the last entry that touched it', () => {
    const topics = new Topics();
    topics.touch('x');
    topics.commit(5, 0);
    topics.touch('y');
    topics.commit(6, 0);
    assert.deepEqual([topics.indexOf('x'), topics.indexOf('y')], [5, 6]);
  });

  it('stays as it was when the entry is taken back', () => {
    const topics = new Topics();
    topics.touch('x');
    topics.rollback();
    assert.equal(topics.commit(5, 0).size, 0);
    assert.equal(topics.indexOf('x'), 1);
  });
});

describe('a topic that is buried', () => {
  function buried(): Topics {
    const topics = new Topics();
    topics.bury('gone');
    topics.commit(5, 0);
    return topics;
  }

  it('keeps its index for as long as a tombstone stands', () => {
    const topics = buried();
    topics.touch('x');
    topics.commit(9, TOMBSTONE_MS - 1);
    assert.deepEqual([topics.indexOf('gone'), topics.indexOf('never')], [5, 1]);
  });

  it('then sinks into the floor, from which no index goes back', () => {
    const topics = buried();
    topics.touch('x');
    const touched = topics.commit(9, SUNK_MS);
    assert.deepEqual([topics.indexOf('gone'), topics.indexOf('never'), topics.floor], [5, 5, 5]);
    assert.deepEqual([...touched], ['x', FLOOR]);
  });

  it('sinks with all that has been gone for as long, and not one by one', () => {
    const topics = buried();
    for (let i = 0; i < 10; i++) {
      topics.bury(`t${i}`);
      topics.commit(6 + i, i * 7000);
    }
    const rises: number[] = [];
    for (let t = 0; t < SUNK_MS + 120_000; t += 5000) {
      topics.touch('x');
      if (topics.commit(20 + t, t).has(FLOOR)) rises.push(t);
    }
    assert.deepEqual(rises, [SUNK_MS, SUNK_MS + 65_000]);
    assert.equal(topics.floor, 15);
  });

  it('does not sink when it came back meanwhile', () => {
    const topics = buried();
    topics.touch('gone');
    topics.commit(6, 1);
    topics.touch('x');
    topics.commit(9, SUNK_MS);
    assert.equal(topics.floor, 1);
  });

  it('sinks early when there are too many, the oldest first', () => {
    const topics = buried();
    for (let i = 0; i < MAX_TOMBSTONES; i++) topics.bury(`t${i}`);
    topics.commit(6, 1);
    assert.deepEqual([topics.floor, topics.indexOf(`t${MAX_TOMBSTONES - 1}`)], [6, 6]);
    // With room for others.
    topics.bury('another');
    assert(!topics.commit(7, 2).has(FLOOR));
  });
});
