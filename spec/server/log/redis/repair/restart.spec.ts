import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BallotFile } from '../../../../../server/log/redis/repair/ballot-file.ts';
import { cutAof, keepFiles, loseFiles } from '../../../../support/experiments/redis-scenarios.ts';
import { startLogServers, verdictOf } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';

describe('RedisLog over a Redis that comes back older', () => {
  for (const bytes of [-1, 0, 1, 9]) {
    it(`puts back what an append-only file cut ${bytes} bytes before a record has lost`, async () => {
      const { lost, duplicates, reported } = await loseFiles(
        // A write is a transaction of some six records.
        async (redis) => await cutAof(redis, 20, bytes),
        { entries: 10 },
      );
      assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
    });
  }

  it('puts back all that came after an older copy of the files', async () => {
    let putBack = async () => {};
    const { lost, duplicates, servers } = await loseFiles(async () => await putBack(), {
      entries: 60,
      before: async (redis) => {
        putBack = await keepFiles(redis);
      },
    });
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    for (const { sink } of servers) assert.deepEqual(sink.reusedIndexes, []);
  });

  it('goes on far above when no server was there to tell what was lost', async () => {
    // With everysec Redis answers before it writes whenever the disk is slow, and a kill loses that.
    const redis = await startRedis({ args: ['--appendfsync', 'always'] });
    const [before] = await startLogServers(1, { url: redis.url, settleMs: 0 });
    assert(before !== undefined);
    await before.write();
    await before.stop();
    await redis.kill();
    await redis.start();
    const [after] = await startLogServers(1, { url: redis.url, settleMs: 0 });
    assert(after !== undefined);
    await after.write('next');
    await verdictOf([after]);
    assert(after.sink.position.index > 2 ** 20, `${after.sink.position.index}`);
    assert.deepEqual(after.sink.ids, ['s1-0', 'next']);
  });

  for (const commit of ['redis', 'quorum']) {
    for (const isRestarted of [false, true]) {
      const how = isRestarted ? 'has lost its files' : 'was emptied';
      it(`goes on where it ${how} while no server lived, whose disks alone know of it (${commit})`, async () => {
        const folder = mkdtempSync(join(tmpdir(), 'ballots-'));
        try {
          const redis = await startRedis();
          const url = `${redis.url}?commit=${commit}`;
          const options = { url, settleMs: 0, servers: 1, ballots: new BallotFile(folder) };
          const [before] = await startLogServers(1, options);
          assert.equal(await before?.write(), 'acked');
          await before?.stop();
          await redis.admin.flushall();
          if (isRestarted) {
            await redis.kill();
            await redis.start();
          }
          const [after] = await startLogServers(1, options);
          assert.equal(await after?.write('next'), 'acked');
          assert((after?.sink.position.index ?? 0) > 2 ** 20);
          assert.deepEqual(after?.sink.ids, ['next']);
        } finally {
          rmSync(folder, { recursive: true });
        }
      });
    }
  }
});
