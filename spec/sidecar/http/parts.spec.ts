import assert from 'node:assert/strict';
import { Parts } from '../../../sidecar/http/parts.ts';
import { liveBytes } from '../../support/heap.ts';

describe('parts of a body that wait', () => {
  it('come out in their order, in whatever parts they are wanted', () => {
    const parts = new Parts();
    const said: Buffer[] = [];
    const taken: Buffer[] = [];
    for (let i = 0; i < 500; i++) {
      const bytes = [1, 7, 300, 5000, 20_000][i % 5] as number;
      const chunk = Buffer.alloc(bytes, i % 251);
      said.push(chunk);
      parts.push(
        i % 3 === 0 ? Buffer.concat([chunk, Buffer.alloc(70_000)]).subarray(0, bytes) : chunk,
      );
      for (let left = (i * 37) % 9000; left > 0; ) {
        const part = parts.take(left);
        if (part === undefined) break;
        taken.push(part);
        left -= part.length;
      }
    }
    const bytes = parts.bytes;
    const rest = parts.all();
    assert.equal(
      bytes,
      rest.reduce((all, { length }) => all + length, 0),
    );
    assert.ok(Buffer.concat([...taken, ...rest]).equals(Buffer.concat(said)));
  });

  it('hold little more than they say, however small each is and whatever it came with', async () => {
    const all = Array.from({ length: 16 }, () => new Parts());
    const before = await liveBytes();
    for (const parts of all) {
      for (let i = 0; i < 5000; i++) {
        if (i % 250 === 0) parts.push(Buffer.alloc(64 * 1024).subarray(5, 6));
        else parts.push(Buffer.from('x'));
      }
    }
    const after = await liveBytes();
    const counted = all.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.equal(counted, 80_000);
    const held = after.heap + after.buffers - before.heap - before.buffers;
    // Each by itself would be 12 MB, and 20 MB of what came beside.
    assert.ok(held < 2_000_000, `${held} bytes are held for ${counted}`);
  });
});
