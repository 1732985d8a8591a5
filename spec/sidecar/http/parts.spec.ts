import assert from 'node:assert/strict';
import { Parts } from '../../../sidecar/http/parts.ts';

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

  it('hold little more than they say, however small each is and whatever it came with', () => {
    const parts = new Parts();
    for (let i = 0; i < 5000; i++) {
      if (i % 250 === 0) parts.push(Buffer.alloc(64 * 1024).subarray(5, 6));
      else parts.push(Buffer.from('x'));
    }
    assert.equal(parts.bytes, 5000);
    const all = parts.all();
    const held = new Set(all.map(({ buffer }) => buffer));
    const bytes = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0);
    // Each is an object of its own. Of five small ones each may share another 8 KB that Node has them in.
    assert.ok(all.length < 20, `${all.length} parts`);
    assert.ok(bytes < 48 * 1024, `${bytes} bytes`);
  });
});
