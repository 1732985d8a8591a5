import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { compressed } from '../../../lib/http/gzip.ts';
import { liveBytes } from '../../support/heap.ts';

const body = (text: string) => Buffer.from(text.repeat(2000));

describe('compressed bodies', () => {
  it('are made once for all who get the same bytes', async () => {
    const bytes = body('once');
    const made = compressed(bytes);
    assert.equal(compressed(bytes), made);
    assert.deepEqual(gunzipSync((await made) ?? ''), bytes);
    assert.equal(compressed(bytes), made);
  });

  it('are not waited for by more than so many: those that follow go out as they are', async () => {
    const many = Array.from({ length: 200 }, (_, n) => compressed(body(`many ${n}`)));
    const made = many.filter((each) => each !== undefined);
    assert.equal(made.length, 2 + 64);
    await Promise.all(made);
    assert.notEqual(compressed(body('afterwards')), undefined);
  });

  it('leave threads for the disk, however many there are', async () => {
    let done = 0;
    const bodies = Array.from({ length: 6 }, () => randomBytes(16 * 1024 * 1024));
    const all = bodies.map(async (each) => {
      await compressed(each);
      done++;
    });
    for (let n = 0; n < 4; n++) await stat('/');
    assert.equal(done, 0);
    await Promise.all(all);
  }).timeout(60_000);

  it('are kept within a bound', async () => {
    const before = await liveBytes();
    for (let n = 0; n < 80; n++) await compressed(Buffer.alloc(512 * 1024, n));
    const grown = (await liveBytes()).buffers - before.buffers;
    assert(grown < 20 * 1024 * 1024, `${grown} bytes of ${40 * 1024 * 1024}`);
  }).timeout(60_000);
});
