import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, openPage } from '../support/browser.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { type RedisProcess, startRedis } from '../support/servers/redis.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

/** A Redis is taken for lost, a server for dead. */
const LONG_MS = 60_000;

const serverOn = ({ url }: RedisProcess, ...args: readonly string[]) =>
  startProconsul(['-dev', `-redis=${url}`, ...args]);
const openAt = (port: number, query = '') =>
  openPage(`http://127.0.0.1:${port}/ui/dc1/cluster${query}`);
const addressOf = ({ address }: RedisProcess) => `${address.host}:${address.port}`;

describePage('the page of a cluster upon a Redis', () => {
  const finds = (page: Page) =>
    page.getByRole('table', { name: 'What became of Redis' }).getByRole('row');

  it('says how it stands, and what is lost with it', async () => {
    const redis = await startRedis({ args: ['--maxmemory', '100000000'] });
    const { host, port } = redis.address;
    const replica = await startRedis({ args: ['--replicaof', `${host} ${port}`] });
    await until(async () => (await replica.admin.info('replication')).includes('link_status:up'));
    const page = await openAt((await serverOn(redis)).port);
    const version = /redis_version:(\S+)/.exec(await redis.admin.info('server'))?.[1] ?? '';
    const said = [
      ...['in Redis, by all servers', 'once Redis has it', 'appendonly, written well'],
      ...['1, of which a write needs 1', addressOf(replica), version],
      // A replica says once a second how far it is, and something is written as often.
      /in step|lacks/,
    ];
    for (const text of said) await page.getByText(text).first().waitFor();
    await page.getByText(/^[\d.]+ MB of 100 MB$/).waitFor();
    assert.deepEqual(await barriersOn(page), []);
    await replica.kill();
    await page.getByText('none: if its machine is lost').waitFor();
    await rm(redis.dir, { recursive: true });
    await redis.admin.bgsave();
    await page.getByText('its last write to the disk failed').waitFor();
  });

  it('says when which one was found, and what that came to', async () => {
    const redis = await startRedis();
    const server = await serverOn(redis);
    const page = await openAt(server.port);
    await finds(page)
      .filter({ hasText: 'found at the start' })
      .getByText(addressOf(redis))
      .waitFor();
    await send(server.port, 'PUT', '/v1/kv/a', { body: 'x' });
    await redis.admin.flushall();
    const repaired = finds(page).filter({ hasText: 'repaired, nothing lost' });
    await repaired.getByText(/^[\d,]+ entries$/).waitFor({ timeout: LONG_MS });
    await repaired.getByText(/^\d+ → \d+$/).waitFor();
    await redis.kill();
    await page.getByText('is looked for').waitFor({ timeout: LONG_MS });
    await page.getByText('Nothing is known of the servers now').waitFor({ timeout: LONG_MS });
    await redis.start();
    await page.getByText('is looked for').waitFor({ state: 'detached', timeout: LONG_MS });
    // Its head, the start, the repair, and this one.
    await until(
      async () => (await finds(page).count()) === 4,
      async () => await finds(page).allInnerTexts(),
    );
    await page.getByText('Takes writes').waitFor();
  });

  it('draws what part of the names each server has, and asks again where one has come', async () => {
    const redis = await startRedis();
    const first = await serverOn(redis);
    const page = await openAt(first.port, '?name=web');
    await page.getByRole('img', { name: 'n1 100 %' }).waitFor();
    await page.getByText('n1 is asked first').waitFor();
    const second = await serverOn(redis, '-node=n2');
    await page.getByRole('row').filter({ hasText: 'n2' }).getByText('well').waitFor();
    await page.getByRole('img', { name: /n1 [\d.]+ %, n2 [\d.]+ %/ }).waitFor({ timeout: LONG_MS });
    await page.getByText(/n[12] is asked first, then n[12]/).waitFor();
    assert.deepEqual(await barriersOn(page), []);
    await second.kill();
    await page
      .getByRole('row')
      .filter({ hasText: 'n2' })
      .getByText('gone')
      .waitFor({ timeout: LONG_MS });
  });
});
