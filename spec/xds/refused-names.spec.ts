/** Names for which there was no room when something came to be of them. */
import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import { Account } from '../../xds/accounts.ts';
import { Facts } from '../../xds/facts.ts';
import { Pace } from '../../xds/pace.ts';
import { Parts } from '../../xds/parts.ts';
import { Questions } from '../../xds/questions.ts';
import { Reviews } from '../../xds/reviews.ts';
import { Room } from '../../xds/room.ts';
import { Turns } from '../../xds/turns.ts';
import { FakeAgentAnswers } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';

/** Many names come to be, and for all of them there is no room. */
async function start(names: readonly string[]) {
  const agent = new FakeAgentAnswers();
  const system = { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) };
  const options = {
    ask: agent.ask,
    tokens: () => [''],
    turns: new Turns(),
    pace: new Pace(system),
    room: new Room(),
    reviews: new Reviews(system.clock),
    system,
  };
  const questions = new Questions(options);
  const account = new Account({ followed: 10 });
  const full = new Set(names);
  let tries = 0;
  const parts = new Parts({
    ...{ account, sources: { questions, facts: new Facts(questions) }, onLast: () => undefined },
    among: {
      key: ['all'],
      names: (know) => know({ path: '/names', query: [] }) as string[] | undefined,
      each: (name) => ({ key: [name], compute: () => [] }),
    },
    subscribe: ({ key: [name] }) => {
      tries++;
      if (full.has(name)) throw new ProconsulError('busy', 'no room');
      account.make(undefined);
      return { current: [], cancel: () => account.unmake(undefined) };
    },
  });
  agent.say('/names', []);
  const told = new Map(names.map((name) => [name, 0]));
  const held = names.map((name) =>
    parts.subscribe(name, () => told.set(name, (told.get(name) ?? 0) + 1)),
  );
  await until(() => held.every(({ current }) => current !== undefined));
  agent.say('/names', names);
  await until(() => held.every(({ current }) => current === undefined));
  const offer = () => {
    account.subscribe();
    account.unsubscribe();
  };
  return { agent, full, held, told, offer, system, tries: () => tries };
}

const NAMES = Array.from({ length: 100 }, (_, i) => `s${i}`);

describe('names for which there was no room', () => {
  it('are all tried as room comes: one may need nothing but what is followed already', async () => {
    const { full, held, offer, told } = await start(NAMES);
    for (const [i, name] of NAMES.entries()) {
      if (i % 40 !== 39) continue;
      full.delete(name);
      offer();
      await until(() => held[i]?.current !== undefined);
      assert.ok((told.get(name) ?? 0) > 0);
    }
    assert.equal(held.filter(({ current }) => current !== undefined).length, 2);
    for (const each of held) each.cancel();
  });

  it('are tried once for each time that there may be room, and no more when nobody asks for them', async () => {
    const { held, offer, tries } = await start(NAMES);
    const before = tries();
    offer();
    await until(() => tries() - before >= NAMES.length);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(tries() - before, NAMES.length);
    for (const each of held) each.cancel();
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(tries() - before, NAMES.length);
  });
});
