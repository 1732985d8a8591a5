import assert from 'node:assert/strict';
import { crc32c } from '../../../../server/log/file/crc32c.ts';

describe('crc32c', () => {
  const known: [string, Buffer, number][] = [
    ['nothing', Buffer.alloc(0), 0],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['32 zeros (RFC 3720)', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones (RFC 3720)', Buffer.alloc(32, 255), 0x62a8ab43],
    ['0 to 31 (RFC 3720)', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ];
  for (const [what, bytes, sum] of known) {
    it(`is the known one of ${what}`, () => {
      assert.equal(crc32c(bytes), sum);
    });
  }

  it('is that of the part between start and end, wherever it stands', () => {
    const part = Buffer.from('123456789');
    for (let at = 0; at < 20; at++) {
      const bytes = Buffer.concat([Buffer.alloc(at, 7), part, Buffer.alloc(9, 7)]);
      assert.equal(crc32c(bytes, at, at + part.length), 0xe3069283);
    }
  });
});
