import assert from 'node:assert/strict';
import { describeRedis, parseRedisUrl } from '../../../../../server/log/redis/link/options.ts';

describe('parseRedisUrl', () => {
  it('reads a single Redis', () => {
    assert.deepEqual(parseRedisUrl('redis://localhost'), {
      kind: 'single',
      addresses: [{ host: 'localhost', port: 6379 }],
      masterName: '',
      db: 0,
      commit: 'redis',
    });
    const full = parseRedisUrl('rediss://u%40x:p%3Aw@[::1]:7000/3?servername=cache&commit=quorum');
    assert.deepEqual(full, {
      kind: 'single',
      addresses: [{ host: '::1', port: 7000 }],
      masterName: '',
      username: 'u@x',
      password: 'p:w',
      db: 3,
      tls: { servername: 'cache' },
      commit: 'quorum',
    });
  });

  it('reads sentinels and the name of their master', () => {
    const url = 'redis+sentinel://:secret@s1,s2:26380/main?db=2&sentinelPassword=other';
    assert.deepEqual(parseRedisUrl(url), {
      kind: 'sentinel',
      addresses: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
      masterName: 'main',
      password: 'secret',
      sentinelPassword: 'other',
      db: 2,
      commit: 'redis',
    });
    assert.equal(parseRedisUrl('redis+sentinel://s1').masterName, 'mymaster');
  });

  it('reads the nodes of a cluster', () => {
    const { kind, addresses, tls } = parseRedisUrl('rediss+cluster://a:7000,b');
    assert.deepEqual(
      { kind, ports: addresses.map(({ port }) => port), tls },
      {
        kind: 'cluster',
        ports: [7000, 6379],
        tls: {},
      },
    );
  });

  const WRONG = [
    '',
    'http://user:secret@host',
    'redis://',
    'redis://user:secret@host:0',
    'redis://user:secret@host:70000',
    'redis://user:secret@ho st:x',
    'redis://user:secret%@host',
    'redis://user:secret@host/one',
    'redis://user:secret@host?commit=secret',
    '__proto__://user:secret@host',
  ];
  for (const url of WRONG) {
    it(`refuses ${JSON.stringify(url)}, and does not repeat the password`, () => {
      assert.throws(
        () => parseRedisUrl(url),
        (error: Error & { code?: string }) =>
          error.code === 'invalid' && !error.message.includes('secret'),
      );
    });
  }

  it('is described without user and password', () => {
    const options = parseRedisUrl('redis+sentinel://user:secret@s1,s2:1/main');
    assert.equal(describeRedis(options), 'main of the sentinels s1:26379,s2:1');
  });
});
