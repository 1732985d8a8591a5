import assert from 'node:assert/strict';
import { startBackend } from '../../support/servers/backends.ts';
import { commandLineOf, runWords } from '../../support/servers/command-line.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { whoAnswers } from '../../support/servers/sidecars.ts';
import { send, startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

describe('proconsul connect proxy', () => {
  it('carries connections to an instance until it is told to end, and tells of each', async () => {
    const { port, put } = await startServer();
    const backend = await startBackend('a');
    await put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: backend.port },
    });
    const [own = 0, admin = 0] = await freePorts(2);
    const ending = new AbortController();
    const running = commandLineOf(port)(
      `connect proxy -upstream=web:${own} -admin=127.0.0.1:${admin} -access-log -log-level=err -policy=web=maglev -slow-start=30s -panic-threshold=web=50 -near=web=2ms`,
      { signal: ending.signal },
    );
    const ready = () =>
      send(admin, 'GET', '/ready', {}).then(
        (each) => each.status,
        () => 0,
      );
    await until(async () => (await ready()) === 200);
    assert.equal(await whoAnswers(own), 'a');
    ending.abort();
    const { code, out, err } = await running;
    assert.deepEqual([code, err], [0, '']);
    assert.match(
      out,
      /^\{"time":"[^"]+","upstream":"web","from":"127.0.0.1:\d+","ms":\d+,"tries":1,/,
    );
  });

  it('says of a port that is taken that it is', async () => {
    const { port } = await startServer();
    const { code, err } = await commandLineOf(port)(
      `connect proxy -upstream=web:${port} -log-level=err`,
    );
    assert.equal(code, 1);
    assert.match(err, /^cannot listen on 127\.0\.0\.1:\d+: listen EADDRINUSE/);
  });

  for (const [words, complaint] of [
    ['', /^At least one -upstream must be given\n/],
    ['-service=a -proxy-id=b', /^Only one of -proxy-id, -service may be given\n/],
    ['-upstream=web:1 more', /^Should have no non-flag arguments\.\n/],
    ['-upstream=web', /^invalid value "web" for flag -upstream: it is not SERVICE:PORT\n$/],
    ['-upstream=web:x', /^invalid value "x" for flag -upstream: dial tcp: address x: missing port/],
    ['-upstream=web:99999', /invalid port\n$/],
    ['-upstream=web:1 -policy=best', /^unknown policy "best": there are round-robin/],
    ['-upstream=web:1 -policy=web=', /^unknown policy ""/],
    ['-upstream=web:1 -tries=0', /^invalid value "0" for flag -tries: it must be 1 to 1000000\n$/],
    [
      '-upstream=web:1 -drain-time=soon',
      /^invalid value "soon" for flag -drain-time: time: invalid/,
    ],
    ['-upstream=web:1 -drain-time=25h', /it must be 0 to 24h\n$/],
    [
      '-upstream=web:1 -slow-start=web=soon',
      /^invalid value "web=soon" for flag -slow-start: time: invalid duration "soon"\n$/,
    ],
    [
      '-upstream=web:1 -panic-threshold=101',
      /^invalid value "101" for flag -panic-threshold: it must be 0 to 100\n$/,
    ],
    [
      '-upstream=web:1 -policy=wbe=maglev',
      /^invalid value "wbe=maglev" for flag -policy: no upstream is called "wbe"\n$/,
    ],
    [
      '-service=api -upstream=web:1 -near=wbe=1ms',
      /^invalid value "wbe=1ms" for flag -near: no upstream is called "wbe"\n$/,
    ],
    ['-upstream=web:1 -near=0s', /^invalid value "0s" for flag -near: it must be 0.1ms to 24h\n$/],
    ['-upstream=web:1 -log-level=loud', /^Invalid log level: loud\n$/],
    ['-upstream=web:1 -http-addr=ftp://x', /Unknown protocol scheme: ftp\n$/],
  ] as const) {
    it(`refuses "${words}"`, async () => {
      const { code, err } = await runWords(`connect proxy ${words}`.trim().split(' '));
      assert.equal(code, 1);
      assert.match(err, complaint);
    });
  }
});
