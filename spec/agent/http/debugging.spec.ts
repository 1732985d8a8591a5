import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import supertest from 'supertest';
import type { LogTap } from '../../../agent/http/context.ts';
import { LogStreams } from '../../../agent/http/log-streams.ts';
import { letGoOfStalled } from '../../../lib/http/delivery.ts';
import { tapLog } from '../../../lib/log-tap.ts';
import { createLogger } from '../../../lib/logger.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';

describe('GET /v1/agent/host', () => {
  it('shows the machine under the names that Consul has', async () => {
    const { app } = await startAgent();
    const { body } = await supertest(app).get('/v1/agent/host').expect(200);
    assert.deepEqual(Object.keys(body), [
      'Memory',
      'CPU',
      'Host',
      'Disk',
      'CollectionTime',
      'Errors',
    ]);
    assert(body.Memory.total >= body.Memory.available && body.Memory.available > 0);
    assert.equal(body.Memory.used, body.Memory.total - body.Memory.available);
    assert(body.CPU.length > 0);
    assert(body.Host.hostname !== '');
    assert.equal(body.Disk.path, process.cwd());
    assert(body.Disk.total > 0 && body.Disk.usedPercent <= 100);
  });
});

describe('GET /v1/agent/version', () => {
  it('says which Consul this is like', async () => {
    const { app } = await startAgent();
    const { body } = await supertest(app).get('/v1/agent/version').expect(200);
    assert.equal(body.HumanVersion, '1.8.7');
  });
});

/** A log that a spec writes, and who listens to it. */
function fakeTap() {
  const listeners = new Set<(line: string) => void>();
  const tap: LogTap = (_, listen) => {
    listeners.add(listen);
    return () => listeners.delete(listen);
  };
  const say = (line: string) => {
    for (const listen of listeners) listen(line);
  };
  return { tap, say, listeners };
}

const wanted = { level: 'info', json: false };

describe('those who follow the log', () => {
  const open = (streams: LogStreams, mayGoOn = async () => true) => {
    const client = new AbortController();
    const lines = streams.open({ wanted, signal: client.signal, mayGoOn });
    return { client, lines: lines[Symbol.asyncIterator]() };
  };

  it('are told how many lines were dropped that they did not take in time', async () => {
    const { tap, say } = fakeTap();
    const { lines, client } = open(new LogStreams(tap, new FakeClock()));
    for (let i = 0; i < 600; i++) say(`line ${i}`);
    for (let i = 0; i < 512; i++) assert.equal((await lines.next()).value, `line ${i}\n`);
    const gap = 'Monitor dropped 88 logs during monitor request\n';
    assert.equal((await lines.next()).value, gap);
    say('and on');
    assert.equal((await lines.next()).value, 'and on\n');
    client.abort();
    assert.equal((await lines.next()).done, true);
  });

  it('are told so in JSON where every line is: whoever reads them parses each', async () => {
    const { tap, say } = fakeTap();
    const { signal } = new AbortController();
    const streams = new LogStreams(tap, new FakeClock());
    const json = { ...wanted, json: true };
    const all = streams.open({ wanted: json, signal, mayGoOn: async () => true });
    const lines = all[Symbol.asyncIterator]();
    for (let i = 0; i < 513; i++) say('{}');
    for (let i = 0; i < 512; i++) await lines.next();
    const gap = JSON.parse((await lines.next()).value);
    assert.equal(gap['@message'], 'Monitor dropped 1 logs during monitor request');
    assert.equal(gap['@level'], 'warn');
  });

  it('are sixteen at most, and each that goes makes room', async () => {
    const { tap, listeners } = fakeTap();
    const streams = new LogStreams(tap, new FakeClock());
    const all = Array.from({ length: 16 }, () => open(streams));
    assert.throws(() => open(streams), { code: 'busy' });
    all[0]?.client.abort();
    assert.equal(listeners.size, 15);
    open(streams);
    assert.equal(listeners.size, 16);
  });

  it('hear no more once they may not', async () => {
    const { tap, say, listeners } = fakeTap();
    let may = true;
    const { lines } = open(new LogStreams(tap, new FakeClock()), async () => may);
    say('one');
    assert.equal((await lines.next()).value, 'one\n');
    may = false;
    say('two');
    assert.equal((await lines.next()).done, true);
    assert.equal(listeners.size, 0);
  });

  it('lose their place once they may not, also where nothing is logged', async () => {
    const { tap, listeners } = fakeTap();
    const clock = new FakeClock();
    let may = true;
    const { lines } = open(new LogStreams(tap, clock), async () => may);
    const next = lines.next();
    await clock.advance(20_000);
    assert.equal(listeners.size, 1);
    may = false;
    await clock.advance(10_000);
    assert.equal((await next).done, true);
    assert.equal(listeners.size, 0);
    assert.equal(clock.armed, 0);
  });

  it('get JSON as Consul writes it where they want it, whatever the log itself is', async () => {
    const logger = createLogger({ level: 'err', json: false });
    const { app } = await startAgent('', {
      process: { logTap: (as, listen) => tapLog(logger, as, listen) },
    });
    const { host } = await serveHttp(app);
    const client = new AbortController();
    const { signal } = client;
    const url = `http://${host}/v1/agent/monitor?loglevel=debug&logjson=true`;
    const reader = (await fetch(url, { signal })).body?.getReader() ?? assert.fail();
    logger.debug('agent: something: happened');
    const { value } = await reader.read();
    const { '@timestamp': at, ...line } = JSON.parse(Buffer.from(value ?? []).toString());
    assert.match(at, /^\d{4}-/);
    assert.deepEqual(line, {
      '@level': 'debug',
      '@message': 'something: happened',
      '@module': 'agent',
    });
    client.abort();
    await reader.closed.catch(() => undefined);
    logger.close();
  });
});

describe('a client that takes nothing of a stream', () => {
  for (const [waits, gone] of [
    [true, 1],
    [false, 0],
  ] as const) {
    it(`is ${waits ? '' : 'not '}let go, where something ${waits ? 'waits' : 'does not wait'}`, () => {
      const socket = new EventEmitter();
      let destroyed = 0;
      const response = {
        writableNeedDrain: waits,
        setTimeout: (_: number, then: () => void) => socket.on('timeout', then),
        destroy: () => destroyed++,
      };
      letGoOfStalled(response as unknown as Parameters<typeof letGoOfStalled>[0]);
      socket.emit('timeout');
      assert.equal(destroyed, gone);
    });
  }
});
