import assert from 'node:assert/strict';
import { readUpstream } from '../../../agent/dns/upstream.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { answered, type Say, startRecursor } from '../../support/fakes/fake-recursor.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { startDns } from '../../support/servers/start-dns.ts';
import { until } from '../../support/until.ts';

const REFUSED = 5;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const A = 1;
const AAAA = 28;
const SEED = 3;

/** 192.0.2.1 for an A, 2001:db8::1 for an AAAA, each for a minute. */
const known: Say = (question) => {
  const type = question.readUInt16BE(question.indexOf(0, 12) + 1);
  const six = Buffer.from('20010db8000000000000000000000001', 'hex');
  const data = type === AAAA ? six : Buffer.from([192, 0, 2, 1]);
  return answered(question, type === A || type === AAAA ? [{ type, ttl: 60, data }] : []);
};

const fails: Say = (question) => answered(question, [], SERVFAIL);
const silent: Say = () => undefined;

describe('a name outside the domain', () => {
  it('is refused without recursors', async () => {
    const { udp } = await startDns();
    const { rcode, flags } = await udp('example.com', 'A');
    assert.deepEqual([rcode, flags.aa, flags.ra], [REFUSED, false, false]);
  });

  it('is asked of a recursor, over the transport that it came by', async () => {
    const recursor = await startRecursor(known);
    const { udp, tcp } = await startDns(`recursors = ["${recursor.address}"]`);
    for (const packet of [await udp('example.com', 'A'), await tcp('example.com', 'A')]) {
      assert.deepEqual(
        packet.answers.map(({ data }) => data),
        ['192.0.2.1'],
      );
      assert.deepEqual([packet.flags.aa, packet.flags.ra], [false, true]);
    }
    assert.equal(recursor.asked.length, 2);
  });

  it('is asked of the next recursor when one fails', async () => {
    const [bad, good] = [await startRecursor(fails), await startRecursor(known)];
    const { udp } = await startDns(`recursors = ["${bad.address}", "${good.address}"]`);
    assert.equal((await udp('example.com', 'A')).answers.length, 1);
  });

  it('is asked of the next recursor when one is silent for recursor_timeout', async () => {
    const [mute, good] = [await startRecursor(silent), await startRecursor(known)];
    const { udp, clock } = await startDns(`recursors = ["${mute.address}", "${good.address}"]`);
    const asked = udp('example.com', 'A');
    await until(() => mute.asked.length === 1);
    await clock.advance(2000);
    assert.equal((await asked).answers.length, 1);
  });

  it('is SERVFAIL when no recursor answers, and NXDOMAIN when one says so', async () => {
    const bad = await startRecursor(fails);
    const first = await startDns(`recursors = ["${bad.address}"]`);
    assert.equal((await first.udp('example.com', 'A')).rcode, SERVFAIL);
    const none = await startRecursor((question) => answered(question, [], NXDOMAIN));
    const second = await startDns(`recursors = ["${none.address}"]`);
    assert.equal((await second.udp('example.com', 'A')).rcode, NXDOMAIN);
  });

  it('believes no answer to another question', async () => {
    const forger = await startRecursor((question) => {
      const forged = known(question);
      forged?.writeUInt8(0x7a, 13);
      return forged;
    });
    const { udp, clock } = await startDns(`recursors = ["${forger.address}"]`);
    const asked = udp('example.com', 'A');
    await until(() => forger.asked.length === 1);
    await settle();
    await clock.advance(2000);
    assert.equal((await asked).rcode, SERVFAIL);
  });
});

describe('an instance at an outside name', () => {
  const external = {
    Node: 'ext',
    Address: 'www.example.org',
    Service: { Service: 'ext', Port: 443 },
  };

  it('is answered with a CNAME and what that leads to', async () => {
    const recursor = await startRecursor(known);
    const { udp, register } = await startDns(`recursors = ["${recursor.address}"]`);
    await register(external);
    const four = await udp('ext.service.consul', 'A');
    assert.deepEqual(
      four.answers.map(({ data }) => data),
      ['www.example.org.', '192.0.2.1'],
    );
    const six = await udp('ext.service.consul', 'AAAA');
    assert.equal(six.answers[1]?.data, '2001:db8::1');
    const srv = await udp('ext.service.consul', 'SRV');
    assert.deepEqual(
      srv.additionals.map(({ name, data }) => [name, data]),
      [['www.example.org.', '192.0.2.1']],
    );
    const node = await udp('ext.node.consul', 'A');
    assert.equal(node.answers[1]?.ttl, 60);
  });

  it('is followed anew once the recursor lets nobody keep it any longer', async () => {
    const recursor = await startRecursor(known);
    const { udp, register, clock } = await startDns(`recursors = ["${recursor.address}"]`);
    await register(external);
    for (let i = 0; i < 3; i++) await udp('ext.service.consul', 'A');
    assert.equal(recursor.asked.length, 1);
    await clock.advance(30_000);
    await udp('ext.service.consul', 'A');
    assert.equal(recursor.asked.length, 2);
  });

  it('is followed inside our own zone, and never in a circle', async () => {
    const { udp, register } = await startDns();
    const at = (Node: string, Address: string) =>
      register({ Node, Address: '10.0.0.1', Service: { Service: Node, Address, Port: 1 } });
    await at('one', 'two.service.consul');
    await at('two', 'three.node.consul');
    await register({ Node: 'three', Address: '10.0.0.3' });
    await at('left', 'right.service.consul');
    await at('right', 'left.service.consul');
    const { answers } = await udp('one.service.consul', 'A');
    assert.deepEqual(
      answers.map(({ data }) => data),
      ['two.service.consul.', '10.0.0.3'],
    );
    assert.equal((await udp('left.service.consul', 'A')).answers.length, 1);
  });
});

describe(`what a recursor says (SEED=${SEED})`, () => {
  it('is read without harm, whatever it is', () => {
    const random = seededRandom(SEED);
    const upTo = (n: number) => Math.floor(random.next() * n);
    const question = Buffer.from('000001000001000000000000037777770765786d706c65036f726700', 'hex');
    const sound = known(Buffer.concat([question, Buffer.from([0, 1, 0, 1])])) as Buffer;
    for (let i = 0; i < 20_000; i++) {
      const packet = Buffer.from(
        sound.subarray(0, random.next() < 0.3 ? upTo(sound.length) : undefined),
      );
      for (let n = upTo(8); n > 0 && packet.length > 0; n--)
        packet[upTo(packet.length)] = upTo(256);
      for (const { name } of readUpstream(packet) ?? []) assert(name.length <= 255);
    }
  });
});
