import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import {
  type Agent,
  type Answer,
  follow,
  type Loss,
  patient,
  type Question,
} from '../../sidecar/follow.ts';
import { followQuery } from '../../sidecar/follow-query.ts';
import { Upstream } from '../../sidecar/upstream.ts';
import { meshUpstream } from '../../sidecar/upstream-rules.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { wanted } from '../support/servers/sidecars.ts';
import { until } from '../support/until.ts';

function start(answer: (question: Question) => Answer) {
  const clock = new FakeClock();
  const asked: Question[] = [];
  const agent: Agent = {
    ask: async (question) => {
      asked.push(question);
      return answer(question);
    },
    ...{ clock, random: seededRandom(1) },
  };
  return { agent, asked, clock, ending: new AbortController() };
}

describe('what is followed', () => {
  for (const [name, run] of [
    ['a question', (agent, on, signal) => follow(agent, { path: '/x', query: [], ...on }, signal)],
    [
      'a prepared query',
      (agent, on, signal) => followQuery(agent, { query: 'x', datacenter: '', ...on }, signal),
    ],
  ] as readonly (readonly [string, Run])[]) {
    it(`goes on where nothing can be made of an answer to ${name}, whatever is thrown`, async () => {
      const { agent, asked, clock, ending } = start(() => ({ index: '7', json: asked.length }));
      const [taken, lost]: [unknown[], Loss[]] = [[], []];
      const take = (json: unknown) => {
        if (json === 1) throw new URIError('URI malformed');
        taken.push(json);
      };
      void run(agent, { take, lost: (loss) => lost.push(loss) }, ending.signal);
      await until(() => lost.length === 1);
      assert.deepEqual(
        [lost[0]?.why, lost[0]?.what, lost[0]?.level],
        ['URI malformed', 'nothing can be made of what the agent says', 'error'],
      );
      await clock.untilArmed();
      await clock.advance(2000);
      await until(() => taken.length > 0);
      ending.abort();
    });
  }

  it('stays as it was where a server answers that is behind, until another look says what is so', async () => {
    const said = [
      ['7', 'old'],
      ['5', 'older'],
      ['5', 'of another history'],
    ] as const;
    const { agent, asked, clock, ending } = start(() => {
      const [index, json] = said[Math.min(asked.length, said.length) - 1] ?? ['', ''];
      return { index, json };
    });
    const taken: unknown[] = [];
    const on = { take: (json: unknown) => void taken.push(json), lost: () => undefined };
    void follow(agent, { path: '/x', query: [], ...on }, ending.signal);
    await until(() => asked.length === 2);
    await clock.untilArmed();
    assert.deepEqual(taken, ['old']);
    await clock.advance(1000);
    await until(() => taken.length === 2);
    assert.deepEqual(taken, ['old', 'of another history']);
    assert.deepEqual(asked[2]?.query, []);
    ending.abort();
  });

  it('is asked for anew soon after the wait that it asked for, where nothing comes any more', async () => {
    const [clock, random, ending] = [new FakeClock(), seededRandom(1), new AbortController()];
    const asked: Question[] = [];
    const ask: Agent['ask'] = async (question, signal) => {
      asked.push(question);
      if (asked.length !== 2) return { index: `${asked.length}`, json: 0 };
      await new Promise((end) => signal.addEventListener('abort', end, { once: true }));
      throw new ProconsulError('unavailable', 'no answer');
    };
    const lost: Loss[] = [];
    const on = { take: () => undefined, lost: (loss: Loss) => lost.push(loss) };
    const query = [['wait', '10s']] as const;
    void follow(
      { ask: patient(ask, clock), clock, random },
      { path: '/x', query, ...on },
      ending.signal,
    );
    await until(() => asked.length === 2);
    await clock.advance(21_000);
    await until(() => lost.length === 1);
    ending.abort();
  });

  it('is asked for by any name that a chain leads to, and calls go on', async () => {
    const names = ['db'];
    const { agent, asked, clock, ending } = start(({ path }) => ({
      index: `${names.length}`,
      json: path.startsWith('/v1/discovery-chain/') ? { Chain: chainTo(names.at(-1) ?? '') } : [],
    }));
    const logger = new RecordingLogger();
    const dialTo = () => () => Promise.reject(new Error('nobody'));
    const rules = meshUpstream(wanted('db'), { datacenter: '', dialTo });
    const upstream = new Upstream(rules, agent, logger);
    const following = upstream.follow(ending.signal);
    await until(() => upstream.isKnown);
    for (const [name, path] of [
      ['\ud800', '%EF%BF%BD'],
      ['..', '%00'],
    ] as const) {
      names.push(name);
      await until(
        async () => {
          await clock.advance(1000);
          return asked.some((each) => each.path === `/v1/health/connect/${path}`);
        },
        () => asked.map((each) => each.path),
      );
    }
    ending.abort();
    await following;
  });
});

type Run = (
  agent: Agent,
  on: { take(json: unknown): void; lost(loss: Loss): void },
  signal: AbortSignal,
) => Promise<void>;

function chainTo(service: string): object {
  return {
    ...{ ServiceName: 'db', Datacenter: 'dc1', Protocol: 'tcp', StartNode: 'resolver:x' },
    Nodes: { 'resolver:x': { Type: 'resolver', Resolver: { Target: 'x' } } },
    Targets: { x: { ID: 'x', Service: service, Datacenter: 'dc1' } },
  };
}
