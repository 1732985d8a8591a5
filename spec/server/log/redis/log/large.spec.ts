import assert from 'node:assert/strict';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import {
  FULL_RETRY_MS,
  READ_MAX_BYTES,
  SNAPSHOT_DUE_BYTES,
} from '../../../../../server/log/redis/link/limits.ts';
import { Monitor, type MonitorDeps } from '../../../../../server/log/redis/log/monitor.ts';
import {
  SnapshotKeeper,
  type SnapshotKeeperDeps,
} from '../../../../../server/log/redis/log/snapshot-keeper.ts';
import { CheckIn } from '../../../../../server/log/redis/records/check-in.ts';
import type { History } from '../../../../../server/log/redis/repair/history.ts';
import { FakeClock } from '../../../../support/fakes/fake-clock.ts';
import { LogServer, verdictOf } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { TcpProxy } from '../../../../support/servers/tcp-proxy.ts';
import { until } from '../../../../support/until.ts';

/** A value at its limit of 512 KB. */
const LARGE = 700_000;
const keys = keysOf('dc1');

describe('RedisLog with large values', () => {
  it('lets a server join over a line that takes longer for them than Redis may be silent', async () => {
    const redis = await startRedis();
    const first = await LogServer.start({ url: redis.url, name: 'a', settleMs: 0 });
    for (let i = 0; i < 12; i++) await first.write(`a-${i}`, LARGE);
    const proxy = await TcpProxy.start(redis.address);
    proxy.bytesPerSecond = 8e6;
    const second = await LogServer.start({ url: proxy.url, name: 'b', settleMs: 0 });
    // Behind again by more than may come at once, now as a server that lives.
    await Promise.all(Array.from({ length: 2 }, (_, i) => first.write(`more-${i}`, 1_300_000)));
    const { lost, duplicates } = await verdictOf([first, second]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    assert(12 * LARGE > READ_MAX_BYTES);
  });

  it('makes room in a Redis that is full, and writes again by itself', async () => {
    const redis = await startRedis();
    const errors: string[] = [];
    const server = await LogServer.start({
      ...{ url: redis.url, name: 'a', settleMs: 0 },
      ringLimits: { minMs: 0, minEntries: 5, maxBytes: 4e6 },
      logger: { error: (line) => errors.push(line), warn() {}, info() {}, debug() {} },
    });
    await redis.admin.config('SET', 'maxmemory', '24mb');
    let refused = 0;
    while (refused === 0) {
      if ((await server.write(undefined, LARGE)) === 'unavailable') refused++;
    }
    await until(async () => (await server.write(undefined, LARGE)) === 'acked');
    await until(async () => (await redis.admin.exists(keys.snapshot)) === 1);
    // Said again where that takes long: on a busy machine some seconds.
    for (const line of errors) assert.match(line, /takes no writes/);
    assert(errors.length >= 1);
    const { lost } = await verdictOf([server]);
    assert.equal(lost, 0);
  });

  it('says that Redis is full once in a while, however many writes it refuses', async () => {
    const clock = new FakeClock();
    const errors: string[] = [];
    const wanted: number[] = [];
    const link = { commands: { run: () => Promise.reject(new Error('full')) }, keys };
    const keeper = new SnapshotKeeper({
      ...{ gate: { current: { link, epoch: 1 } }, clock },
      logger: { error: (line: string) => errors.push(line) },
      onNeeded: (index: number) => wanted.push(index),
    } as unknown as SnapshotKeeperDeps);
    const history = { position: { index: 7, hash: 'h' } } as unknown as History;
    for (let n = 0; n < 10; n++) await keeper.makeRoom(history);
    assert.deepEqual([errors.length, wanted], [1, [7]]);
    await clock.advance(FULL_RETRY_MS);
    for (let n = 0; n < 10; n++) await keeper.makeRoom(history);
    assert.deepEqual([errors.length, wanted], [2, [7, 7]]);
  });

  it('asks for a snapshot when many bytes were written, however few entries', async () => {
    const clock = new FakeClock();
    const wanted: number[] = [];
    const history = {
      position: { index: 7, hash: 'h' },
      ring: { at: () => undefined },
      followedBytes: 0,
    };
    let snapshot = '0';
    const looks = { count: 0 };
    const run = async () => {
      looks.count++;
      return ['OK', '7', 'h', '0', snapshot, '0', []];
    };
    const link = { commands: { run }, keys, signal: new AbortController().signal };
    const monitor = new Monitor({
      ...{ history, checkIn: new CheckIn('a'), clock, intervalMs: 100 },
      onWanted: (index: number) => wanted.push(index),
    } as unknown as MonitorDeps);
    void monitor.watch({ link, epoch: 1 } as unknown as Parameters<Monitor['watch']>[0]);
    const look = async () => {
      const before = looks.count;
      await clock.untilArmed();
      await clock.advance(100);
      await until(() => looks.count > before);
      await clock.untilArmed();
    };
    await look();
    history.followedBytes = SNAPSHOT_DUE_BYTES;
    await look();
    await look();
    assert.deepEqual(wanted, [7], 'once');
    history.followedBytes *= 1.5;
    await look();
    assert.deepEqual(wanted, [7, 7], 'again, since nothing came of it');
    snapshot = '7';
    history.followedBytes *= 1.2;
    await look();
    assert.deepEqual(wanted, [7, 7]);
  });
});
