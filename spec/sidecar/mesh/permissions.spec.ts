import assert from 'node:assert/strict';
import { ProconsulError } from '../../../lib/errors.ts';
import {
  AWAY,
  NO_ROOM,
  startPermissions as start,
  WEB,
} from '../../support/fakes/deciding-agent.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { until } from '../../support/until.ts';

describe('Permissions', () => {
  it('go by no answer to a question from before a change', async () => {
    const { permissions, asked, looks, ending } = start();
    const isAllowed = permissions.isAllowed(WEB);
    looks[0]?.('7');
    await until(() => looks.length === 2);
    // It was under way as somebody denied the call.
    asked[0]?.(true);
    await until(() => asked.length === 2);
    asked[1]?.(false);
    assert.equal(await isAllowed, false);
    assert.equal(await permissions.isAllowed(WEB), false);
    assert.equal(asked.length, 2);
    ending.abort();
  });

  it('come to an end where the intentions never stand still', async () => {
    const { permissions, asked, looks, ending } = start();
    const isAllowed = permissions.isAllowed(WEB);
    for (let i = 0; i < 5; i++) {
      await until(() => asked.length > i && looks.length > i);
      looks[i]?.(`${i + 1}`);
      await until(() => looks.length > i + 1);
      asked[i]?.(i === 4);
    }
    assert.equal(await isAllowed, true);
    ending.abort();
  });

  it('say once in the log which of them cannot be judged by, and deny whom it may be about', async () => {
    const { permissions, logger, asked, ending } = start();
    const HTTP = { PathRegex: '/[a-z]{300}' };
    const Permissions = [
      { Action: 'deny', HTTP },
      { Action: 'allow', HTTP: { PathPrefix: '/' } },
    ];
    for (const i of [0, 1]) {
      const verdict = permissions.verdictOn(`${WEB}-${i}`);
      asked[i]?.(false, { Permissions });
      const list = await verdict;
      const request = { method: 'GET', path: '/', authority: 'x', fields: [] };
      assert.equal(typeof list !== 'boolean' && list.permitted(request), 'denied');
    }
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines[0] ?? '', /^warn .*service=db.*\{300\}.*denies everybody/);
    ending.abort();
  });

  it('are asked for some callers at once, and first for whoever waits', async () => {
    const { permissions, clock, asked, about, ending } = start();
    const many = Array.from({ length: 100 }, (_, i) => `${WEB}-${i}`);
    const answerFrom = async (first: number, last: number) => {
      for (let i = first; i < last; i++) {
        await until(() => asked.length > i);
        asked[i]?.(true);
      }
    };
    const verdicts = many.map((uri) => permissions.isAllowed(uri));
    await settle();
    assert.equal(asked.length, 32);
    await answerFrom(0, 100);
    assert.deepEqual(new Set(await Promise.all(verdicts)), new Set([true]));
    // Nobody waits for a look at those that are known.
    await clock.advance(30_000);
    for (const uri of many) assert.equal(await permissions.isAllowed(uri), true);
    assert.equal(asked.length, 132);
    const isAllowed = permissions.isAllowed(WEB);
    await answerFrom(100, 101);
    await until(() => asked.length === 133);
    assert.equal(about.at(-1), WEB);
    await answerFrom(101, 201);
    assert.equal(await isAllowed, true);
    ending.abort();
  });

  it('let in nobody by what was decided before a change, since too many are asked about to hear what is so now', async () => {
    const { permissions, logger, clock, now, looks, ending } = start();
    const many = Array.from({ length: 100 }, (_, i) => `${WEB}-${i}`);
    now.answer = true;
    for (const uri of many) await permissions.isAllowed(uri);
    looks[0]?.('7');
    await until(() => looks.length === 2);
    delete now.answer;
    const verdicts = many.map((uri) => permissions.isAllowed(uri));
    await settle();
    await clock.advance(9000);
    // Each that was asked about is answered, as slowly as may be, and those behind them are still asked about.
    now.answer = false;
    await clock.advance(11_000);
    const allowed = await Promise.all(verdicts);
    assert.deepEqual([...new Set(allowed.slice(32))], [false]);
    assert.ok(!logger.lines.some((line) => /too much is asked/.test(line) && /^error/.test(line)));
    ending.abort();
  });

  for (const question of ['isAllowed', 'verdictAnew'] as const) {
    it(`let in nobody by what was decided before a change where the agent has no room (${question})`, async () => {
      const { permissions, fails, looks, ending, decide } = start();
      await decide(true);
      looks[0]?.('7');
      await until(() => looks.length === 2);
      const verdict = permissions[question](WEB);
      await until(() => fails.length === 2);
      fails[1]?.(NO_ROOM);
      assert.equal(await verdict, false);
      // And by what was decided since then all are, though it still has none.
      assert.equal(await permissions.isAllowed(WEB), false);
      ending.abort();
    });
  }

  it('go by nothing from before a change once an agent that was away refuses what makes no sense', async () => {
    const { permissions, asked, fails, looks, ending, decide } = start();
    await decide(true);
    looks[0]?.('7');
    await until(() => looks.length === 2);
    for (const [i, error] of [AWAY, new ProconsulError('invalid', 'no id of the mesh')].entries()) {
      const other = permissions.isAllowed(`x${i}`);
      await until(() => fails.length === 2 + i);
      fails.at(-1)?.(error);
      assert.equal(await other, false);
    }
    const verdict = permissions.isAllowed(WEB);
    await until(() => asked.length === 4);
    asked.at(-1)?.(false);
    assert.equal(await verdict, false);
    ending.abort();
  });

  it('go by what is decided since a change, though the agent has no room', async () => {
    const { permissions, asked, clock, fails, looks, ending } = start();
    looks[0]?.('7');
    await until(() => looks.length === 2);
    const verdict = permissions.isAllowed(WEB);
    await until(() => asked.length === 1);
    asked[0]?.(true);
    assert.equal(await verdict, true);
    // Another look at everybody.
    await clock.advance(30_000);
    const anew = permissions.verdictAnew(WEB);
    await until(() => fails.length === 2);
    fails[1]?.(NO_ROOM);
    assert.equal(await anew, true);
    ending.abort();
  });

  it('have nobody wait for his turn at an agent that another question found away', async () => {
    const { permissions, fails, looks, now, ending, clock, asked } = start();
    const many = Array.from({ length: 60 }, (_, i) => `${WEB}-${i}`);
    now.answer = true;
    for (const uri of many) assert.equal(await permissions.isAllowed(uri), true);
    looks[0]?.('7');
    await until(() => looks.length === 2);
    delete now.answer;
    const before = asked.length;
    const verdicts = many.map((uri) => permissions.isAllowed(uri));
    await until(() => asked.length === before + 32);
    fails[before]?.(AWAY);
    assert.deepEqual(new Set(await Promise.all(verdicts)), new Set([true]));
    // Nor do those who come after them, though no turn comes in time.
    await clock.advance(10_000);
    assert.equal(await permissions.isAllowed(many[59] ?? ''), true);
    ending.abort();
  });

  it('know best who called last, where callers are more than are remembered', async () => {
    const { permissions, now, about, ending } = start();
    now.answer = true;
    await permissions.isAllowed(WEB);
    for (let i = 0; i < 5000; i++) {
      await permissions.isAllowed(`${WEB}-${i}`);
      await permissions.isAllowed(WEB);
    }
    assert.equal(about.filter((uri) => uri === WEB).length, 1);
    ending.abort();
  });

  it('are looked at again from time to time, and nobody waits for that', async () => {
    const { permissions, clock, asked, ending, decide } = start();
    await decide(true);
    await clock.advance(30_000);
    for (let i = 0; i < 3; i++) assert.equal(await permissions.isAllowed(WEB), true);
    assert.equal(asked.length, 2);
    asked[1]?.(false);
    await settle();
    assert.equal(await permissions.isAllowed(WEB), false);
    ending.abort();
  });

  it('have one call wait for an agent that hangs, after a change, and all others none', async () => {
    const { permissions, clock, asked, looks, ending, decide } = start();
    await decide(true);
    looks[0]?.('7');
    await settle();
    const waits = permissions.isAllowed(WEB);
    await clock.advance(10_000);
    assert.equal(await waits, true);
    // It goes on to hang: whether it still does is asked by nobody's call.
    let waiting = 0;
    for (let i = 0; i < 100; i++) {
      waiting++;
      void permissions.isAllowed(WEB).then(() => waiting--);
      await settle();
      assert.equal(waiting, 0);
      await clock.advance(1000);
    }
    assert.ok(asked.length > 3 && asked.length < 20, `${asked.length}`);
    ending.abort();
  });

  it('count from before a change no longer than until the agent answers again, though nobody calls', async () => {
    const { permissions, clock, asked, fails, looks, ending, decide, now } = start();
    await decide(true);
    looks[0]?.('7');
    await settle();
    const other = permissions.isAllowed(`${WEB}-2`);
    fails.at(-1)?.(AWAY);
    assert.equal(await other, false);
    await clock.advance(3600_000);
    assert.ok(asked.length > 100, `${asked.length}`);
    assert.equal(await permissions.isAllowed(WEB), true);
    // It is asked by itself within half a minute, and about everybody then.
    now.answer = false;
    await clock.advance(30_000);
    assert.equal(await permissions.isAllowed(WEB), false);
    ending.abort();
    await settle();
    assert.equal(clock.armed, 0);
  });

  it('wait after a change, though a question from before it has no answer', async () => {
    const { permissions, clock, asked, looks, ending, decide } = start();
    await decide(true);
    const other = permissions.isAllowed(`${WEB}-2`);
    await clock.advance(9000);
    looks[0]?.('7');
    await settle();
    await clock.advance(1000);
    assert.equal(asked.length, 3);
    asked[2]?.(true);
    assert.equal(await other, true);
    await decide(false);
    ending.abort();
  });

  it('have an agent that refuses asked less and less, and the log tell it once', async () => {
    const { permissions, logger, clock, asked, fails, looks, ending, decide } = start();
    await decide(true);
    looks[0]?.('7');
    await settle();
    let changes = 0;
    permissions.onChange(() => changes++);
    const fail = () => fails.at(-1)?.(AWAY);
    for (const [uri, isAllowed] of [
      [WEB, true],
      [`${WEB}-2`, false],
    ] as const) {
      for (let i = 0; i < 50; i++) {
        const verdict = permissions.isAllowed(uri);
        fail();
        assert.equal(await verdict, isAllowed);
      }
    }
    assert.equal(asked.length, 3);
    assert.equal(logger.lines.length, 1);
    // Once it answers for one, the others are asked about again.
    await clock.advance(3000);
    const verdict = permissions.isAllowed(`${WEB}-2`);
    asked.at(-1)?.(true);
    assert.equal(await verdict, true);
    assert.equal(changes, 1);
    assert.equal(asked.length, 4);
    const again = permissions.isAllowed(WEB);
    asked.at(-1)?.(false);
    assert.equal(await again, false);
    ending.abort();
  });

  it('are none of who cannot be asked about, and others are asked about as before', async () => {
    const { permissions, fails, asked, looks, ending, decide } = start();
    await decide(true);
    const other = permissions.isAllowed('x');
    fails.at(-1)?.(new ProconsulError('invalid', 'no id of the mesh'));
    assert.equal(await other, false);
    assert.equal(await permissions.isAllowed('x'), false);
    assert.equal(asked.length, 2);
    looks[0]?.('7');
    await settle();
    await decide(false);
    ending.abort();
  });

  it('look anew at who is let in already, and leave him in while there is no answer', async () => {
    const { permissions, clock, asked, ending, decide } = start();
    await decide(true);
    await clock.advance(30_000);
    const anew = permissions.verdictAnew(WEB);
    asked.at(-1)?.(false);
    assert.equal(await anew, false);
    await clock.advance(30_000);
    const without = permissions.verdictAnew(WEB);
    await clock.advance(10_000);
    assert.equal(await without, false);
    ending.abort();
  });
});
