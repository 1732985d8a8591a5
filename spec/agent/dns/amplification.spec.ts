import assert from 'node:assert/strict';
import { Amplification } from '../../../agent/dns/amplification.ts';
import {
  AMPLIFIED_BURST_BYTES,
  FREE_AMPLIFICATION,
  MAX_WEIGHED_NETWORKS,
} from '../../../agent/dns/limits.ts';
import { truncated } from '../../../agent/dns/packet.ts';
import { webOn } from '../../support/factories.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { encodeQuestion } from '../../support/servers/dns-client.ts';
import { parsePacket } from '../../support/servers/dns-parser.ts';
import { startDns } from '../../support/servers/start-dns.ts';

const VICTIM = '192.0.2.9';

describe('answers to an address that may be forged', () => {
  it('come to no more than four times the questions, at 5,000 a second', async () => {
    const { dns, register } = await startDns();
    for (let i = 0; i < 100; i++) await register(webOn(`n-${i}`, { Address: `10.1.0.${i}` }));
    const clock = new FakeClock();
    const amplification = new Amplification(clock);
    const question = encodeQuestion({ name: 'web.service.consul', type: 'SRV', edns: 4096 });
    let asked = 0;
    let answered = 0;
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 5000; i++) {
        const answer = dns.responder.respond(question, 'udp') as Buffer;
        const allowed = amplification.allows(VICTIM, question.length, answer.length);
        asked += question.length;
        answered += allowed ? answer.length : truncated(answer).length;
      }
      await clock.advance(1000);
    }
    assert(answered <= asked * FREE_AMPLIFICATION, `${answered} bytes for ${asked}`);
  });

  it('are cut to a packet that sends a real client to TCP', async () => {
    const { dns } = await startDns();
    const question = encodeQuestion({ name: 'nope.service.consul', type: 'A', id: 77, edns: 1232 });
    const { id, flags, questions, answers, authorities } = parsePacket(
      truncated(dns.responder.respond(question, 'udp') as Buffer),
    );
    assert.deepEqual([id, flags.tc, questions.length], [77, true, 1]);
    assert.deepEqual([...answers, ...authorities], []);
  });

  it('are weighed by network, whatever its addresses', () => {
    const amplification = new Amplification(new FakeClock());
    assert.equal(amplification.allows('192.0.2.1', 10, AMPLIFIED_BURST_BYTES), true);
    assert.equal(amplification.allows('192.0.2.2', 10, 1000), false);
    assert.equal(amplification.allows('::ffff:192.0.2.3', 10, 1000), false);
    assert.equal(amplification.allows('::ffff:192.0.3.1', 10, 1000), true);
    assert.equal(amplification.allows('2001:db8:0:1::1', 10, AMPLIFIED_BURST_BYTES), true);
    assert.equal(amplification.allows('2001:db8:0:2::1', 10, 1000), false);
  });

  it('are free where they are small, and on this machine', () => {
    const amplification = new Amplification(new FakeClock());
    for (let i = 0; i < 100_000; i++) {
      assert(amplification.allows(VICTIM, 100, 100 * FREE_AMPLIFICATION));
      assert(amplification.allows('127.0.0.1', 10, 60_000));
    }
    assert.equal(amplification.size, 0);
  });

  it('are remembered for a bounded number of networks', () => {
    const amplification = new Amplification(new FakeClock());
    for (let i = 0; i < MAX_WEIGHED_NETWORKS * 2; i++) {
      amplification.allows(`10.${i >> 8}.${i & 255}.1`, 10, 1000);
    }
    assert.equal(amplification.size, MAX_WEIGHED_NETWORKS);
  });
});
