import assert from 'node:assert/strict';
import { planSeal } from '../../../../../server/log/redis/repair/seal-plan.ts';
import type { Candidate } from '../../../../../server/log/redis/repair/view.ts';
import { everyHistory, randomHistories } from '../../../../support/experiments/redis-seal-model.ts';
import { SEED } from '../../../../support/seed.ts';

const BOUNDS = { writes: 2, crashes: 1, maxEpoch: 4 };

describe('planSeal over a model of three servers and two Redises', () => {
  it('loses nothing that was acknowledged in any history of five steps', () => {
    const { worlds, lost } = everyHistory(planSeal, BOUNDS, 5);
    assert.equal(lost, undefined);
    assert(worlds > 1000, `${worlds}`);
  });

  it(`loses nothing in longer ones (seed ${SEED})`, () => {
    const { lost, seals } = randomHistories(
      planSeal,
      { ...BOUNDS, writes: 3, maxEpoch: 9 },
      SEED,
      300,
    );
    assert.equal(lost, undefined);
    assert(seals > 300, `${seals}`);
  });

  // What the plan relies on: without any one of these the model does lose something.
  const WITHOUT: Record<string, typeof planSeal> = {
    'servers that remember nothing count': (view, me, limits) =>
      planSeal(
        { ...view, candidates: view.candidates.map((c) => ({ ...c, warm: true })) },
        me,
        limits,
      ),
    'any promise counts, whatever its epoch': (view, me, limits) => {
      const promised = (c: Candidate) => ({ ...c, ballot: me.ballot.epoch });
      return planSeal({ ...view, candidates: view.candidates.map(promised) }, me, limits);
    },
    'whoever holds more is overtaken': (view, me, limits) => {
      const less = ({ index }: { index: number }) => Math.min(index, me.position.index);
      const candidates = view.candidates.map((c) => ({ ...c, index: less(c) }));
      return planSeal({ ...view, candidates }, me, limits);
    },
  };
  for (const [what, plan] of Object.entries(WITHOUT)) {
    it(`has teeth: where ${what}, something is lost`, () => {
      assert.notEqual(randomHistories(plan, { ...BOUNDS, maxEpoch: 9 }, 1, 30_000).lost, undefined);
    });
  }

  it('has teeth: where a restarted server forgets what it promised, something is lost', () => {
    const bounds = { ...BOUNDS, maxEpoch: 9, forgetsBallots: true };
    assert.notEqual(randomHistories(planSeal, bounds, 1, 30_000).lost, undefined);
  });
});
