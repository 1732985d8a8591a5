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
    asked(`/${'%2520%3b'.repeat(400)}`),
    asked('/', ['x-a', 'a'.repeat(8000), 'x-a', 'b'.repeat(8000)]),
  ];

  for (const request of costly) {
    it(`is so much a second, of ${request.path.slice(0, 12)}…, for each caller by itself`, async () => {
      const clock = new FakeClock();
      const budget = new JudgingBudget(clock);
      const judge = (who: string) => budget.judged(who, list, request);
      let times = 0;
      while (times < 5000 && judge('web') !== 'too much') times++;
      assert.ok(times > 10 && times < 5000, `${times}`);
      assert.notEqual(judge('api'), 'too much');
      await clock.advance(1000);
      let again = 0;
      while (again < 5000 && judge('web') !== 'too much') again++;
      assert.ok(Math.abs(again - times) < 3, `${again} ${times}`);
      // A rest pays all of it, and no more.
      await clock.advance(10_000);
      assert.notEqual(judge('web'), 'too much');
    });
  }

  const regexes = (count: number, http: (pattern: string) => object) =>
    new PermissionList(
      [
        ...Array.from({ length: count }, (_, i) => deny(http(`.*-${i}x`))),
        { Action: 'allow', HTTP: { PathPrefix: '/' } },
      ],
      false,
    );
  const token = asked('/', ['authorization', 'a'.repeat(1500)]);
  const usual = [
    [list, asked('/users/a%20b/orders?page=7', ['x-a', 'guest', 'cookie', 'c'.repeat(4000)])],
    [regexes(3, (Regex) => ({ Header: [{ Name: 'authorization', Regex }] })), token],
    [regexes(10, (PathRegex) => ({ PathRegex })), asked(`/${'long-name/'.repeat(50)}`)],
  ] as const;

  for (const [by, request] of usual) {
    it(`is nothing of usual requests, however many: ${request.path.slice(0, 12)}`, () => {
      const budget = new JudgingBudget(new FakeClock());
      for (let i = 0; i < 2000; i++) assert.equal(budget.judged('web', by, request), request);
    });
  }

  const headers = (Header: object) =>
    new PermissionList(
      [
        ...Array.from({ length: 50 }, () => deny({ Header: [Header] })),
        { Action: 'allow', HTTP: { PathPrefix: '/' } },
      ],
      false,
    );

  it('is so much a second of headers too, whatever is asked of them: many of a name, or one that lists much', () => {
    const by = headers({ Name: 'x-role', Exact: 'chief' });
    const many = Array.from({ length: 1000 }, (_, i) => ['x-role', `${i}`]).flat();
    for (const fields of [many, ['x-role', 'a,'.repeat(10_000)]]) {
      const budget = new JudgingBudget(new FakeClock());
      let times = 0;
      // Each is another request.
      while (times < 500 && budget.judged('web', by, asked('/', [...fields])) !== 'too much')
        times++;
      assert.ok(times < 500, `${times}`);
    }
  });

  it('reads the headers of a request once, however many permissions ask for one', () => {
    let reads = 0;
    const fields = Array.from({ length: 500 }, (_, i) => [`x-rol${i % 10}`, 'v']).flat();
    const counted = new Proxy(fields, {
      get: (all, key, of) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
        return Reflect.get(all, key, of);
      },
    });
    headers({ Name: 'x-role', Exact: 'chief' }).permitted(asked('/', counted));
    assert.equal(reads, fields.length);
  });

  it('takes nothing from usual requests of a caller whose others cost too much', () => {
    const by = regexes(10, (PathRegex) => ({ PathRegex }));
    const budget = new JudgingBudget(new FakeClock());
    const judge = (path: string) => budget.judged('frontend', by, asked(path));
    const long = `/${'x'.repeat(8000)}`;
    for (let i = 0; i < 500; i++) judge(long);
    for (let i = 0; i < 100; i++) {
      const before = by.cost.letters;
      assert.equal(judge(long), 'too much');
      assert.ok(by.cost.letters - before <= by.cost.usual);
      assert.deepEqual(judge('/orders'), asked('/orders'));
      assert.equal(judge('/orders-3x'), 'denied');
      assert.equal(judge('/%00'), 'unclear');
    }
  });
});
