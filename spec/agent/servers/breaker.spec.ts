import assert from 'node:assert/strict';
import { Breaker } from '../../../agent/servers/breaker.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

function setUp() {
  const clock = new FakeClock();
  return { clock, breaker: new Breaker(clock, seededRandom(3)) };
}

describe('the breaker: closed → open when a server fails', () => {
  it('is closed for a server that nothing is known of', () => {
    const { breaker } = setUp();
    assert.deepEqual([breaker.isOpen('a'), breaker.isFailing('a')], [false, false]);
  });

  it('lets one request find out when the pause is over, and no other meanwhile', async () => {
    const { clock, breaker } = setUp();
    breaker.failed('a');
    assert.equal(breaker.isOpen('a'), true);
    await clock.advance(250);
    assert.deepEqual([breaker.isOpen('a'), breaker.isOpen('a')], [false, true]);
    assert.equal(breaker.isFailing('a'), true);
  });

  it('leaves a server alone for longer at each failure, and never for more than 2 s', async () => {
    const { clock, breaker } = setUp();
    for (let i = 0; i < 20; i++) breaker.failed('a');
    await clock.advance(999);
    assert.equal(breaker.isOpen('a'), true);
    await clock.advance(1001);
    assert.equal(breaker.isOpen('a'), false);
  });

  it('closes when the server answers, and forgets one that is gone', () => {
    const { breaker } = setUp();
    for (const end of [() => breaker.succeeded('a'), () => breaker.forget('a')]) {
      breaker.failed('a');
      end();
      assert.deepEqual([breaker.isOpen('a'), breaker.isFailing('a')], [false, false]);
    }
  });

  it('holds nothing against other servers', () => {
    const { breaker } = setUp();
    breaker.failed('a');
    assert.equal(breaker.isOpen('b'), false);
  });
});
