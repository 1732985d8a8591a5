import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { type Steps, Work } from '../../../lib/slices.ts';
import { LatelyAnswered } from '../../../server/eureka/lately.ts';
import type { Answer } from '../../../server/query/live-answer.ts';
import { asked } from '../../../server/query/query.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe("A list of Eureka's that takes long to make", () => {
  const question = asked({ key: 'k', run: () => ({}) }, EVERYTHING);

  function start(begin: () => Steps<Buffer>) {
    const clock = new FakeClock();
    const made: Work<Buffer>[] = [];
    const read = (): Answer => {
      const body = new Work(begin, { holds: 1 });
      made.push(body);
      return {
        ...{ index: 1, status: 200, contentType: '', isFiltered: false, mark: '' },
        stands: true,
        body,
      };
    };
    const lately = new LatelyAnswered({ read }, clock);
    return { clock, made, ask: () => lately.read('apps', question) };
  }

  it('is begun once while it is made, and given for some times as long when it is', async () => {
    const { clock, made, ask } = start(function* () {
      yield 1;
      return Buffer.alloc(640 * 1024);
    });
    ask();
    ask();
    assert.equal(made.length, 1);
    made[0]?.want();
    await made[0]?.result;
    await clock.advance(190);
    ask();
    assert.equal(made.length, 1);
    await clock.advance(20);
    ask();
    assert.equal(made.length, 2);
  });

  it('that cannot be made is begun anew for the next who asks', async () => {
    const { made, ask } = start(function* () {
      yield 1;
      throw new Error('too large');
    });
    ask();
    made[0]?.want();
    await assert.rejects(made[0]?.result as Promise<Buffer>);
    ask();
    assert.equal(made.length, 2);
  });
});
