/**
 * Whether the simulated Redis is one. What servers said to it in runs with faults, script by script, a real
 * one is told too, with the same keys at the same time, and answers the same; and so do both, drawn by chance.
 */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { drawFaults } from '../faults/schedule.ts';
import { run } from '../run.ts';
import { execute } from './commands.ts';
import { drawnCommands } from './drawn-commands.ts';
import { Recorder, type Step } from './recorder.ts';
import { Lacking, RedisError, type Reply, Status } from './reply.ts';
import { Store } from './store.ts';

const NOW = 1_700_000_000_000;
const COMMANDS = 5000;
const SECONDS = 40;
/** Under way at once. */
const WINDOW = 200;
/** Of INFO's kind: a real one says more, and other things. */
const FIELDS = ['length', 'last-generated-id'];

describe('a simulated Redis, beside a real one', () => {
  it(`answers ${COMMANDS} drawn commands alike (seed ${SEED})`, async () => {
    const store = new Store();
    const steps = drawnCommands(seededRandom(SEED), COMMANDS).map((words) => {
      return { words, reply: execute(store, words, NOW) };
    });
    await compare(steps);
  }).timeout(0);

  it(`answers what servers ask it under faults alike, and holds the same (seed ${SEED})`, async () => {
    const recorders = [new Recorder(), new Recorder()];
    // Of a full one a real one would have to be as full.
    const faults = drawFaults(seededRandom(SEED), { log: 'quorum', untilMs: SECONDS * 1000 });
    await run({
      seed: SEED,
      log: 'quorum',
      seconds: SECONDS,
      workloads: ['registers', 'leases'],
      faults: faults.filter(({ what }) => !/full|cannot/.test(what)),
      taps: recorders,
    });
    for (const { steps } of recorders) await compare(steps);
    assert(recorders.some(({ steps }) => steps.length > 1000));
  }).timeout(0);
});

describe('a simulated Redis that is asked for what it does not know', () => {
  for (const words of [
    ['LPUSH', 'a', 'b'],
    ['SET', 'a', 'b', 'EX', '5'],
    ['ZADD', 'a', 'GT', '1', 'b'],
    ['XADD', 'a', 'MAXLEN', '5', '1-0', 'b', 'c'],
    ['ZRANGEBYSCORE', 'a', '0', '1', 'LIMIT', '0', '-1'],
  ]) {
    it(`ends the run, and says so: ${words.join(' ')}`, () => {
      assert.throws(() => execute(new Store(), words, NOW), Lacking);
    });
  }
});

async function compare(steps: readonly Step[]): Promise<void> {
  const { admin: real } = await startRedis({ args: ['--appendonly', 'no'] });
  await real.flushall();
  for (let at = 0; at < steps.length; at += WINDOW) {
    const some = steps.slice(at, at + WINDOW);
    const answers = await Promise.all(some.map(({ words }) => ask(real, words)));
    for (const [i, { words, reply }] of some.entries()) {
      if (reply === undefined) continue;
      const what = `${at + i}: ${words.join(' ').slice(-300)}`;
      assert.deepEqual(shown(answers[i]), shown(asPlain(reply)), what);
    }
  }
}

async function ask(real: Redis, [name = '', ...args]: readonly string[]): Promise<unknown> {
  const bytes = args.map((each) => Buffer.from(each, 'latin1'));
  try {
    return asText(await real.callBuffer(name, ...bytes));
  } catch (error) {
    return error;
  }
}

function asText(answer: unknown): unknown {
  if (Buffer.isBuffer(answer)) return answer.toString('latin1');
  return Array.isArray(answer) ? answer.map(asText) : answer;
}

function asPlain(reply: Reply): unknown {
  if (reply instanceof Status) return reply.text;
  return Array.isArray(reply) ? reply.map((each: Reply) => asPlain(each)) : reply;
}

/** Of errors their first word; hashes have no order. */
function shown(answer: unknown): unknown {
  if (answer instanceof Error || answer instanceof RedisError) return answer.message.split(' ')[0];
  if (!Array.isArray(answer)) return answer;
  const parts = isInfo(answer)
    ? FIELDS.map((name) => [name, answer[answer.indexOf(name) + 1]])
    : answer.map(shown);
  return parts.map((each) => JSON.stringify(each)).sort();
}

function isInfo(answer: readonly unknown[]): boolean {
  return FIELDS.every((name) => answer.includes(name));
}
