import assert from 'node:assert/strict';
import { KNOWN_QUESTIONS } from '../../../agent/dns/limits.ts';
import { webOn } from '../../support/factories.ts';
import { encodeQuestion } from '../../support/servers/dns-client.ts';
import { startDns } from '../../support/servers/start-dns.ts';

describe('a question that comes again in the same bytes', () => {
  async function start() {
    const { dns, register } = await startDns();
    await register(webOn('n1', { Address: '10.1.0.1' }));
    const respond = (packet: Buffer) => dns.responder.respond(packet, 'udp') as Buffer;
    return { dns, register, respond };
  }
  const questions = ['web.service.consul', 'WEB.Service.consul', 'n1.node.consul'].flatMap((name) =>
    (['A', 'SRV', 'ANY'] as const).flatMap((type) =>
      [undefined, 512, 1232].flatMap((edns) =>
        [true, false].map((recursion) => ({
          name,
          type,
          recursion,
          ...(edns !== undefined && { edns }),
        })),
      ),
    ),
  );

  it('is answered as at first, by its own id', async () => {
    const { dns, respond } = await start();
    for (const question of questions) {
      const first = respond(encodeQuestion({ ...question, id: 1 }));
      for (let id = 2; id < 5; id++) {
        const again = respond(encodeQuestion({ ...question, id }));
        assert.equal(again.readUInt16BE(0), id);
        assert.deepEqual(again.subarray(2), first.subarray(2), JSON.stringify(question));
      }
    }
    assert(dns.responder.size.questions > 0);
  });

  it('is told what has changed since', async () => {
    const { register, respond } = await start();
    const ask = () => respond(encodeQuestion({ name: 'web.service.consul', type: 'A', id: 1 }));
    for (let i = 0; i < 3; i++) assert.equal(ask().readUInt16BE(6), 1);
    await register(webOn('n2', { Address: '10.1.0.2' }));
    for (let i = 0; i < 3; i++) assert.equal(ask().readUInt16BE(6), 2);
  });

  it('is remembered only where there is an answer, and so many at most', async () => {
    const { dns, respond } = await start();
    for (let i = 0; i < 10; i++) {
      respond(encodeQuestion({ name: 'nobody.service.consul', type: 'A', id: i }));
    }
    assert.equal(dns.responder.size.questions, 0);
    for (let edns = 512; edns < 512 + KNOWN_QUESTIONS + 100; edns++) {
      for (let i = 0; i < 2; i++) {
        respond(encodeQuestion({ name: 'web.service.consul', type: 'A', id: i, edns }));
      }
    }
    const { questions: kept } = dns.responder.size;
    assert(kept > 0 && kept <= KNOWN_QUESTIONS, `${kept}`);
  }).timeout(60_000);
});
