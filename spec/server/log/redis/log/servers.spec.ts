import assert from 'node:assert/strict';
import { LogServer, startLogServers } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { TcpProxy } from '../../../../support/servers/tcp-proxy.ts';
import { until } from '../../../../support/until.ts';

describe('RedisLog.servers', () => {
  it('says of each server how far it is, and for how long one that hangs has said nothing', async () => {
    const redis = await startRedis();
    const [server] = await startLogServers(1, { url: redis.url, settleMs: 0 });
    assert(server !== undefined);
    const proxy = await TcpProxy.start(redis.address);
    const other = await LogServer.start({ url: proxy.url, name: 'other', settleMs: 0 });
    const heard = () => server.log.servers().seen.find(({ server: name }) => name === 'other');
    await until(() => heard() !== undefined);
    proxy.frozen = true;
    const { index } = other.sink.position;
    for (let i = 0; i < 20; i++) assert.equal(await server.write(), 'acked');
    await until(() => (heard()?.behind ?? 0) >= 20 - 1);
    await until(() => (heard()?.silentMs ?? 0) > 100);
    assert.equal(heard()?.applied, index);
    const own = server.log.servers().seen.find(({ server: name }) => name === server.name);
    assert.equal(own?.silentMs, 0);
    proxy.frozen = false;
    await until(() => heard()?.behind === 0 && heard()?.silentMs === 0);
    await until(() => heard()?.applied === server.sink.position.index);
  });

  it('needs one of them to acknowledge a write, or a majority', async () => {
    const redis = await startRedis();
    const [plain] = await startLogServers(1, { url: redis.url, settleMs: 0 });
    assert.equal(plain?.log.servers().needed, 1);
    const url = `${redis.url}?commit=quorum`;
    const [voting] = await startLogServers(3, { url, servers: 3, datacenter: 'dc2' });
    assert.equal(voting?.log.servers().needed, 2);
  });
});
