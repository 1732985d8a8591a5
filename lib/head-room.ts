/**
 * Bytes of an answer with room in front of them, where its head comes to stand once it goes out. A copy of each
 * answer behind its head took as much again of what V8 counts outside of its heap, and for all of that it collects the
 * whole heap, however little of it is garbage.
 */

/** A status line and the headers of nearly all answers. */
export const ROOM_BYTES = 512;

/** Memory whose room in front is still free. */
const FREE = new WeakSet<ArrayBufferLike>();

/** Not of Node's pool, which would live on as long as an answer is kept. */
export function withHeadRoom(length: number): Buffer {
  const all = Buffer.allocUnsafeSlow(ROOM_BYTES + length);
  FREE.add(all.buffer);
  return all.subarray(ROOM_BYTES);
}

/** The body with so many bytes before it, once; undefined where they are not there, or are somebody's already. */
export function takeHeadRoom(body: Buffer, headBytes: number): Buffer | undefined {
  const { buffer, byteOffset, length } = body;
  if (byteOffset !== ROOM_BYTES || headBytes > ROOM_BYTES || !FREE.delete(buffer)) return undefined;
  return Buffer.from(buffer, ROOM_BYTES - headBytes, headBytes + length);
}
