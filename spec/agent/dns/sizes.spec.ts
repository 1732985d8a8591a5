import assert from 'node:assert/strict';
import { checkNamed, nodeNamed, registerOn, serviceNamed } from '../../support/factories.ts';
import type { Question } from '../../support/servers/dns-client.ts';
import type { ParsedPacket } from '../../support/servers/dns-parser.ts';
import { startDns, type TestDns } from '../../support/servers/start-dns.ts';

const COUNTS = [1, 2, 3, 4, 8, 29, 100, 1000, 5000];
/** Bytes over UDP, by EDNS where it is more than 512; undefined for TCP. */
const SIZES = [512, 1232, 4096, undefined];
const TYPES: readonly Question['type'][] = ['A', 'AAAA', 'SRV', 'ANY', 'TXT'];
const MAX_TCP_BYTES = 65_535;
const WITHOUT_EDNS = 3;

/** Every third of the instances is at an IPv6 address, and one more is critical. */
async function withInstances(test: TestDns, count: number): Promise<Set<string>> {
  const addresses = new Set<string>();
  const all = Array.from({ length: count + 1 }, (_, i) => {
    const word = (i + 1).toString(16);
    const address = i % 3 === 2 ? `2001:db8::${word}` : `10.2.${i >> 8}.${i & 255}`;
    const ill = i === count;
    if (!ill) addresses.add(address);
    const service = serviceNamed('big', { ID: `big-${i}`, Port: 8000 + (i % 1000) });
    const check = checkNamed('c', { Status: ill ? 'critical' : 'passing', ServiceID: service.ID });
    const node = nodeNamed(`node-${i}`, { Address: address });
    return registerOn(node.Node, { node, service, checks: [check] });
  });
  await Promise.all(all.map((command) => test.server.propose(command)));
  return addresses;
}

function addressesIn({ answers, additionals }: ParsedPacket): string[] {
  return [...answers, ...additionals]
    .filter((r) => r.type === 1 || r.type === 28)
    .map((r) => r.data);
}

/** How many answers there are to give. */
function expected(type: Question['type'], addresses: ReadonlySet<string>): number {
  const six = [...addresses].filter((address) => address.includes(':')).length;
  if (type === 'A') return addresses.size - six;
  return type === 'AAAA' ? six : addresses.size;
}

async function verifyAll(count: number, truncates: boolean): Promise<void> {
  const test = await startDns(`dns_config { enable_truncate = ${truncates} }`);
  const addresses = await withInstances(test, count);
  const name = 'big.service.consul';
  for (const size of SIZES) {
    for (const type of TYPES) {
      const edns = size === 512 ? undefined : size;
      const packet =
        size === undefined ? await test.tcp(name, type) : await test.udp(name, type, edns);
      verify(packet, { size, type, addresses, truncates });
    }
  }
}

describe('an answer over UDP and TCP', () => {
  for (const count of COUNTS) {
    it(`of ${count} instances fits`, () => verifyAll(count, false));
    it(`of ${count} instances says with enable_truncate that not all of them fit`, () =>
      verifyAll(count, true));
  }
});

interface Expected {
  readonly size: number | undefined;
  readonly type: Question['type'];
  readonly addresses: ReadonlySet<string>;
  readonly truncates: boolean;
}

function verify(packet: ParsedPacket, { size, type, addresses, truncates }: Expected): void {
  const what = `${type} in ${size ?? 'tcp'}: ${packet.answers.length} answers`;
  const all = expected(type, addresses);
  const max = size ?? MAX_TCP_BYTES;
  assert(packet.bytes <= max, `${what}: ${packet.bytes} bytes`);
  assert.equal(packet.rcode, 0, what);
  for (const address of addressesIn(packet)) assert(addresses.has(address), `${what}: ${address}`);
  const said = new Set(packet.answers.map(({ data }) => data));
  assert.equal(said.size, packet.answers.length, `${what}: one is there twice`);
  if (type === 'SRV') assert.equal(packet.additionals.length, packet.answers.length, what);
  const limit = size === 512 ? Math.min(WITHOUT_EDNS, all) : all;
  assert(packet.answers.length <= limit, what);
  const full = packet.answers.length === limit;
  // A record more would not have fitted: none is longer than an SRV with an IPv6 address.
  if (!full) assert(packet.bytes > max - 140, `${what}: ${packet.bytes} bytes`);
  assert.equal(packet.flags.tc, truncates && packet.answers.length < all, `${what}: TC`);
}

describe('an answer larger than where pointers reach', () => {
  it('names the targets beyond 16 KB in full', async () => {
    const test = await startDns();
    const addresses = await withInstances(test, 600);
    const { answers, additionals, bytes } = await test.tcp('big.service.consul', 'SRV');
    assert(bytes > 2 * 16_384);
    assert.equal(answers.length, addresses.size);
    const owners = new Set(additionals.map(({ name }) => name));
    for (const { data } of answers) assert(owners.has(data.split(' ')[3] ?? ''), data);
  });
});

describe('the limits of dns_config', () => {
  it('keep to udp_answer_limit without EDNS alone, and never give more than eight', async () => {
    const test = await startDns('dns_config { udp_answer_limit = 100 }');
    await withInstances(test, 30);
    assert.equal((await test.udp('big.service.consul', 'A')).answers.length, 8);
    assert.equal((await test.udp('big.service.consul', 'A', 512)).answers.length, 8);
    assert.equal((await test.udp('big.service.consul', 'A', 1232)).answers.length, 20);
  });

  it('keep to a_record_limit everywhere, which is no truncation', async () => {
    const test = await startDns('dns_config { a_record_limit = 5 enable_truncate = true }');
    await withInstances(test, 30);
    for (const packet of [
      await test.udp('big.service.consul', 'A', 4096),
      await test.tcp('big.service.consul', 'A'),
    ]) {
      assert.equal(packet.answers.length, 5);
      assert.equal(packet.flags.tc, false);
    }
    assert.equal((await test.tcp('big.service.consul', 'SRV')).answers.length, 30);
  });

  it('say every name in full with disable_compression', async () => {
    const plain = await startDns('dns_config { disable_compression = true }');
    const short = await startDns();
    await withInstances(plain, 3);
    await withInstances(short, 3);
    const [long, usual] = [
      await plain.udp('big.service.consul', 'A'),
      await short.udp('big.service.consul', 'A'),
    ];
    assert.equal(long.answers.length, usual.answers.length);
    const name = 'big.service.consul.'.length + 1;
    assert.equal(long.bytes - usual.bytes, usual.answers.length * (name - 2));
  });
});

describe('meta beside an address that has no room for it', () => {
  it('is left out, and the address is not', async () => {
    const test = await startDns();
    const NodeMeta = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`key${i}`, 'x'.repeat(100)]),
    );
    const Service = { Service: 'web', Port: 80 };
    await test.register({ Node: 'a', Address: '10.0.0.1', NodeMeta, Service });
    const node = await test.udp('a.node.consul', 'A');
    const service = await test.udp('web.service.consul', 'SRV');
    for (const packet of [node, service]) {
      assert.equal(packet.answers.length, 1);
      assert.equal(packet.additionals.length, 0);
      assert.equal(packet.flags.tc, false);
    }
    assert.equal((await test.udp('a.node.consul', 'A', 4096)).additionals.length, 10);
  });
});
