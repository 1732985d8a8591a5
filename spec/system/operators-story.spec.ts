import assert from 'node:assert/strict';
import { type AgentProcess, AgentProcesses } from '../support/servers/agent-processes.ts';
import { startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';

/** Leases of agents, the grace of a new leader, and a busy machine. */
const PATIENCE_MS = 90_000;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;

/** What happened, and the words by which the log of one of the processes must tell it. */
interface Event {
  readonly what: string;
  readonly in: AgentProcess;
  readonly line: RegExp;
}

/** A cluster to which things happen, and what its logs say of them. */
class Story {
  readonly events: Event[] = [];
  readonly #read = new Map<AgentProcess, number>();

  /** Does it, and waits until the log tells; each line must come behind that of the event before. */
  async tell(
    what: string,
    act: () => Promise<unknown>,
    expected: Omit<Event, 'what'>,
  ): Promise<void> {
    await act();
    const { in: process, line } = expected;
    let found = -1;
    let last: readonly string[] = [];
    await until(
      async () => {
        const lines = await linesOf(process);
        const from = this.#read.get(process) ?? 0;
        last = lines.slice(-8);
        found = lines.findIndex((each, i) => i >= from && line.test(each));
        return found >= 0;
      },
      () => `${process.node} does not say by ${line} that ${what}:\n${last.join('\n')}`,
      PATIENCE_MS,
    );
    this.#read.set(process, found + 1);
    this.events.push({ what, ...expected });
  }
}

async function linesOf(process: AgentProcess): Promise<readonly string[]> {
  return (await process.log()).split('\n').filter((line) => TIME.test(line));
}

describe('an operator who has nothing but the logs', () => {
  let processes: AgentProcesses | undefined;
  afterEach(() => processes?.end());

  it('is told what happened to three servers and two agents, in order, in few lines, with no false alarm', async () => {
    const redis = await startRedis();
    processes = await AgentProcesses.create();
    const config = { bootstrap: false, bootstrap_expect: 3, redis: { url: redis.url } };
    const s1 = await processes.server(config);
    const s2 = await processes.agent('s2', s1, { ...config, server: true });
    const s3 = await processes.agent('s3', s1, { ...config, server: true });
    const a1 = await processes.agent('a1', s1, {
      retry_join: [s1, s2, s3].map(({ ports }) => `127.0.0.1:${ports.serf_lan}`),
    });
    const a2 = await processes.agent('a2', s1);
    const story = new Story();
    const tell = story.tell.bind(story);
    await s1.start();
    await tell('s1 leads', async () => undefined, { in: s1, line: /leadership acquired/ });
    await Promise.all([s2.start(), s3.start()]);
    // What stood there before is no news.
    const before = new Map<AgentProcess, number>();
    for (const each of [s1, s2, s3]) before.set(each, (await linesOf(each)).length);
    const joined = (node: string) => new RegExp(`member joined: member=${node} .*role=agent`);
    await tell('a1 comes', () => a1.start(), { in: s2, line: joined('a1') });
    await tell('a2 comes', () => a2.start(), { in: s2, line: joined('a2') });

    const check = { TTL: '1h', Status: 'passing' };
    await tell(
      'a1 has web',
      () => a1.put('/v1/agent/service/register', { Name: 'web', Port: 80, Check: check }),
      { in: a1, line: /\[INFO\] {2}agent: Synced service: service=web$/ },
    );
    await tell('web breaks', () => a1.put('/v1/agent/check/fail/service:web?note=disk%20full'), {
      in: a1,
      line: /\[WARN\] {2}agent: Check is now critical: check=service:web service=web node=a1 was=passing output="disk full"$/,
    });
    await tell('web is well again', () => a1.put('/v1/agent/check/pass/service:web'), {
      in: a1,
      line: /\[INFO\] {2}agent: Check is now passing: check=service:web service=web node=a1 was=critical/,
    });
    await tell('a2 is killed', () => a2.kill(), {
      in: s2,
      line: /\[WARN\] {2}server: member failed, marking health critical: member=a2$/,
    });
    await tell('a2 is back', () => a2.start(), {
      in: s2,
      line: /member joined: member=a2 .*was=failed/,
    });
    await tell('Redis is killed', () => redis.kill(), { in: s2, line: /\[WARN\] {2}redis: / });
    await tell('Redis is restarted', () => redis.start(), {
      in: s2,
      line: /redis: Redis was restarted, promoted or restored;.*lost/,
    });
    await tell('s1 is killed', () => s1.kill(), {
      in: s2,
      line: /(New leader elected|leadership acquired)/,
    });
    await tell('s1 is missed', async () => undefined, {
      in: s2,
      line: /member failed.*member=s1$/,
    });
    await tell('s1 is back', () => s1.start(), {
      in: s2,
      line: /member joined: member=s1 .*was=failed/,
    });
    await tell('a1 is told to read its files', async () => a1.signal('SIGHUP'), {
      in: a1,
      line: /configuration reloaded/,
    });
    await tell('web goes', () => a1.put('/v1/agent/service/deregister/web'), {
      in: a1,
      line: /\[INFO\] {2}agent: Deregistered service: service=web$/,
    });
    await tell('a2 leaves', () => a2.put('/v1/agent/leave'), {
      in: s2,
      line: /member left: member=a2$/,
    });

    const seenByS2 = (await linesOf(s2)).slice(before.get(s2));
    const events = story.events.filter((event) => event.in === s2).length;
    assert.ok(seenByS2.length < 2 * events, `${events} events:\n${seenByS2.join('\n')}`);
    for (const each of [s1, s2, s3, a1, a2]) {
      const lines = await linesOf(each);
      assert.deepEqual(
        lines.filter((line) => line.includes('[ERROR]')),
        [],
        each.node,
      );
    }
  }).timeout(8 * 60_000);
});
