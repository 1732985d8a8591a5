import assert from 'node:assert/strict';
import {
  decisionOf,
  draftOfIntention,
  INTENTIONS,
  type IntentionRow,
  intentionsBy,
  remakeIntention,
  restoreIntention,
} from '../../web/core/mesh.ts';

const row = (said: Partial<IntentionRow>): IntentionRow => ({
  ...{ SourceName: 'web', DestinationName: 'db', Action: 'allow', Description: '' },
  ...{ Meta: null, UpdatedAt: '', ModifyIndex: 7 },
  ...said,
});
const JWT = { Providers: [{ Name: 'okta' }] };

describe('an intention whose callers are to show the token of a user besides', () => {
  it('lets nobody in, and is written back as it was written', () => {
    const asking = row({ JWT });
    assert.equal(decisionOf(asking), 'deny');
    assert.equal(decisionOf(row({})), 'allow');
    assert.equal(draftOfIntention(asking).decision, 'allow');
    const body = { SourceName: 'web', DestinationName: 'db', Action: 'allow' };
    assert.deepEqual(restoreIntention(asking)?.body, body);
  });

  it('is not made anew where it was deleted: the entry that asks may be gone with it', () => {
    assert.equal(remakeIntention(row({ JWT })), undefined);
    // One that stands by then is refused, and not written over.
    assert.equal(remakeIntention(row({}))?.method, 'POST');
  });
});

describe('intentions of names', () => {
  it('are asked for by a filter, or all where a filter may not be so long', () => {
    assert.match(intentionsBy('SourceName == "a"'), /\?filter=SourceName/);
    assert.equal(intentionsBy(`SourceName == "${'l'.repeat(4096)}"`), INTENTIONS);
  });
});
