import assert from 'node:assert/strict';
import { Hedging } from '../../../lib/balance/hedging.ts';
import { simulate } from '../../support/balance-simulation.ts';
import { endpoints, rulesWith } from '../../support/balancers.ts';

const RULES = { quantile: 0.95, leastMs: 1, ratio: 0.05 };

describe('Hedging', () => {
  it('knows nothing of few calls, and then what is slow of the last', () => {
    const hedging = new Hedging({ ...RULES, leastMs: 3 });
    for (let i = 0; i < 31; i++) hedging.took(1);
    assert.equal(hedging.slowMs, undefined);
    hedging.took(Number.NaN);
    hedging.took(1);
    assert.equal(hedging.slowMs, 3);
    for (let i = 1; i <= 256; i++) hedging.took(i);
    assert.equal(hedging.slowMs, 244);
    for (let i = 0; i < 256; i++) hedging.took(7);
    assert.equal(hedging.slowMs, 7);
  });

  it('is for what changes nothing, and for what is named', () => {
    const named = new Hedging({ ...RULES, methods: ['PUT'] });
    const all = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'POST', 'PATCH'];
    const safe = all.slice(0, 4);
    assert.deepEqual(
      all.filter((method) => new Hedging(RULES).isFor(method)),
      safe,
    );
    assert.deepEqual(
      all.filter((method) => named.isFor(method)),
      [...safe, 'PUT'],
    );
  });

  for (const seed of [1, 2, 3]) {
    describe(`with one call of fifty that meets a bad moment (seed ${seed})`, () => {
      const run = (more: object, callsPerSecond = 500) =>
        simulate({
          seed,
          rules: rulesWith({ policy: 'random' }),
          balancers: 1,
          hosts: endpoints(10).map((endpoint) => ({ endpoint, meanMs: 5, workers: 8 })),
          callsPerSecond,
          seconds: 30,
          slowPart: 0.02,
          ...more,
        });

      it('makes the tail five times shorter, for one more call of twenty at most', () => {
        const [plain, hedged] = [run({}), run({ hedging: RULES })];
        const [was, is] = [plain.quantile(0.99), hedged.quantile(0.99)];
        assert.ok(is * 5 <= was, `${is} beside ${was}`);
        assert.ok(hedged.second <= hedged.calls * 0.05 + 1, `${hedged.second} of ${hedged.calls}`);
        assert.ok(hedged.second >= hedged.calls * 0.02);
      });

      it('adds no more than its part where everything is slow', () => {
        const { second } = run({ seconds: 2, hedging: RULES }, 9000);
        assert.ok(second <= 2 * 9000 * 0.06, `${second}`);
      });
    });
  }
});
