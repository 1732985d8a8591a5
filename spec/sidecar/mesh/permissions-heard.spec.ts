import assert from 'node:assert/strict';
import {
  AWAY,
  NO_ROOM,
  startPermissions as start,
  WEB,
} from '../../support/fakes/deciding-agent.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { until } from '../../support/until.ts';

const OF_OTHERS = { SourceName: 'other', Action: 'deny' };

describe('Permissions, of an agent that is away', () => {
  for (const [what, uri, before, after] of [
    ['denies it', WEB, [], [{ SourceName: 'web', Action: 'deny' }]],
    ['denies everybody', WEB, [], [{ SourceName: '*', Action: 'deny' }]],
    ['let it in, and is gone', WEB, [{ SourceName: 'web', Action: 'allow' }], []],
    [
      'has other permissions',
      WEB,
      [{ SourceName: 'web', Permissions: [{ Action: 'allow' }] }],
      [{ SourceName: 'web', Permissions: [{ Action: 'deny' }] }],
    ],
  ] as const) {
    for (const how of ['refuses', 'hangs']) {
      it(`do not pass over an intention that ${what}, though the agent ${how} since then`, async () => {
        const { permissions, clock, fails, looks, ending, decide } = start();
        looks[0]?.('7', [...before, OF_OTHERS]);
        await until(() => looks.length === 2);
        await decide(true);
        looks[1]?.('8', [...after, OF_OTHERS]);
        await until(() => looks.length === 3);
        for (const question of ['isAllowed', 'verdictAnew'] as const) {
          const verdict = permissions[question](uri);
          await settle();
          fails.at(-1)?.(AWAY);
          if (how === 'hangs') await clock.advance(10_000);
          assert.equal(await verdict, false);
        }
        ending.abort();
      });
    }
  }

  it('count still where only others are spoken of, or the same is said anew, and the agent is away since then', async () => {
    const { permissions, fails, looks, ending, decide } = start();
    const allowed = { SourceName: 'web', Action: 'allow' };
    looks[0]?.('7', [{ ...allowed, ModifyIndex: 7 }, OF_OTHERS]);
    await until(() => looks.length === 2);
    await decide(true);
    looks[1]?.('8', [{ ...allowed, ModifyIndex: 8, Description: 'x' }]);
    await until(() => looks.length === 3);
    const verdict = permissions.isAllowed(WEB);
    await until(() => fails.length === 2);
    fails[1]?.(AWAY);
    assert.equal(await verdict, true);
    ending.abort();
  });

  it('let in nobody more whom an agent that is there does not answer about, once it has not said for a while which intentions there are', async () => {
    const { permissions, clock, fails, looks, refuses, ending, decide } = start();
    looks[0]?.('7', [OF_OTHERS]);
    await until(() => looks.length === 2);
    await decide(true);
    assert.equal(await permissions.isAllowed(WEB), true);
    // Somebody has all of its room: what has changed meanwhile nobody hears.
    for (const [i, why] of [NO_ROOM, AWAY, NO_ROOM, NO_ROOM].entries()) {
      refuses[i + 1]?.(why);
      await settle();
      if (i === 3) break;
      await clock.advance(60_000);
      await until(() => looks.length === i + 3);
    }
    const verdict = permissions.isAllowed(WEB);
    await until(() => fails.length > 1);
    for (const fail of fails) fail(NO_ROOM);
    assert.equal(await verdict, false);
    // Nor where it seems to be away from then on.
    const later = permissions.isAllowed(`${WEB}-2`);
    await settle();
    for (const fail of fails) fail(AWAY);
    assert.equal(await later, false);
    assert.equal(await permissions.isAllowed(WEB), false);
    ending.abort();
  });

  for (const [how, isHeard] of [
    ['it said meanwhile that nothing has changed', true],
    ['it has not said so since', false],
  ] as const) {
    it(`let in nobody more without asking when that comes to pass again, where ${how}`, async () => {
      const { permissions, clock, fails, looks, refuses, ending, decide } = start();
      looks[0]?.('7', [OF_OTHERS]);
      await until(() => looks.length === 2);
      const unheard = async () => {
        for (let i = 0; i < 3; i++) {
          const before = looks.length;
          refuses[before - 1]?.(NO_ROOM);
          await settle();
          await clock.advance(60_000);
          await until(() => looks.length === before + 1);
        }
      };
      await unheard();
      if (isHeard) {
        looks.at(-1)?.('7', [OF_OTHERS]);
        await settle();
        await clock.advance(1000);
        await until(() => looks.length === 6);
      }
      await decide(true);
      assert.equal(await permissions.isAllowed(WEB), true);
      await unheard();
      const verdict = permissions.isAllowed(WEB);
      await until(() => fails.length > 1);
      for (const fail of fails) fail(NO_ROOM);
      assert.equal(await verdict, false);
      ending.abort();
    });
  }

  it('have everybody looked at anew once an agent that was away says that it has no room', async () => {
    const { permissions, asked, fails, looks, ending, decide } = start();
    await decide(true);
    looks[0]?.('7');
    await until(() => looks.length === 2);
    const away = permissions.isAllowed(WEB);
    await until(() => fails.length === 2);
    fails[1]?.(AWAY);
    assert.equal(await away, true);
    let changes = 0;
    permissions.onChange(() => changes++);
    const other = permissions.isAllowed(`${WEB}-2`);
    await until(() => fails.length === 3);
    fails[2]?.(NO_ROOM);
    assert.equal(await other, false);
    assert.equal(changes, 1);
    // Whom it was not asked about it is asked about at once.
    const verdict = permissions.verdictAnew(WEB);
    await until(() => asked.length === 4);
    asked[3]?.(false);
    assert.equal(await verdict, false);
    ending.abort();
  });
});
