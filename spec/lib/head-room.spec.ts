import assert from 'node:assert/strict';
import { takeHeadRoom, withHeadRoom } from '../../lib/head-room.ts';

describe('room for a head', () => {
  it('stands before the very same bytes, and is taken once', () => {
    const body = withHeadRoom(4);
    body.write('body');
    const whole = takeHeadRoom(body, 5);
    whole?.write('head:');
    assert.equal(whole?.toString(), 'head:body');
    assert.equal(body.toString(), 'body');
    assert.equal(takeHeadRoom(body, 5), undefined);
  });

  it('is as large as it is, and of what was not made so there is none', () => {
    const body = withHeadRoom(4);
    assert.equal(takeHeadRoom(body, 513), undefined);
    assert.equal(takeHeadRoom(body.subarray(1), 5), undefined);
    assert.equal(takeHeadRoom(Buffer.alloc(600).subarray(512), 5), undefined);
    assert.equal(takeHeadRoom(body, 512)?.length, 516);
  });
});
