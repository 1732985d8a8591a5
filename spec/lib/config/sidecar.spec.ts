import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

function load(text: string, more: readonly string[] = [], name = '/c.hcl') {
  const host = fakeConfigHost({ files: { [name]: text } });
  const argv = ['-dev', '-bind=127.0.0.1', `-config-file=${name}`, ...more];
  return loadConfig({ argv, host, redisUrl: undefined }).config.sidecars;
}

describe('sidecar in the configuration', () => {
  it('comes to the flags of `connect proxy`, block by block', () => {
    const all = load(`
      sidecar { for = "web-1" token = "secret" access_log = true }
      sidecar {
        upstreams       = ["web:9000", "db:127.0.0.1:9001"]
        policy          = "db=ring-hash"
        protocol        = ["http"]
        connect_timeout = "2s"
        tries           = 2
      }`);
    assert.deepEqual(all, [
      { words: ['-sidecar-for=web-1', '-access-log'], token: 'secret' },
      {
        words: [
          ...['-upstream=web:9000', '-upstream=db:127.0.0.1:9001', '-policy=db=ring-hash'],
          ...['-protocol=http', '-connect-timeout=2s', '-tries=2'],
        ],
        token: '',
      },
    ]);
  });

  for (const [said, why] of [
    ['', /sidecar\[0\]: one of for, proxy_id and upstreams must say what it is for/],
    ['for = "a" upstreams = ["b:1"]', /one of for, proxy_id and upstreams/],
    ['upstreams = ["b"]', /"b" is not SERVICE:PORT/],
    ['for = "a" policy = "best"', /unknown policy "best"/],
    ['for = "a" protocol = "ftp"', /"ftp" is not a protocol/],
    ['for = "a" drain_time = "soon"', /invalid duration "soon"/],
    ['for = "a" tries = 0', /Expecting tries to be a whole number above 0/],
    ['for = 1', /Expecting for to be a string/],
    ['for = "a" retries = 1', /there is no key retries/],
  ] as const) {
    it(`refuses { ${said} }`, () => {
      assert.throws(() => load(`sidecar { ${said} }`), why);
    });
  }

  it('is refused where nobody could be asked', () => {
    assert.throws(
      () => load('sidecar { for = "a" }', ['-http-port=-1']),
      /sidecar: it asks its agent/,
    );
  });
});
