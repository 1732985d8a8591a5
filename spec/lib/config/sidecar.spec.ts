import assert from 'node:assert/strict';
import { TUNINGS } from '../../../lib/balance/tunings.ts';
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

  it('has a key for each flag that says how instances are balanced over', () => {
    const others: Readonly<Record<string, string>> = {
      ...{ subset: '"a:b"', hash_by: '"source"', hedge_methods: '"PUT,DELETE"' },
    };
    const isTime = (key: string) => /time|start|interval|near|least/.test(key);
    const valueAt = (key: string) => others[key] ?? (isTime(key) ? '"2s"' : 100);
    const names = [...TUNINGS.keys()];
    const keys = names.map((name) => name.replaceAll('-', '_'));
    const lines = keys.map((key) => `${key} = ${valueAt(key)}`);
    const [{ words } = { words: [] }] = load(`sidecar { for = "a" ${lines.join(' ')} }`);
    assert.deepEqual(
      words.map((word) => word.slice(1).split('=')[0]).sort(),
      ['sidecar-for', ...names].sort(),
    );
    assert.deepEqual(
      load('sidecar { for = "a" slow_start = ["30s", "web=1m"] panic_threshold = 50 }')[0]?.words,
      ['-sidecar-for=a', '-panic-threshold=50', '-slow-start=30s', '-slow-start=web=1m'],
    );
  });

  for (const [said, why] of [
    ['for = "a" slow_start = "soon"', /slow_start = "soon": time: invalid duration "soon"/],
    ['for = "a" panic_threshold = 101', /panic_threshold = "101": it must be 0 to 100/],
    ['for = "a" subset = ["web=x"]', /subset = "web=x": it is not NAME:VALUE/],
    ['for = "a" max_retries = true', /max_retries must be a text, a number or a list of such/],
    ['', /sidecar\[0\]: one of for, proxy_id and upstreams must say what it is for/],
    ['for = "a" upstreams = ["b:1"]', /one of for, proxy_id and upstreams/],
    ['upstreams = ["b"]', /"b" is not SERVICE:PORT/],
    ['for = "a" policy = "best"', /unknown policy "best"/],
    [
      'upstreams = ["web:1"] policy = "wbe=maglev"',
      /policy = "wbe=maglev": no upstream is called "wbe"/,
    ],
    ['upstreams = ["web:1"] max_retries = ["web=1", "db=1"]', /no upstream is called "db"/],
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
