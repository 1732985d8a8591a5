/** As much of etcd's protocol as its rows ask: protobuf by hand, in gRPC's frames. */

const BYTES = 2;

/** A field that holds bytes, or a message; what is longer than 127 bytes nobody sends here. */
function field(number: number, value: Buffer): Buffer {
  if (value.length > 127) throw new Error('a length of more than one byte');
  return Buffer.concat([Buffer.from([(number << 3) | BYTES, value.length]), value]);
}

export function putRequest(key: string, value: string): Buffer {
  return Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]);
}

export function rangeRequest(key: string): Buffer {
  return field(1, Buffer.from(key));
}

export function watchRequest(key: string): Buffer {
  return field(1, field(1, Buffer.from(key)));
}

export function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** How many whole messages there are, in what has come of a stream so far; and what is left of it. */
export function messagesIn(bytes: Buffer): { readonly count: number; readonly rest: Buffer } {
  let at = 0;
  let count = 0;
  while (bytes.length - at >= 5) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    at = end;
    count++;
  }
  return { count, rest: bytes.subarray(at) };
}
