/** What may go out by what is known so far in a turn. */
import assert from 'node:assert/strict';
import { KnownInTurn } from '../../../kubernetes/to-catalog/known-in-turn.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

/** Nobody wants `gone`, of which the catalog has a row; what changed at `dirtyAt` was not looked at yet. */
function started() {
  const clock = new FakeClock();
  const at = { dirtyAt: Number.POSITIVE_INFINITY };
  const wanted = {
    get: () => undefined,
    isBehindOn: (_: string, seen = Number.POSITIVE_INFINITY) => at.dirtyAt <= seen,
  };
  const registered = { get: () => ({ service: {}, checks: new Map() }), isUnderWay: () => false };
  const known = new KnownInTurn({ wanted, registered, clock });
  known.begin();
  return { clock, at, known };
}

describe('what the cluster does not have', () => {
  it('stays until its lists were read, and all that came with them was looked at', async () => {
    const { clock, at, known } = started();
    const seen = clock.monotonic();
    assert.equal(known.isHeld('gone', seen), true);
    await clock.advance(3000);
    at.dirtyAt = clock.monotonic();
    known.listed();
    assert.equal(known.isHeld('gone', seen), true);
    at.dirtyAt = Number.POSITIVE_INFINITY;
    assert.equal(known.isHeld('gone', seen), false);
  });

  it('goes while others change that were not looked at, once what changed before it was', async () => {
    const { clock, at, known } = started();
    known.listed();
    await clock.advance(1000);
    const seen = clock.monotonic();
    at.dirtyAt = seen;
    assert.equal(known.isHeld('gone', seen), true);
    at.dirtyAt = seen + 1;
    assert.equal(known.isHeld('gone', seen), false);
  });
});
