/** What is begun in one turn of the event loop, whoever asks. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { Account } from '../../xds/accounts.ts';
import type { Compute } from '../../xds/derived.ts';
import { Polled } from '../../xds/polled.ts';
import { Turns } from '../../xds/turns.ts';
import { Views } from '../../xds/views.ts';
import type { Fact, Know } from '../../xds/worked.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

type Way = readonly [key: readonly [string], compute: Compute];

const turnOver = () => new Promise<void>((on) => void setImmediate(on));
const isNeeded = () => false;

describe('turns of who asks by xDS', () => {
  /** Fills this turn, so that all that comes then waits. */
  function setUp() {
    const turns = new Turns();
    while (turns.take(new Account({ followed: 1 }), 1, isNeeded) === undefined);
    const begun: string[] = [];
    const take = (account: Account, name: string, isOver = isNeeded) => {
      const waiting = turns.take(account, 16, isOver);
      assert.ok(waiting);
      void waiting.turn.then(() => begun.push(name));
      return waiting;
    };
    return { turns, begun, take };
  }

  it('come one after the other by address, however much one of them asks', async () => {
    const { begun, take } = setUp();
    const [one, other] = [new Account({ followed: 1 }), new Account({ followed: 1 })];
    for (let i = 0; i < 20; i++) take(one, `one ${i}`);
    take(other, 'other 0');
    await turnOver();
    await turnOver();
    assert.deepEqual(begun.slice(0, 2), ['one 0', 'other 0']);
    assert.ok(begun.length < 9, `${begun.length} at once`);
    for (let i = 0; i < 20; i++) await turnOver();
    assert.equal(begun.length, 21);
  });

  it('are taken up by nothing that nobody waits for any more', async () => {
    const { begun, take } = setUp();
    const account = new Account({ followed: 1 });
    for (let i = 0; i < 1000; i++) take(account, 'gone', () => true);
    take(account, 'there');
    for (let i = 0; i < 3; i++) await turnOver();
    assert.ok(begun.includes('there'));
  });

  it('come for what somebody else needs too as soon as for him', async () => {
    const { turns, begun, take } = setUp();
    const [one, other] = [new Account({ followed: 1 }), new Account({ followed: 1 })];
    for (let i = 0; i < 100; i++) take(one, 'his');
    turns.also(take(one, 'both'), other);
    for (let i = 0; i < 3; i++) await turnOver();
    assert.ok(begun.indexOf('both') >= 0 && begun.indexOf('both') < 12);
    for (let i = 0; i < 100; i++) await turnOver();
    assert.equal(begun.filter((each) => each === 'both').length, 1);
  });
});

describe('many polls of many names at once', () => {
  it('ask the agent a few questions in each turn of the loop, and leave another address its own', async () => {
    const clock = new FakeClock();
    const system = { clock, logger: new RecordingLogger(), random: seededRandom(1) };
    const asked: string[] = [];
    const ask = ({ path }: { readonly path: string }) => {
      asked.push(path);
      return new Promise<never>(() => undefined);
    };
    const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system });
    const poll = async (address: string, prefix: string, count: number) => {
      const member = await views.enter('', address);
      const wanted = Array.from({ length: count }, (_, i) => ({
        key: [`${prefix}${i}`] as const,
        compute: (know: (question: { path: string; query: [] }) => unknown) => {
          know({ path: `/${prefix}${i}`, query: [] });
          return [];
        },
      }));
      const polled = new Polled(clock);
      return { polled, member, isAll: polled.ask(member, wanted, clock.monotonic() + 5000) };
    };
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, i) => poll('10.0.0.1', `of ${i} `, 200)),
    );
    const small = await poll('10.0.0.2', 'mine ', 1);
    let most = 0;
    for (let i = 0; i < 12; i++) {
      const before = asked.length;
      await turnOver();
      most = Math.max(most, asked.length - before);
    }
    assert.ok(most > 0 && most <= 32, `${most} in one turn`);
    assert.equal(await small.isAll, true);
    assert.ok(asked.includes('/mine 0'), `${asked.length} were asked`);
    // What is late is asked of nobody.
    for (const { polled } of many) polled.end();
    const left = asked.length;
    for (let i = 0; i < 12; i++) await turnOver();
    assert.ok(asked.length <= left + 32, `${asked.length - left} more`);
    await clock.advance(5000);
    for (const { isAll } of many) await isAll;
    for (const { member } of [...many, small]) member.leave();
    views.stop();
  });
});

describe('what somebody else asks for too', () => {
  const ofIt = (name: string) => (know: Know) => {
    know({ path: `/${name}`, query: [] });
    return [];
  };
  const shared: Fact<readonly never[]> = { key: ['web'], of: ofIt('web') };
  /** His and mine are the same, or follow from the same. */
  const ways = [
    ['as it is', [['web'], ofIt('web')], [['web'], ofIt('web')]],
    [
      'for what others work out of it',
      [['his'], (know) => know.shared(shared)],
      [['mine'], (know) => know.shared(shared)],
    ],
  ] as const satisfies readonly (readonly [string, Way, Way])[];

  for (const [title, his, mine] of ways) {
    it(`is asked in the turn of each who needs it, ${title}`, async () => {
      const system = {
        ...{ clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) },
      };
      const asked: string[] = [];
      const ask = ({ path }: { readonly path: string }) => {
        asked.push(path);
        return new Promise<never>(() => undefined);
      };
      const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system });
      const [other, one] = await Promise.all([
        views.enter('', '10.0.0.1'),
        views.enter('', '10.0.0.2'),
      ]);
      const wants = (member: typeof one, [key, compute]: Way) =>
        member.subscribe(key, compute, () => undefined);
      for (let i = 0; i < 3000; i++) wants(other, [[`junk-${i}`], ofIt(`junk-${i}`)]);
      wants(other, his);
      wants(one, mine);
      for (let i = 0; i < 4; i++) await turnOver();
      assert.ok(asked.includes('/web'), `${asked.length} were asked`);
      views.stop();
    });
  }
});
