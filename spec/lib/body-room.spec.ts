import assert from 'node:assert/strict';
import { BodyRoom, LARGE_BYTES, largeBodies } from '../../lib/body-room.ts';
import { encodeJsonBytes } from '../../lib/json-bytes.ts';
import { Work } from '../../lib/slices.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { whole } from '../support/turns.ts';

const MB = 1024 * 1024;
const BUSY = { code: 'busy', message: 'Too many large answers are being made or sent' };

function start() {
  const clock = new FakeClock();
  const room = new BodyRoom(10 * MB, clock);
  const gone: string[] = [];
  const send = (name: string, body: Buffer) => room.deliver(body, () => void gone.push(name));
  return { clock, room, gone, send };
}

describe('the room for large bodies', () => {
  it('counts what is made as it grows, until it ends', () => {
    const { room } = start();
    const claim = room.claim();
    claim.grow(LARGE_BYTES - 1);
    assert.equal(room.bytes, 0);
    claim.grow(4 * MB);
    const other = room.claim();
    other.grow(5 * MB);
    assert.equal(room.bytes, 9 * MB);
    assert.throws(() => other.grow(7 * MB), BUSY);
    claim.end();
    other.grow(7 * MB);
    other.end();
    other.end();
    assert.equal(room.bytes, 0);
  });

  it('counts bytes that go to many once, until the last has them', () => {
    const { room, send } = start();
    const body = Buffer.alloc(4 * MB);
    const all = [send('a', body), send('b', body), send('c', body)];
    assert.equal(room.bytes, 4 * MB);
    for (const [i, one] of all.entries()) {
      assert.equal(room.bytes, 4 * MB, `${i}`);
      one.end();
      one.end();
    }
    assert.equal(room.bytes, 0);
  });

  it('lets go of whoever reads slowest when it is full, but of nobody who has just begun', async () => {
    const { clock, room, gone, send } = start();
    const slow = send('slow', Buffer.alloc(4 * MB));
    const quick = send('quick', Buffer.alloc(4 * MB));
    slow.taken(1 * MB);
    quick.taken(2 * MB);
    const claim = room.claim();
    assert.throws(() => claim.grow(3 * MB), BUSY);
    await clock.advance(10_000);
    claim.grow(3 * MB);
    assert.deepEqual([gone, room.bytes], [['slow'], 7 * MB]);
    // It says so once more when its connection ends.
    slow.end();
    assert.equal(room.bytes, 7 * MB);
    claim.grow(10 * MB);
    assert.deepEqual([gone, room.bytes], [['slow', 'quick'], 10 * MB]);
    claim.end();
  });

  it('is held by an answer for as long as it is made, and left when nobody wants it', async () => {
    const before = largeBodies.bytes;
    const text = 'x'.repeat(1000);
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ i, text }));
    const made = encodeJsonBytes(rows);
    assert(made instanceof Work);
    const leave = made.want();
    for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert(largeBodies.bytes > before);
    leave();
    assert.equal(largeBodies.bytes, before);
    assert((await whole(made)).length > 20 * MB - MB);
    assert.equal(largeBodies.bytes, before);
  });

  it('is never taken for more than an answer may hold: that is refused while it is made', async () => {
    let made = 0;
    const rows = Array.from({ length: 20_000 }, (_, i) => ({
      toJSON: () => {
        made++;
        return { i, text: 'x'.repeat(1000) };
      },
    }));
    await assert.rejects(whole(encodeJsonBytes(rows, false, MB)), { code: 'too-large' });
    assert(made < 2000, `${made} rows were made`);
  });
});
