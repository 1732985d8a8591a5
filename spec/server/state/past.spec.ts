import assert from 'node:assert/strict';
import { Past, PastCheck } from '../../../server/state/history/past.ts';

function pastWith(count: number): { readonly past: Past; readonly checks: readonly PastCheck[] } {
  const past = new Past({ node: 'n1', id: 'web', service: 'web' });
  const checks = Array.from({ length: count }, (_, i) => new PastCheck(`Check-${i}`));
  for (const check of checks) past.add(check);
  return { past, checks };
}

describe('what is remembered of an instance', () => {
  for (const count of [0, 1, 2, 16, 17, 40]) {
    it(`finds each of its ${count} checks by its name, in any case`, () => {
      const { past, checks } = pastWith(count);
      assert.deepEqual(past.checks, checks);
      for (const check of checks) {
        assert.equal(past.check(check.id), check);
        assert.equal(past.check(check.id.toUpperCase()), check);
      }
      assert.equal(past.check('other'), undefined);
    });

    it(`lets each of its ${count} checks go, and leaves the others in their order`, () => {
      const { past, checks } = pastWith(count);
      const left = new Set(checks);
      // By their names, where 10 comes before 2: neither as they came nor the other way round.
      for (const check of [...checks].sort((a, b) => (a.id < b.id ? -1 : 1))) {
        past.remove(check);
        left.delete(check);
        assert.deepEqual(past.checks, [...left]);
        assert.equal(past.check(check.id), undefined);
      }
      past.remove(new PastCheck('other'));
      const again = new PastCheck('again');
      past.add(again);
      assert.deepEqual(past.checks, [again]);
    });
  }
});
