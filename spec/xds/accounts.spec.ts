/** Who has what followed of what all may ask for together. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Most } from '../../xds/accounts.ts';
import type { Compute } from '../../xds/derived.ts';
import { OpenWorld } from '../../xds/open-world.ts';
import { MAX_QUESTIONS } from '../../xds/questions.ts';
import { type Member, Views } from '../../xds/views.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

const SHARE = MAX_QUESTIONS / 2;

function setUp(most: Partial<Most> = {}) {
  const system = { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) };
  // Each question waits without an answer.
  const ask = () => new Promise<never>(() => undefined);
  const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system, most });
  return views;
}

const asksFor =
  (...names: readonly string[]): Compute =>
  (know) => {
    for (const name of names) know({ path: `/${name}`, query: [] });
    return [];
  };

const wants = (member: Member, name: string, ...asked: readonly string[]) =>
  member.subscribe([name], asksFor(...(asked.length > 0 ? asked : [name])), () => undefined);

const isBusy = (error: unknown) => error instanceof ProconsulError && error.code === 'busy';

describe('accounts of what is followed', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('are by address, and leave half to others', async () => {
    const views = setUp();
    try {
      const [one, same, other] = await Promise.all([
        views.enter('', '10.0.0.1'),
        views.enter('', '10.0.0.1'),
        views.enter('', '10.0.0.2'),
      ]);
      const held = Array.from({ length: SHARE }, (_, i) => wants(one, `s${i}`));
      assert.throws(() => wants(same, 'more'), isBusy);
      // What is followed for it already it may have as often as it likes.
      wants(same, 's1');
      wants(other, 'more');
      // Now it is followed on the account of another.
      assert.throws(() => wants(one, 'more too', 'more', 'even more'), isBusy);
      held[0]?.cancel();
      wants(same, 'again');
      assert.equal(views.size.questions, SHARE + 1);
    } finally {
      views.stop();
    }
  });

  it('bound what is made of no question, and how often one has anything, and give back what ends', async () => {
    const views = setUp({ made: 3, subscribed: 5 });
    try {
      const [one, other] = await Promise.all([
        views.enter('', '10.0.0.1'),
        views.enter('', '10.0.0.2'),
      ]);
      const has = (member: Member, name: string) =>
        member.subscribe(
          [name],
          () => [],
          () => undefined,
        );
      const [first] = ['a', 'b', 'c'].map((name) => has(one, name));
      assert.throws(() => has(one, 'd'), isBusy);
      // Of others, who have it already, it is one more all the same.
      has(other, 'd');
      assert.throws(() => has(one, 'd'), isBusy);
      has(one, 'a');
      const fifth = has(one, 'a');
      assert.throws(() => has(one, 'a'), isBusy);
      fifth.cancel();
      fifth.cancel();
      first?.cancel();
      assert.throws(() => has(one, 'd'), isBusy);
      has(one, 'a').cancel();
      has(one, 'b');
      assert.equal(views.size.resources, 4);
    } finally {
      views.stop();
    }
  });

  it('have one thing under some of its names, and not under a thousand', async () => {
    const views = setUp();
    try {
      const [one, other] = await Promise.all([
        views.enter('', '10.0.0.1'),
        views.enter('', '10.0.0.2'),
      ]);
      const world = new OpenWorld({ datacenter: 'dc1', domain: 'consul.' }, '');
      const has = (member: Member, name: string) =>
        member.subscribeTo(world.resources('endpoints', name), () => undefined);
      const ways = ['WEB', 'web.', 'web.dc1', 'web.service', 'web.Service.DC1.consul'];
      const cases = Array.from({ length: 64 }, (_, i) =>
        [...'consul'].map((letter, at) => (i & (1 << at) ? letter.toUpperCase() : letter)).join(''),
      ).map((domain) => `web.service.${domain}`);
      const held = [...ways, ...cases].flatMap((name) => {
        try {
          return [has(one, name)];
        } catch (error) {
          assert.ok(isBusy(error));
          return [];
        }
      });
      // `web.` is a tag and a name that is none, and `Service` a name.
      assert.equal(held.length, 18);
      for (const name of ['db', 'v1.web', 'web.service.dc2', 'web.query']) has(one, name);
      has(other, 'web');
      // As most write it, it is refused to nobody for that.
      has(one, 'web');
      const few = await setUp({ named: 2 }).enter('', '10.0.0.1');
      const kept = [has(few, 'a'), has(few, 'b')];
      assert.throws(() => has(few, 'c'), isBusy);
      kept[0]?.cancel();
      has(few, 'c');
      few.view.stop();
      for (const each of held) each.cancel();
      for (const name of cases.slice(0, 16)) has(one, name);
      assert.throws(() => has(one, cases[16] ?? ''), isBusy);
    } finally {
      views.stop();
    }
  });

  it('have a name once, however many rights and programs it is made for', async () => {
    const views = setUp();
    try {
      const one = await views.enter('', '10.0.0.1');
      for (let i = 0; i < 40; i++) {
        const policies = `grpc-${i}`;
        const key = ['open', 'clusters', 'web', policies] as const;
        one.subscribe(
          key,
          () => [],
          () => undefined,
          { what: 'clusters web', name: 'web' },
        );
      }
      const as = (name: string) =>
        one.subscribe(
          [name],
          () => [],
          () => undefined,
          { what: 'clusters web', name },
        );
      const held = Array.from({ length: 15 }, (_, i) => as(`web-${i}`));
      assert.throws(() => as('one too many'), isBusy);
      held[0]?.cancel();
      as('in its place');
    } finally {
      views.stop();
    }
  });

  it('are of those who need it still', async () => {
    const views = setUp();
    try {
      const [one, other] = await Promise.all([
        views.enter('', '10.0.0.1'),
        views.enter('', '10.0.0.2'),
      ]);
      const first = wants(one, 'web');
      for (let i = 1; i < SHARE; i++) wants(one, `s${i}`);
      wants(other, 'web');
      first.cancel();
      wants(one, 'in its place');
      assert.throws(() => wants(one, 'one too many'), isBusy);
    } finally {
      views.stop();
    }
  });
});
