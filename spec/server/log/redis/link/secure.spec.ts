import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RedisReach } from '../../../../../cli/process/redis-options.ts';
import { takeOverTls } from '../../../../../cli/process/tls-role.ts';
import type { Config, RedisConfig } from '../../../../../lib/config/config.ts';
import { loadConfig } from '../../../../../lib/config/load.ts';
import { Identities } from '../../../../../lib/tls/identities.ts';
import { TestAuthority, tlsSettings } from '../../../../support/certificates.ts';
import { failOver } from '../../../../support/experiments/redis-scenarios.ts';
import { fakeConfigHost } from '../../../../support/fakes/fake-config-host.ts';
import { LogServer } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { until } from '../../../../support/until.ts';

describe('RedisLog over a Redis that speaks TLS alone', function () {
  this.timeout(60_000);

  let authority: TestAuthority;
  let stranger: TestAuthority;
  beforeEach(async () => {
    authority = await TestAuthority.create();
    stranger = await TestAuthority.create();
  });

  /** As a file of configuration says it. */
  function configOf(url: string, tls: Readonly<Record<string, string>>) {
    const text = JSON.stringify({ data_dir: '/d', server: true, redis: { url, tls } });
    const host = fakeConfigHost({ files: { '/c.json': text } });
    const { config } = loadConfig({ argv: ['-config-file=/c.json', '-bind=127.0.0.1'], host });
    return config as Config & { readonly redis: RedisConfig };
  }

  const keysOf = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
    ca_file: authority.caFile,
    cert_file: certFile,
    key_file: keyFile,
  });

  const reach = (url: string, tls: Readonly<Record<string, string>>) =>
    new RedisReach(configOf(url, tls).redis);

  for (const kind of ['killed', 'planned'] as const) {
    it(`loses no acknowledged write when Sentinel replaces the master (${kind})`, async () => {
      const files = { caFile: authority.caFile, ...(await authority.files()) };
      const own = keysOf(await authority.files({ names: ['proconsul'], usages: ['client'] }));
      const { lost, duplicates, reported, acked } = await failOver(kind, 500, 'redis', {
        files,
        reach: (url) => reach(url, own).options,
      });
      assert(acked > 0);
      assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
    });
  }

  it('gets in with the certificate of its authority alone, and with a new one after a reload', async () => {
    const files = { caFile: authority.caFile, ...(await authority.files()) };
    const redis = await startRedis({ tls: files });
    const own = await stranger.files({ usages: ['client'] });
    const access = reach(redis.url, keysOf(own));
    const options = { url: redis.url, redis: access.options, name: 'a', settleMs: 0 };
    const server = LogServer.begin(options);
    assert.notEqual(await server.write(), 'acked');

    await authority.files({ usages: ['client'] }, own);
    const identities = new Identities({
      config: tlsSettings({}),
      warn: () => undefined,
      now: Date.now,
    });
    takeOverTls({ identities, redis: access }, configOf(redis.url, keysOf(own)));
    await until(async () => (await server.write()) === 'acked');
  });

  it('keeps what it has where a reload brings no pair', async () => {
    const own = await authority.files();
    const access = reach('rediss://127.0.0.1:1', keysOf(own));
    const before = access.options.tls;
    writeFileSync(own.keyFile, 'torn');
    const identities = new Identities({
      config: tlsSettings({}),
      warn: () => undefined,
      now: Date.now,
    });
    const held = identities.servers;
    const now = configOf('rediss://127.0.0.1:1', keysOf(own));
    assert.throws(
      () => takeOverTls({ identities, redis: access }, now),
      /redis\.tls: Failed to load/,
    );
    assert.equal(access.options.tls, before);
    assert.equal(identities.servers, held);
  });

  it('says of a file that is of no use which one it is', () => {
    const nowhere = join(authority.folder, 'nowhere.pem');
    for (const [tls, why] of [
      [{ ca_file: nowhere }, /^redis\.tls: Error loading from .*nowhere\.pem: .* no such file/],
      [{ cert_file: authority.caFile }, /^redis\.tls: cert_file and key_file go together$/],
    ] as const) {
      assert.throws(() => reach('rediss://127.0.0.1:1', tls), { code: 'invalid', message: why });
    }
  });
});
