import assert from 'node:assert/strict';
import { JudgingBudget } from '../../../sidecar/mesh/judging-budget.ts';
import { PermissionList } from '../../../sidecar/mesh/verdict.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const asked = (path: string, fields: readonly string[] = []) => ({
  ...{ path, fields, method: 'GET', authority: 'x' },
});
const deny = (HTTP: object) => ({ Action: 'deny', HTTP });

describe('what judging may cost', () => {
  const list = new PermissionList(
    [
      deny({ PathRegex: '/a/[0-9]+' }),
      deny({ Header: [{ Name: 'x-a', Regex: '[a-f]+' }] }),
      { Action: 'allow', HTTP: { PathPrefix: '/' } },
    ],
    false,
  );
  const costly = [
    asked(`/${'x'.repeat(8000)}`),
    asked(`/${'%2520%3b'.repeat(60)}`),
    asked('/', ['x-a', 'a'.repeat(8000), 'x-a', 'b'.repeat(8000)]),
  ];

  for (const request of costly) {
    it(`is so much a second, of ${request.path.slice(0, 12)}…, for each caller by itself`, async () => {
      const clock = new FakeClock();
      const budget = new JudgingBudget(clock);
      const judge = (who: string) => budget.judged(who, list, request);
      let times = 0;
      while (judge('web') !== 'too much') times++;
      assert.ok(times > 10 && times < 5000, `${times}`);
      assert.notEqual(judge('api'), 'too much');
      await clock.advance(1000);
      let again = 0;
      while (judge('web') !== 'too much') again++;
      assert.ok(Math.abs(again - times) < 3, `${again} ${times}`);
      // A rest pays all of it, and no more.
      await clock.advance(10_000);
      assert.notEqual(judge('web'), 'too much');
    });
  }

  it('is nothing of usual requests, however many', () => {
    const budget = new JudgingBudget(new FakeClock());
    const usual = asked('/users/a%20b/orders?page=7', ['x-a', 'guest', 'cookie', 'c'.repeat(4000)]);
    for (let i = 0; i < 20_000; i++) assert.notEqual(budget.judged('web', list, usual), 'too much');
  });
});
