/** How often something is worked out of answers: what it costs must not grow by the square of what is asked. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { Resource } from '../../xds/resource.ts';
import { Views } from '../../xds/views.ts';
import type { Fact, Know } from '../../xds/worked.ts';
import { FakeAgentAnswers } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';

const NAMES = Array.from({ length: 50 }, (_, i) => `n${i}`);
const question = (name: string) => ({ path: `/v1/${name}`, query: [] });
const of = (name: string, said: unknown) => [new Resource('endpoints', name, { said })];

async function enter() {
  const agent = new FakeAgentAnswers();
  const system = {
    ...{ clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) },
  };
  for (const name of NAMES) agent.say(`/v1/${name}`, name);
  const views = new Views({
    ask: agent.ask,
    access: OPEN,
    caughtUp: async () => true,
    system,
  });
  return { agent, views, enter: (from: string) => views.enter('', from) };
}

const nothing = () => undefined;

describe('what is worked out of answers', () => {
  it('is not tried after each of them, while others are to come', async () => {
    const { agent, enter: from } = await enter();
    let runs = 0;
    const compute = (know: Know) => {
      runs++;
      return of(
        'all',
        NAMES.map((name) => know(question(name))),
      );
    };
    const all = (await from('10.0.0.1')).subscribe(['all'], compute, nothing);
    await until(() => all.current !== undefined);
    assert.equal(runs, 2);
    assert.deepEqual(all.current?.[0]?.message, { said: NAMES });
    agent.say('/v1/n7', 'other');
    await until(() => JSON.stringify(all.current?.[0]?.message).includes('other'));
    assert.equal(runs, 3);
  });

  it('goes on where what it waited for is not needed any more', async () => {
    const { agent, enter: from } = await enter();
    agent.say('/v1/which', 'silent');
    const compute = (know: Know) => {
      const which = know(question('which'));
      return of('all', which === undefined ? '' : know(question(String(which))));
    };
    // Nobody answers that.
    agent.silent.add('/v1/silent');
    const all = (await from('10.0.0.1')).subscribe(['all'], compute, nothing);
    await until(() => agent.asked.some(({ path }) => path === '/v1/silent'));
    agent.say('/v1/which', 'n1');
    await until(() => all.current !== undefined);
    assert.deepEqual(all.current?.[0]?.message, { said: 'n1' });
  });

  it('is worked out once for all that it is needed for, as long as any of them is there', async () => {
    const { agent, views, enter: from } = await enter();
    let runs = 0;
    const fact: Fact<ReadonlyMap<string, unknown>> = {
      key: ['all'],
      of: (know) => {
        runs++;
        return new Map(NAMES.map((name) => [name, know(question(name))]));
      },
    };
    const [one, other] = [await from('10.0.0.1'), await from('10.0.0.2')];
    const all = NAMES.map((name) => {
      const compute = (know: Know) => of(name, know.shared(fact)?.get(name));
      return (name === 'n1' ? other : one).subscribe([name], compute, nothing);
    });
    await until(() => all.every(({ current }) => current !== undefined));
    assert.equal(runs, 2);
    assert.equal(views.size.questions, NAMES.length);
    agent.say('/v1/n1', 'other');
    await until(() => JSON.stringify(all[1]?.current?.[0]?.message).includes('other'));
    assert.equal(runs, 3);
    for (const [i, each] of all.entries()) if (i !== 1) each.cancel();
    one.leave();
    agent.say('/v1/n1', 'third');
    await until(() => JSON.stringify(all[1]?.current?.[0]?.message).includes('third'));
    all[1]?.cancel();
    assert.equal(views.size.questions, 0);
  });

  it('is paid for by those who are left, where others have gone', async () => {
    const { enter: from } = await enter();
    const fact: Fact<unknown> = { key: ['n1'], of: (know) => know(question('n1')) };
    const [one, other] = [await from('10.0.0.1'), await from('10.0.0.2')];
    const [first, second] = [one, other].map((member, i) =>
      member.subscribe([`r${i}`], (know) => of('r', know.shared(fact)), nothing),
    );
    await until(() => second?.current !== undefined);
    assert.deepEqual([one.account.size, other.account.size], [1, 0]);
    first?.cancel();
    await until(() => one.account.size === 0);
    assert.equal(other.account.size, 1);
    second?.cancel();
    assert.equal(other.account.size, 0);
  });

  it('lets the questions of one who goes with many go in several turns', async () => {
    const agent = new FakeAgentAnswers();
    const names = Array.from({ length: 300 }, (_, i) => `many${i}`);
    let stopped = 0;
    const signals = new Set<AbortSignal>();
    const views = new Views({
      ask: (question, token, signal) => {
        if (!signals.has(signal)) {
          signals.add(signal);
          signal.addEventListener('abort', () => stopped++);
        }
        return agent.ask(question, token, signal);
      },
      access: OPEN,
      caughtUp: async () => true,
      system: { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) },
    });
    const one = await views.enter('', '10.0.0.1');
    for (const name of names) agent.silent.add(`/v1/${name}`);
    const all = names.map((name) =>
      one.subscribe([name], (know) => of(name, know(question(name))), nothing),
    );
    await until(() => signals.size === names.length);
    for (const each of all) each.cancel();
    one.leave();
    assert.equal(views.size.questions, 0);
    const turns: number[] = [];
    while (stopped < names.length) {
      turns.push(stopped);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(turns[0], 0);
    assert.ok(turns.length >= 4, `${turns}`);
  });
});
