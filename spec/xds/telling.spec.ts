/** What one stream is told of very many things at once. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { type DeltaRequest, DeltaSubscription } from '../../xds/serving/delta-subscription.ts';
import { type AnyRequest, Stream, type StreamOptions } from '../../xds/serving/stream.ts';
import { type WholeRequest, WholeSubscription } from '../../xds/serving/whole-subscription.ts';
import { Wire } from '../../xds/serving/wire.ts';
import { Views } from '../../xds/views.ts';
import { Worlds } from '../../xds/worlds.ts';
import { FakeAgentAnswers } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { TickingClock } from '../support/fakes/ticking-clock.ts';

const ADDRESS = '10.0.0.1';
const NAMES = Array.from({ length: 1000 }, (_, i) => `n${i}`);
const WIRE = new Wire();

const turnOver = () => new Promise<void>((on) => void setImmediate(on));

async function open<Request extends AnyRequest>(
  form: StreamOptions<Request>['form'],
  clock = new FakeClock(),
) {
  const logger = new RecordingLogger();
  const views = new Views({
    ...{ ask: new FakeAgentAnswers().ask, access: OPEN, caughtUp: async () => true },
    system: { clock, logger, random: seededRandom(1) },
  });
  const worlds = new Worlds({ datacenter: 'dc1', domain: 'consul.', callsByDefault: true });
  const told: Buffer[] = [];
  const refused: unknown[] = [];
  const stream = new Stream<Request>({
    ...{ kind: 'listeners', form, token: '', address: ADDRESS, wire: WIRE, pace: views.pace },
    ...{
      counts: { answers: 0 },
      refusals: { take: () => undefined },
      views,
      worlds,
      clock,
      logger,
    },
    write: (answer, done) => {
      told.push(answer);
      done();
    },
    refuse: (error) => void refused.push(error),
  });
  await stream.enter();
  const member = await views.enter('', ADDRESS);
  const world = worlds.of({ id: '' });
  const all = NAMES.map((name) => member.subscribeTo(world.resources('listeners', name), () => {}));
  const written = (in_: 'delta' | 'whole') =>
    all.filter(({ current }) => current?.[0]?.isEncoded(in_)).length;
  /** How many more there were after the turn that had most, until something is told. */
  const most = async (in_: 'delta' | 'whole') => {
    let [before, more] = [0, 0];
    while (told.length === 0) {
      await turnOver();
      const now = written(in_);
      more = Math.max(more, now - before);
      before = now;
    }
    return more;
  };
  return { stream, told, refused, written, most, member, views };
}

const REQUEST = { type_url: '', node: null, error_detail: null };

describe('a stream that is told of very many things at once', () => {
  it('has them written down a few in a turn, and is told of them together, in the form that tells what has changed', async () => {
    const { stream, told, refused, written, most } = await open<AnyRequest & DeltaRequest>(
      DeltaSubscription,
    );
    const request = {
      ...REQUEST,
      resource_names_subscribe: NAMES,
      ...{ resource_names_unsubscribe: [], initial_resource_versions: {} },
    };
    stream.take(request, () => undefined);
    const more = await most('delta');
    assert.ok(more > 0 && more <= 64, `${more} in one turn`);
    assert.deepEqual([written('delta'), told.length, refused], [NAMES.length, 1, []]);
    stream.stop();
  });

  it('has them written down a few in a turn, and is told of them together, in the form that tells all', async () => {
    const { stream, told, refused, written, most } = await open<AnyRequest & WholeRequest>(
      WholeSubscription,
    );
    stream.take({ ...REQUEST, resource_names: NAMES, response_nonce: '' }, () => undefined);
    const more = await most('whole');
    assert.ok(more > 0 && more <= 64, `${more} in one turn`);
    assert.deepEqual([written('whole'), told.length, refused], [NAMES.length, 1, []]);
    stream.stop();
  });

  it('lets go of them a few in a turn once its client has gone, and of none at once', async () => {
    const { stream, told, member, views } = await open<AnyRequest & WholeRequest>(
      WholeSubscription,
      new TickingClock(10),
    );
    let named = 0;
    const { account } = member;
    account.subscribe = () => void named++;
    account.unsubscribe = () => void named--;
    stream.take({ ...REQUEST, resource_names: NAMES, response_nonce: '' }, () => undefined);
    while (told.length === 0) await turnOver();
    const all = named;
    assert.ok(all >= NAMES.length);
    stream.stop();
    // That a client has gone is heard within what others say.
    assert.equal(named, all);
    let turns = 0;
    for (; named > all - NAMES.length; turns++) await turnOver();
    assert.ok(turns >= 5, `${turns}`);
    member.leave();
    views.stop();
  });
});
