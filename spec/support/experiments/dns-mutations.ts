import type { Random } from '../../../lib/random.ts';
import { encodeQuestion, type Question } from '../servers/dns-client.ts';
import { TYPE } from '../servers/dns-parser.ts';

const NAMES = [
  'web.service.consul',
  'v1.web.service.dc1.consul',
  '_web._tcp.service.consul',
  'a.node.consul',
  'q.query.consul',
  '1.0.0.10.in-addr.arpa',
  '0a000001.addr.consul',
  'consul',
  'example.com',
];

/** Questions of every kind with bytes changed, cut off or added, and bytes by chance alone. */
export function mutations(random: Random): () => Buffer {
  const upTo = (n: number) => Math.floor(random.next() * n);
  const types = Object.keys(TYPE) as Question['type'][];
  const question = () => {
    const name = NAMES[upTo(NAMES.length)] as string;
    const type = types[upTo(types.length)] as Question['type'];
    const edns = random.next() < 0.3 ? upTo(65_536) : undefined;
    return encodeQuestion({ name, type, id: upTo(65_536), ...(edns && { edns }) });
  };
  return () => {
    const packet = question();
    for (let n = upTo(6); n > 0; n--) packet[upTo(packet.length)] = upTo(256);
    if (random.next() < 0.2) return packet.subarray(0, upTo(packet.length));
    if (random.next() < 0.2) return Buffer.concat([packet, question().subarray(upTo(12))]);
    if (random.next() < 0.1) return Buffer.from(Array.from({ length: upTo(64) }, () => upTo(256)));
    return packet;
  };
}
