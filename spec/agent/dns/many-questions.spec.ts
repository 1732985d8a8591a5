import assert from 'node:assert/strict';
import { answerOf } from '../../../agent/dns/answer.ts';
import { MAX_PENDING } from '../../../agent/dns/limits.ts';
import { Responder, type ResponderOptions } from '../../../agent/dns/responder.ts';
import { RCODE } from '../../../agent/dns/wire.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { hasRoom } from '../../../lib/looking.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { encodeQuestion } from '../../support/servers/dns-client.ts';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function responderOf(answers: object, clock = new FakeClock()): Responder {
  return new Responder({
    answers,
    recursors: { none: true },
    config: { udpAnswerLimit: 3, enableTruncate: false },
    random: { next: () => 0 },
    clock,
    logger: silentLogger,
  } as unknown as ResponderOptions);
}

describe('many questions at once whose answers take long to look up', () => {
  it('are looked up in as many turns of the loop, and those who ask the same once', async () => {
    while (!hasRoom()) await nextTurn();
    const clock = new FakeClock();
    let looks = 0;
    const answers = {
      answer: () => {
        void clock.stall(12);
        looks++;
        return { value: answerOf({ rcode: RCODE.NXDOMAIN }), isCurrent: () => true };
      },
    };
    const responder = responderOf(answers, clock);
    const ask = (n: number) => {
      const packet = encodeQuestion({ name: `t${n}.web.service.consul`, type: 'A' });
      return responder.respond(packet, 'udp', `10.0.0.${n % 3}`);
    };
    const all = Array.from({ length: 40 }, (_, n) => ask(Math.floor(n / 2)));
    let isOver = false;
    const answered = Promise.all(all).finally(() => {
      isOver = true;
    });
    let most = looks;
    for (let before = looks; !isOver; before = looks) {
      await nextTurn();
      most = Math.max(most, looks - before);
    }
    for (const packet of await answered) assert(packet !== undefined);
    // The first two were looked up before anybody stood in line.
    assert(looks <= 21, `${looks}`);
    assert(most <= 2, `${most} in one turn`);
  });
});

describe('more questions than may wait at a time', () => {
  it('are answered SERVFAIL, also where all of them come to nothing later', async () => {
    const failures: (() => void)[] = [];
    const fail = () => new Promise((_, reject) => failures.push(() => reject(new Error('no'))));
    const responder = responderOf({ answer: fail });
    const all = Array.from({ length: MAX_PENDING + 10 }, (_, n) =>
      responder.respond(encodeQuestion({ name: `n${n}.node.consul`, type: 'A' }), 'udp'),
    );
    const atOnce = all.filter((each) => !(each instanceof Promise));
    assert.equal(atOnce.length, 10);
    const unheard: unknown[] = [];
    const hear = (why: unknown) => void unheard.push(why);
    process.on('unhandledRejection', hear);
    for (const call of failures) call();
    for (const packet of await Promise.all(all)) {
      assert.equal((packet?.[3] ?? 0) & 15, RCODE.SERVFAIL);
    }
    assert.equal(responder.size.pending, 0);
    await nextTurn();
    process.off('unhandledRejection', hear);
    // One of them would end the process.
    assert.deepEqual(unheard, []);
  });
});
