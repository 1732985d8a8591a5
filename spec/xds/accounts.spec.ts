/** Who has what followed of what all may ask for together. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Compute } from '../../xds/derived.ts';
import { MAX_QUESTIONS } from '../../xds/questions.ts';
import { type Member, Views } from '../../xds/views.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

const SHARE = MAX_QUESTIONS / 2;

function setUp() {
  const system = { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) };
  // Each question waits without an answer.
  const ask = () => new Promise<never>(() => undefined);
  const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system });
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
