import { isIPv4, isIPv6 } from 'node:net';

/** The 4 or 16 bytes of an address; undefined for what is none. One address has one form. */
export function ipBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  return isIPv6(address) ? ipv6Bytes(address) : undefined;
}

function ipv6Bytes(address: string): Buffer {
  const [plain = ''] = address.split('%');
  const [head = '', rest] = plain.split('::');
  const front = groups(head);
  const back = rest === undefined ? [] : groups(rest);
  const gap = Array.from({ length: 8 - front.length - back.length }, () => 0);
  return Buffer.from([...front, ...gap, ...back].flatMap((word) => [word >> 8, word & 0xff]));
}

/** '::ffff:10.0.0.1' ends in four decimal bytes. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
