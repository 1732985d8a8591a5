import assert from 'node:assert/strict';
import { planEpoch } from '../../../../../server/log/redis/repair/epoch-plan.ts';
import type { Candidate } from '../../../../../server/log/redis/repair/view.ts';
import {
  everyHistory,
  randomHistories,
} from '../../../../support/experiments/redis-epoch-model.ts';
import { SEED } from '../../../../support/seed.ts';

const BOUNDS = { writes: 2, crashes: 1, maxEpoch: 4 };

describe('planEpoch over a model of three servers and two Redises', () => {
  it('loses nothing that was acknowledged in any history of five steps', () => {
    const { worlds, lost } = everyHistory(planEpoch, BOUNDS, 5);
    assert.equal(lost, undefined);
    assert(worlds > 1000, `${worlds}`);
  });

  it(`loses nothing in longer ones (seed ${SEED})`, () => {
    const { lost, epochs } = randomHistories(
      planEpoch,
      { ...BOUNDS, writes: 3, maxEpoch: 9 },
      SEED,
      300,
    );
    assert.equal(lost, undefined);
    assert(epochs > 300, `${epochs}`);
  });

  // What the plan relies on: without any one of these the model does lose something.
  const WITHOUT: Record<string, typeof planEpoch> = {
    'servers that remember nothing count': (view, me, limits) =>
      planEpoch(
        { ...view, candidates: view.candidates.map((c) => ({ ...c, warm: true })) },
        me,
        limits,
      ),
    'any promise counts, whatever its epoch': (view, me, limits) => {
      const promised = (c: Candidate) => ({ ...c, ballot: me.ballot.epoch });
      return planEpoch({ ...view, candidates: view.candidates.map(promised) }, me, limits);
    },
    'whoever holds more is overtaken': (view, me, limits) => {
      const less = ({ index }: { index: number }) => Math.min(index, me.position.index);
      const candidates = view.candidates.map((c) => ({ ...c, index: less(c) }));
      return planEpoch({ ...view, candidates }, me, limits);
    },
  };
  for (const [what, plan] of Object.entries(WITHOUT)) {
    it(`has teeth: where ${what}, something is lost`, () => {
      assert.notEqual(randomHistories(plan, { ...BOUNDS, maxEpoch: 9 }, 1, 30_000).lost, undefined);
    });
  }

  it('has teeth: where a restarted server forgets what it promised, something is lost', () => {
    const bounds = { ...BOUNDS, maxEpoch: 9, forgetsBallots: true };
    assert.notEqual(randomHistories(planEpoch, bounds, 1, 30_000).lost, undefined);
  });
});
