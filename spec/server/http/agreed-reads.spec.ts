/** Consistent reads where a majority says what counts (`commit: quorum`), as one server answers them. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { noLeader } from '../../../lib/errors.ts';
import { readFor } from '../../../server/http/deps.ts';
import type { EventLog, LogStatus } from '../../../server/log/event-log.ts';
import { HeldLog } from '../../support/fakes/held-log.ts';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

interface Vote {
  readonly agree: (index: number) => void;
  readonly refuse: (error: Error) => void;
}

/** A log of which a spec says what a majority says. */
class VotedLog extends HeldLog {
  epoch = 1;
  readonly votes: Vote[] = [];
  /** Once it is said, a majority agrees to this at once, and how often it did. */
  agreesTo: (() => number) | undefined;
  agreed = 0;
  readonly #log: EventLog;

  constructor(log: EventLog) {
    super(log);
    this.#log = log;
  }

  override readIndex(by?: 'log' | 'majority'): number | Promise<number> {
    if (by !== 'majority') return this.#log.readIndex();
    if (this.agreesTo !== undefined) {
      this.agreed++;
      return this.agreesTo();
    }
    return new Promise((agree, refuse) => this.votes.push({ agree, refuse }));
  }

  override status(): LogStatus {
    return { ...super.status(), epoch: this.epoch };
  }
}

async function start() {
  let log: VotedLog | undefined;
  const test = await startServerWith({
    wrap: (its) => {
      log = new VotedLog(its);
      return log;
    },
  });
  assert(log !== undefined);
  const { votes } = log;
  const { put, ask, server } = test;
  await put('/v1/kv/a', 'before');
  /** What this server alone applies. */
  const writeAlone = async () => {
    await put('/v1/kv/a', 'alone');
    await put('/v1/catalog/register', { Node: 'alone', Address: '10.0.0.1' });
    await put('/v1/operator/autopilot/configuration', { MaxTrailingLogs: 4711 });
  };
  const voted = async (n: number) => {
    await until(() => votes.length >= n);
    return votes[n - 1] as Vote;
  };
  const position = () => server.state.position;
  const read = (path = '/v1/kv/a?consistent') => ask('GET', path);
  return { ...test, log, writeAlone, voted, position, read };
}

const TXN = JSON.stringify([{ KV: { Verb: 'get', Key: 'a' } }]);
const READS: readonly (readonly [method: string, path: string, body?: string])[] = [
  ['GET', '/v1/kv/a?consistent'],
  ['GET', '/v1/kv/?recurse&consistent'],
  ['GET', '/v1/catalog/nodes?consistent'],
  ['GET', '/v1/operator/usage?consistent'],
  ['GET', '/v1/operator/autopilot/configuration?consistent'],
  ['PUT', '/v1/txn?consistent', TXN],
];

describe('a consistent read under a vote', () => {
  for (const [method, path, body = ''] of READS) {
    it(`shows nothing that was applied after the majority was asked: ${method} ${path}`, async () => {
      const { ask, writeAlone, voted, position } = await start();
      const before = ask(method, path, { body });
      (await voted(1)).agree(position());
      const asked = ask(method, path, { body });
      const vote = await voted(2);
      const index = position();
      await writeAlone();
      vote.agree(index);
      const [{ json: expected }, { status, json }] = await Promise.all([before, asked]);
      assert.equal(status, 200);
      assert.deepEqual(json, expected);
    });
  }

  it('shows nothing of that on the fast path either', async () => {
    const { get, log, writeAlone, voted, position } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const read = () => get('/v1/kv/a?consistent', { agent });
    for (const n of [1, 2]) {
      const asked = read();
      (await voted(n)).agree(position());
      await asked;
    }
    const asked = read();
    const vote = await voted(3);
    const index = position();
    await writeAlone();
    log.agreesTo = position;
    vote.agree(index);
    const { status, text } = await asked;
    assert.equal(status, 200);
    // What was learnt stands no more, and is asked for again. A machine that is busy may have learnt nothing yet.
    assert(text.includes(btoa('before')) || log.agreed > 0);
    agent.destroy();
  });

  it('is evaluated anew where the majority lacks what was applied here', async () => {
    const { read, voted, position, writeAlone } = await start();
    const asked = read();
    (await voted(1)).agree(position() - 1);
    const vote = await voted(2);
    await writeAlone();
    vote.agree(position());
    assert((await asked).text.includes(btoa('before')));
  });

  it('is evaluated anew where another epoch has begun meanwhile', async () => {
    const { read, voted, position, writeAlone, log } = await start();
    const asked = read();
    const first = await voted(1);
    await writeAlone();
    log.epoch = 2;
    first.agree(position());
    (await voted(2)).agree(position());
    assert((await asked).text.includes(btoa('alone')));
  });

  it('is evaluated anew for who has other rights by the time that the majority has agreed', async () => {
    const request = {
      caller: { name: 'all', stands: () => true },
      callerStill: async () => {
        request.caller = { name: 'some', stands: () => true };
      },
    };
    const evaluated: string[] = [];
    const evaluate = () => evaluated.push(request.caller.name);
    const read = async (_: unknown, look: () => unknown) => {
      await look();
      if (evaluated.length === 1) request.caller.stands = () => false;
      return evaluated.at(-1);
    };
    const deps = { readiness: { read } } as unknown as Parameters<typeof readFor>[0];
    const asked = request as unknown as Parameters<typeof readFor>[1];
    assert.equal(await readFor(deps, asked, 'consistent', evaluate), 'some');
    assert.deepEqual(evaluated, ['all', 'some']);
  });

  it('says of nothing that it is not there before the majority has agreed', async () => {
    const { read, voted, position, log } = await start();
    const asked = read('/v1/kv/none?consistent');
    (await voted(1)).agree(position());
    assert.equal((await asked).status, 404);
    const again = read('/v1/kv/none?consistent');
    (await voted(2)).refuse(noLeader());
    assert.equal((await again).status, 500);
    assert.equal(log.votes.length, 2);
  });
});
