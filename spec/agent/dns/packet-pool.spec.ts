import assert from 'node:assert/strict';
import { PACKET_USES, POOLED_PACKETS } from '../../../agent/dns/limits.ts';
import { webOn } from '../../support/factories.ts';
import { encodeQuestion } from '../../support/servers/dns-client.ts';
import { parsePacket } from '../../support/servers/dns-parser.ts';
import { startDns } from '../../support/servers/start-dns.ts';

describe('a large packet that is used again', () => {
  async function start() {
    const { dns, register } = await startDns();
    for (let i = 0; i < 60; i++) await register(webOn(`n-${i}`, { Address: `10.1.0.${i}` }));
    const ask = (name: string, id: number, recursion = true) =>
      parsePacket(
        dns.responder.respond(
          encodeQuestion({ name, type: 'A', edns: 4096, id, recursion }),
          'udp',
        ) as Buffer,
      );
    return { ask, register };
  }

  it('is still the answer to its own question', async () => {
    const { ask } = await start();
    for (let id = 1; id <= 200; id++) {
      const name = id % 2 === 0 ? 'web.service.consul' : 'WEB.service.Consul';
      const packet = ask(name, id, id % 3 === 0);
      assert.equal(packet.id, id);
      assert.equal(packet.questions[0]?.name, `${name}.`);
      assert.equal(packet.flags.rd, id % 3 === 0);
      assert.equal(new Set(packet.answers.map(({ data }) => data)).size, 60);
    }
  });

  it('takes turns with others, and each is made anew', async () => {
    const { ask } = await start();
    const orders = Array.from({ length: 3 * POOLED_PACKETS * PACKET_USES }, (_, id) =>
      ask('web.service.consul', id)
        .answers.map(({ data }) => data)
        .join(),
    );
    assert.equal(new Set(orders).size, 3 * POOLED_PACKETS);
    assert.equal(new Set(orders.slice(0, POOLED_PACKETS)).size, POOLED_PACKETS);
  });

  it('is not used again once the service has changed', async () => {
    const { ask, register } = await start();
    for (let id = 0; id < 20; id++) ask('web.service.consul', id);
    await register(webOn('new', { Address: '10.9.9.9' }));
    const { answers } = ask('web.service.consul', 1);
    assert(answers.some(({ data }) => data === '10.9.9.9'));
  });
});
