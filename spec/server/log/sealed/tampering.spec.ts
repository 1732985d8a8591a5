/** What somebody who may write to Redis or to the files can do: each try is refused by name. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../lib/clock.ts';
import { describeChain } from '../../../../lib/errors.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { Sealing } from '../../../../lib/seal/box.ts';
import { parseKey } from '../../../../lib/seal/key.ts';
import type { Command, Entry } from '../../../../server/commands.ts';
import { chainHash } from '../../../../server/log/chain.ts';
import type { EventLog, Proposal } from '../../../../server/log/event-log.ts';
import { FileLog } from '../../../../server/log/file/file-log.ts';
import { IndexGate } from '../../../../server/log/index-gate.ts';
import {
  encodeProposal,
  MAX_COMMAND_BYTES,
  type PayloadReader,
} from '../../../../server/log/payload.ts';
import { keysOf } from '../../../../server/log/redis/link/keys.ts';
import { parseRedisUrl } from '../../../../server/log/redis/link/options.ts';
import { RedisLog } from '../../../../server/log/redis/log/redis-log.ts';
import type { RawEntry } from '../../../../server/log/redis/records/stream.ts';
import { SealedLog } from '../../../../server/log/sealed/sealed-log.ts';
import { Watcher } from '../../../../server/query/watcher.ts';
import { Replica } from '../../../../server/replica.ts';
import {
  kvCommand,
  largeProposal,
  proposal,
  proposals,
} from '../../../support/experiments/proposals.ts';
import { RecordingSink } from '../../../support/fakes/recording-sink.ts';
import { KEYS, type SealedOptions, sealedPayloads } from '../../../support/sealed.ts';
import { type RedisProcess, startRedis } from '../../../support/servers/redis.ts';
import { until } from '../../../support/until.ts';

const keys = keysOf('dc1');
const opened: EventLog[] = [];

afterEach(async () => {
  for (const log of opened.splice(0)) await log.stop();
});

function open(redis: RedisProcess, server: string, options: SealedOptions = {}) {
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  const logger = {
    error: add,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
  };
  const payloads = sealedPayloads({ ...options, logger });
  const log = new SealedLog(
    new RedisLog({
      redis: parseRedisUrl(redis.url),
      self: { datacenter: 'dc1', server, payloads },
      clock: systemClock,
      logger,
      bounds: { settleMs: 0 },
    }),
    payloads,
  );
  opened.push(log);
  const sink = new RecordingSink(true);
  return { log, sink, lines, payloads, started: log.start(sink) };
}

async function stream(redis: RedisProcess): Promise<RawEntry[]> {
  const items = (await redis.admin.xrange(keys.log, '-', '+')) as [string, string[]][];
  return items.map(([id, [, epoch, , t, , proposer, , hash, , payload]]) => ({
    index: Number.parseInt(id, 10),
    epoch: Number(epoch),
    t: Number(t),
    id: String(proposer),
    hash: String(hash),
    payload: String(payload),
  }));
}

/** Puts a history of its own into Redis, with every index and hash as it should be. */
async function rewrite(redis: RedisProcess, entries: readonly RawEntry[]): Promise<void> {
  const write = redis.admin.multi().del(keys.log);
  let hash = '';
  let index = 0;
  for (const { epoch, t, id, payload } of entries) {
    hash = chainHash(hash, { index: ++index, epoch, t, id, payload });
    write.xadd(keys.log, `${index}-0`, 'e', epoch, 't', t, 'p', id, 'h', hash, 'c', payload);
  }
  await write.hset(keys.meta, { idx: index, hash, next: index + 1 }).exec();
}

async function filled(count: number, options?: SealedOptions) {
  const redis = await startRedis();
  const first = open(redis, 'first', options);
  await first.started;
  await first.log.append(proposals('a', count));
  await until(() => first.sink.entries.length === count);
  return { redis, first, entries: await stream(redis) };
}

/** What a server says that meets such a log at its start. */
async function refusal(redis: RedisProcess, options?: SealedOptions): Promise<string> {
  const server = open(redis, 'late', options);
  // Where nothing was read yet, and the key is missing, the start itself says so.
  server.started.catch((error: unknown) => server.lines.push(describeChain(error)));
  await until(() => server.lines.some((line) => line.includes('refused')));
  assert(server.sink.entries.length < 3, 'it was applied');
  return server.lines.join('\n');
}

describe('a sealed log in Redis', () => {
  it('shows nothing of what is written', async () => {
    const { redis } = await filled(0);
    const secret = 'PLANTED-SECRET';
    const server = open(redis, 'other');
    await server.started;
    await server.log.append([encodeProposal('x', kvCommand(secret, { value: secret }))]);
    await server.log.saveSnapshot({ position: server.sink.position, lines: [secret] });
    for (const key of await redis.admin.keys('*')) {
      assert(!(await redis.admin.dumpBuffer(key)).includes(secret), key);
    }
    assert(JSON.stringify(await stream(redis)).includes('~1'));
  });

  it('is read by who has the key alone, and says which one is missing', async () => {
    const { redis, first } = await filled(3);
    await first.log.stop();
    const { started, lines } = open(redis, 'late', { keys: [KEYS.second] });
    const said = describeChain(await started.catch((error: unknown) => error));
    assert.deepEqual(lines, []);
    assert.match(
      said,
      /entry 1 .*refused.*: it is sealed under the key \S{8}, which is not in this keyring/,
    );
    assert(!said.includes(KEYS.first) && !said.includes(KEYS.second));
  });

  const tries: Readonly<Record<string, (entries: RawEntry[]) => [RawEntry[], RegExp]>> = {
    'is flipped in one bit': ([a, b, c]) => [
      [a, { ...b, payload: flipped(b?.payload ?? '') }, c] as RawEntry[],
      /entry 2 .*refused.*: it does not open under the key/,
    ],
    'was moved to another proposal': ([a, b, c]) => [
      [a, { ...b, payload: c?.payload }, c] as RawEntry[],
      /entry 2 .*refused.*: it does not open .* moved/,
    ],
    'is not sealed': ([a, b, c]) => [
      [a, { ...b, payload: proposal('z').payload }, c] as RawEntry[],
      /entry 2 .*refused.*: it is not sealed/,
    ],
    'is sealed under a key of somebody else': ([a, b, c]) => [
      [a, { ...b, payload: forgery(b?.id ?? '') }, c] as RawEntry[],
      /entry 2 .*refused.*: it is sealed under the key \S+, which is not in this keyring/,
    ],
    'is that of another data centre under the same key': ([a, b, c]) => {
      const [stranger] = sealedPayloads({ datacenter: 'dc2' }).seal([proposal(b?.id ?? '')]);
      const payload = stranger?.payload;
      return [[a, { ...b, payload }, c] as RawEntry[], /entry 2 .*refused.*: it does not open/];
    },
    'names the right key and was sealed under another': ([a, b, c]) => {
      const payload = `${b?.payload.slice(0, 10)}${forgery(b?.id ?? '').slice(10)}`;
      return [[a, { ...b, payload }, c] as RawEntry[], /entry 2 .*refused.*: it does not open/];
    },
  };
  for (const [what, change] of Object.entries(tries)) {
    it(`refuses an entry that ${what}, though all hashes are right`, async () => {
      const { redis, first, entries } = await filled(3);
      await first.log.stop();
      const [changed, message] = change(entries);
      await rewrite(redis, changed);
      assert.match(await refusal(redis), message);
    });
  }

  it('refuses a forged entry while it runs, and goes on when Redis is cleared of it', async () => {
    const { redis, first, entries } = await filled(3);
    const payload = proposal('z').payload;
    const last = entries.at(-1) as RawEntry;
    const forged = { ...last, id: 'z', index: 4, payload };
    const hash = chainHash(last.hash, forged);
    await redis.admin
      .multi()
      .xadd(keys.log, '4-0', 'e', last.epoch, 't', last.t, 'p', 'z', 'h', hash, 'c', payload)
      .hset(keys.meta, { idx: 4, hash, next: 5 })
      .exec();
    await until(() =>
      first.lines.some((line) => /entry 4 .*refused.*: it is not sealed/.test(line)),
    );
    assert.equal(first.lines.filter((line) => line.includes('it is not sealed')).length, 1);
    assert.deepEqual(first.sink.ids, ['a-0', 'a-1', 'a-2']);

    // As docs/security.md says: the servers put back what they hold.
    await redis.admin.del(keys.log, keys.meta, keys.ids);
    await until(() =>
      first.log.append([proposal('b')]).then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual(first.sink.ids, ['a-0', 'a-1', 'a-2', 'b']);
    const late = open(redis, 'late');
    await late.started;
    assert.deepEqual(late.sink.ids, ['a-0', 'a-1', 'a-2', 'b']);
  });

  it('refuses a snapshot that was changed, cut, mixed or put elsewhere', async () => {
    const payloads = sealedPayloads();
    const position = { index: 7, epoch: 1, hash: 'h', t: 5 };
    const { sealSnapshot, openSnapshot } = await import(
      '../../../../server/log/sealed/sealed-snapshot.ts'
    );
    const long = Array.from({ length: 9000 }, (_, i) => `{"line":${i},"pad":"${'x'.repeat(60)}"}`);
    const take = async () => {
      const lines: string[] = [];
      for await (const line of sealSnapshot({ position, lines: long }, payloads).lines) {
        lines.push(line);
      }
      return lines;
    };
    const read = async (lines: readonly string[], at = position) => {
      const found: string[] = [];
      const opened = await openSnapshot({ position: at, lines }, payloads);
      for await (const line of opened.lines) found.push(line);
      return found;
    };
    const [one, two] = [await take(), await take()];
    assert.deepEqual(await read(one), long);
    assert(one.length > 3);
    const refused = { name: 'ProconsulError', message: /the snapshot of entry \d+ is refused/ };
    const bad = {
      flipped: one.map((line, at) => (at === 2 ? flipped(line) : line)),
      cut: one.slice(0, -1),
      empty: one.slice(0, 1),
      longer: [...one, one[1] ?? ''],
      swapped: [one[0], one[2], one[1], ...one.slice(3)] as string[],
      mixed: [one[0], two[1], ...one.slice(2)] as string[],
      'in the clear': long,
      nothing: [],
    };
    for (const [what, lines] of Object.entries(bad)) {
      await assert.rejects(read(lines), refused, what);
    }
    for (const other of [{ index: 8 }, { epoch: 2 }, { hash: 'g' }, { t: 6 }]) {
      await assert.rejects(read(one, { ...position, ...other }), refused);
    }
  });
});

describe('a sealed log in files', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealed-files-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Somebody else, who has the program and not the key. */
  const asIs = {
    decode: (): Command => ({ type: 'void', why: '' }),
    admit: (entry: Entry) => entry,
  };
  const openIn = (payloads: PayloadReader) => {
    const onFatal = (error: Error) => assert.fail(error);
    return new FileLog({ folder, clock: systemClock, logger: silentLogger, onFatal, payloads });
  };
  const fill = async () => {
    const payloads = sealedPayloads();
    const log = new SealedLog(openIn(payloads), payloads);
    await log.start(new RecordingSink(true));
    await log.append(proposals('a', 3));
    await log.stop();
    return payloads.seal([proposal('b')])[0] as Proposal;
  };
  const append = async (forged: Proposal) => {
    const log = openIn(asIs);
    await log.start(new RecordingSink(true));
    await log.append([forged]);
    await log.stop();
  };
  const start = async () => {
    const payloads = sealedPayloads();
    const log = new SealedLog(openIn(payloads), payloads);
    const sink = new RecordingSink(true);
    await log.start(sink).finally(() => log.stop());
    return sink.ids;
  };

  const tries: Readonly<Record<string, (sealed: Proposal) => Proposal>> = {
    flipped: (sealed) => ({ ...sealed, payload: flipped(sealed.payload) }),
    moved: (sealed) => ({ ...sealed, id: 'c' }),
    'in the clear': () => proposal('b'),
    forged: (sealed) => ({ ...sealed, payload: forgery('b') }),
  };
  for (const [what, change] of Object.entries(tries)) {
    it(`does not start with an entry that is ${what}, though all sums are right`, async () => {
      await append(change(await fill()));
      await assert.rejects(start(), { message: /^entry 4 of the log is refused/ });
    });
  }

  it('takes the largest command that there may be', async () => {
    const sealed = await fill();
    await append(sealed);
    assert.deepEqual(await start(), ['a-0', 'a-1', 'a-2', 'b']);
    const payloads = sealedPayloads();
    const log = new SealedLog(openIn(payloads), payloads);
    await log.start(new RecordingSink(true));
    await log.append([largeProposal('large', MAX_COMMAND_BYTES - 500)]);
    await log.stop();
    assert.deepEqual((await start()).at(-1), 'large');
  });
});

describe('a whole entry that is put in again', () => {
  it('changes nothing: its proposal was seen', async () => {
    const { redis, first, entries } = await filled(0);
    await first.log.append([
      encodeProposal('boot/0', kvCommand('k', { value: 'MQ==' })),
      encodeProposal('boot/1', kvCommand('k', { value: 'Mg==' })),
    ]);
    await until(() => first.sink.entries.length === 2);
    assert.deepEqual(entries, []);
    const [one, two] = await stream(redis);
    await first.log.stop();
    await rewrite(redis, [one, two, one] as RawEntry[]);
    const server = open(redis, 'late');
    const states: string[] = [];
    const replica = new Replica({
      watcher: new Watcher(),
      applied: new IndexGate(systemClock),
      onFatal: (error) => assert.fail(error as Error),
    });
    replica.onApplied(() => void states.push(replica.state.kv.get('k')?.Value ?? ''));
    await server.log.start(replica);
    assert.deepEqual(states, ['MQ==', 'Mg==', 'Mg==']);
  });
});

function forgery(id: string): string {
  const { payload } = proposal('forged');
  return new Sealing().seal(parseKey(KEYS.fourth), payload, `entry\0dc1\0${id}`);
}

function flipped(payload: string): string {
  const at = Math.floor(payload.length / 2);
  return `${payload.slice(0, at)}${payload[at] === 'A' ? 'B' : 'A'}${payload.slice(at + 1)}`;
}
