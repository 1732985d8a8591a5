import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { MAX_CACHED_BYTES, MAX_TCP_CONNECTIONS_PER_ADDRESS } from '../../../agent/dns/limits.ts';
import { mutations } from '../../support/experiments/dns-mutations.ts';
import { webOn } from '../../support/factories.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import {
  encodeQuestion,
  forgeUdp,
  sendTcp,
  sendUdp,
  whyNoForging,
} from '../../support/servers/dns-client.ts';
import { parsePacket } from '../../support/servers/dns-parser.ts';
import { startDns } from '../../support/servers/start-dns.ts';
import { until } from '../../support/until.ts';

const SEED = 8;
const PACKETS = 100_000;
const FORMERR = 1;
const NXDOMAIN = 3;
const NOTIMP = 4;
const REFUSED = 5;

describe(`100,000 mutated packets (SEED=${SEED})`, () => {
  it('are answered with sound packets or not at all, and leave nothing behind', async () => {
    const { dns, register, udp } = await startDns();
    for (const node of ['a', 'b', 'c', 'd']) await register(webOn(node));
    const mutated = mutations(seededRandom(SEED));
    let answered = 0;
    for (let i = 0; i < PACKETS; i++) {
      const packet = mutated();
      const response = dns.responder.respond(packet, i % 8 === 0 ? 'tcp' : 'udp');
      assert(!(response instanceof Promise), 'nothing here has to be waited for');
      if (response === undefined) continue;
      answered++;
      assert.equal(parsePacket(response).id, packet.readUInt16BE(0));
    }
    assert(answered > PACKETS / 2);
    assert(dns.responder.size.cachedBytes <= MAX_CACHED_BYTES);
    assert.equal(dns.responder.size.pending, 0);
    assert.equal((await udp('web.service.consul', 'A')).rcode, 0);
    // Seconds of a processor, which others may want too.
  }).timeout(60_000);
});

describe('a question whose source is forged', () => {
  it('leaves the process as it is, wherever it claims to come from', async function () {
    const why = whyNoForging();
    if (why !== undefined && this.test !== undefined) this.test.title += ` (skipped: ${why})`;
    if (why !== undefined) this.skip();
    const { dnsPort, udp } = await startDns();
    for (const name of ['web.service.consul', 'n1.node.consul', 'elsewhere.example']) {
      const packet = encodeQuestion({ name, type: 'A' });
      for (const port of [0, 1, 65_535, dnsPort])
        await forgeUdp({ from: port, to: dnsPort }, packet);
    }
    assert.equal((await udp('n1.node.consul', 'A')).rcode, NXDOMAIN);
  });
});

describe('a packet that is no question', () => {
  const usual = encodeQuestion({ name: 'web.service.consul', type: 'A', id: 7 });
  const changed = (change: (packet: Buffer) => void) => {
    const packet = Buffer.from(usual);
    change(packet);
    return packet;
  };

  const refused: readonly [string, Buffer, number][] = [
    ['two questions', changed((p) => p.writeUInt16BE(2, 4)), FORMERR],
    ['no question', changed((p) => p.writeUInt16BE(0, 4)), FORMERR],
    ['an answer in it', changed((p) => p.writeUInt16BE(1, 6)), FORMERR],
    ['a name that points to itself', changed((p) => p.writeUInt16BE(0xc00c, 12)), FORMERR],
    ['a label of 64 bytes', changed((p) => p.writeUInt8(64, 12)), FORMERR],
    ['no end', usual.subarray(0, 20), FORMERR],
    ['an update', changed((p) => p.writeUInt16BE(5 << 11, 2)), NOTIMP],
    ['a zone transfer', changed((p) => p.writeUInt16BE(252, p.length - 4)), REFUSED],
    [
      'an OPT that ends early',
      Buffer.concat([changed((p) => p.writeUInt16BE(1, 10)), Buffer.alloc(5)]),
      FORMERR,
    ],
  ];
  for (const [what, packet, rcode] of refused) {
    it(`with ${what} is refused with ${rcode}`, async () => {
      const { dnsPort } = await startDns();
      const answer = parsePacket(await sendUdp(dnsPort, packet));
      assert.deepEqual([answer.id, answer.rcode, answer.flags.qr], [7, rcode, true]);
    });
  }

  it('is not answered at all when it is an answer itself, or too short to be anything', async () => {
    const { dns } = await startDns();
    const { responder } = dns;
    assert.equal(
      responder.respond(
        changed((p) => p.writeUInt16BE(0x8000, 2)),
        'udp',
      ),
      undefined,
    );
    assert.equal(responder.respond(usual.subarray(0, 11), 'udp'), undefined);
  });

  it('is told which version of EDNS is known', async () => {
    const { dnsPort } = await startDns();
    const packet = encodeQuestion({ name: 'web.service.consul', type: 'A', edns: 1232 });
    packet[packet.length - 5] = 1;
    const { edns, rcode } = parsePacket(await sendUdp(dnsPort, packet));
    assert.equal(rcode, 0);
    assert.deepEqual(edns, { udpBytes: 512, version: 0 });
  });
});

describe('a connection', () => {
  const question = (id: number) => encodeQuestion({ name: 'web.service.consul', type: 'A', id });

  it('may carry many questions at once', async () => {
    const { dnsPort } = await startDns();
    const ids = Array.from({ length: 300 }, (_, i) => i + 1);
    const answers = await sendTcp(dnsPort, ids.map(question));
    assert.deepEqual(
      answers.map((answer) => answer.readUInt16BE(0)),
      ids,
    );
  });

  it('is answered after the client has closed its side', async () => {
    const { dnsPort } = await startDns();
    const [answer] = await sendTcp(dnsPort, [question(9)], { halfClose: true });
    assert.equal(answer?.readUInt16BE(0), 9);
  });

  it('may bring a question byte by byte', async () => {
    const { dnsPort } = await startDns();
    const [answer] = await sendTcp(dnsPort, [question(9)], { byteByByte: true });
    assert.equal(answer?.readUInt16BE(0), 9);
  });

  it('is one of so many that an address may have', async () => {
    const { dnsPort } = await startDns();
    const sockets = Array.from({ length: MAX_TCP_CONNECTIONS_PER_ADDRESS + 5 }, () =>
      connect(dnsPort, '127.0.0.1').on('error', () => undefined),
    );
    let closed = 0;
    for (const socket of sockets) socket.resume().once('close', () => closed++);
    await until(
      () => closed === 5,
      () => `${closed} closed`,
    );
    for (const socket of sockets) socket.destroy();
    await until(() =>
      sendTcp(dnsPort, [question(9)]).then(
        () => true,
        () => false,
      ),
    );
  });

  it('is closed over a packet that cannot be one', async () => {
    const { dnsPort } = await startDns();
    await assert.rejects(sendTcp(dnsPort, [Buffer.alloc(3)]), /closed before/);
  });
});
