import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handlerOf } from '../../../agent/watches/handlers.ts';
import { Watches } from '../../../agent/watches/watches.ts';
import type { HttpHandler } from '../../../lib/config/keys/watches.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { send } from '../../support/servers/start-server.ts';
import { startWholeAgent, type WholeAgent } from '../../support/servers/whole-agent.ts';
import { until } from '../../support/until.ts';

interface Told {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function sink(status = 200, answer = '') {
  const told: Told[] = [];
  const { port } = await serveHttp((message, response) => {
    const parts: Buffer[] = [];
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => {
      const { method = '', url = '', headers } = message;
      told.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      response.writeHead(status).end(answer);
    });
  });
  return { told, url: `http://127.0.0.1:${port}` };
}

describe('watches of an agent', () => {
  let folder = '';
  let agent: WholeAgent | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'proconsul-watches-'));
  });
  afterEach(async () => {
    await agent?.stop();
    agent = undefined;
    rmSync(folder, { recursive: true, maxRetries: 5 });
  });

  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return '';
    }
  };
  const write = (watches: readonly object[]) =>
    writeFileSync(join(folder, 'watches.json'), JSON.stringify({ watches }));
  const program = (file: string) => [
    'sh',
    '-c',
    `printf '%s ' "$CONSUL_INDEX" >>${folder}/${file}; cat >>${folder}/${file}`,
  ];
  const start = async () => {
    agent = await startWholeAgent([`-config-file=${folder}/watches.json`]);
    const { port } = agent;
    const put = (path: string, body?: string | object) =>
      send(port, 'PUT', path, body === undefined ? {} : { body });
    return { put };
  };

  it('run programs of every type with what there is, and at each change', async () => {
    write([
      { type: 'key', key: 'a', args: program('key') },
      { type: 'keyprefix', prefix: 'p/', args: program('keyprefix') },
      { type: 'services', args: program('services') },
      { type: 'nodes', args: program('nodes') },
      { type: 'service', service: 'web', tag: 'x', passingonly: true, args: program('service') },
      { type: 'checks', args: program('checks') },
      { type: 'event', name: 'deploy', handler: `cat >>${folder}/event` },
    ]);
    const { put } = await start();
    await until(() => ['key', 'keyprefix', 'event'].every((name) => read(name) !== ''));
    assert.match(read('key'), /^\d+ null\n$/);
    assert.equal(read('event'), '[]\n');
    await put('/v1/kv/a', 'one');
    await put('/v1/kv/p/x', '1');
    await put('/v1/agent/service/register', { Name: 'web', Tags: ['x'] });
    await put('/v1/event/fire/deploy', 'now');
    await put('/v1/event/fire/other', 'now');
    await until(() => /^\d+ null\n\d+ \{"LockIndex":0,"Key":"a",.*"b25l".*\}\n$/.test(read('key')));
    await until(() => read('keyprefix').includes('"p/x"'));
    await until(() => read('services').includes('"web":["x"]'));
    await until(() => read('service').includes('"Service":"web"'));
    await until(() => read('checks').includes('serfHealth'));
    await until(() => read('nodes').includes('"Node":"n1"'));
    await until(() => /^\[\]\n\[\{"ID":.*"Name":"deploy".*\}\]\n$/.test(read('event')));
  });

  it('send requests, each with the index and the headers that were asked for', async () => {
    const { told, url } = await sink();
    const handler = { path: `${url}/hook?x=1`, method: 'PUT', header: { 'X-Foo': ['a', 'b'] } };
    write([{ type: 'key', key: 'a', handler_type: 'http', http_handler_config: handler }]);
    const { put } = await start();
    await put('/v1/kv/a', 'one');
    await until(() => told.some(({ body }) => body.includes('b25l')));
    const [first] = told;
    assert.deepEqual([first?.method, first?.url, first?.body], ['PUT', '/hook?x=1', 'null\n']);
    assert.equal(first?.headers['x-foo'], 'a, b');
    assert.equal(first?.headers['content-type'], 'application/json');
    assert.match(String(first?.headers['x-consul-index']), /^\d+$/);
  });

  it('are what the files say after a reload, all begun anew', async () => {
    write([{ type: 'key', key: 'a', args: program('old') }]);
    const { put } = await start();
    await until(() => read('old') !== '');
    write([{ type: 'key', key: 'a', args: program('new') }]);
    assert.equal((await put('/v1/agent/reload')).status, 200);
    await until(() => read('new') !== '');
    await put('/v1/kv/a', 'one');
    await until(() => read('new').includes('b25l'));
    assert.ok(!read('old').includes('b25l'));
    write([{ type: 'key', args: program('bad') }]);
    const refused = await put('/v1/agent/reload');
    assert.notEqual(refused.status, 200);
    await put('/v1/kv/a', 'two');
    await until(() => read('new').includes('dHdv'));
  });
});

describe('many watches', () => {
  it('end together, and Node takes them for no leak: it would say so past the logger', async () => {
    let asked = 0;
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const ask = (_: unknown, signal: AbortSignal) => {
      signal.addEventListener('abort', () => asked--, { once: true });
      asked++;
      return new Promise<never>(() => undefined);
    };
    const system = { clock: new FakeClock(), logger: new RecordingLogger() };
    const watches = new Watches({ ask, env: {}, system });
    const handler = { kind: 'program', words: ['true'], shell: false } as const;
    const key = { type: 'key', params: { key: ['a'] }, stale: false, datacenter: '', token: '' };
    watches.takeOver({ watches: new Array(12).fill({ ...key, handler }) });
    assert.equal(asked, 12);
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.deepEqual(warnings, []);
    watches.stop();
    assert.equal(asked, 0);
  });
});

describe('a handler of a watch', () => {
  const around = () => {
    const logger = new RecordingLogger();
    const { signal } = new AbortController();
    const clock = new FakeClock();
    return { logger, clock, around: { env: {}, system: { clock, logger }, signal } };
  };
  const http = (url: string): HttpHandler => ({
    kind: 'http',
    url,
    method: 'POST',
    headers: {},
    timeoutMs: 5000,
    skipVerify: false,
  });

  it('that fails is told of with the end of what it said, and is called again', async () => {
    const { logger, around: given } = around();
    const words = [
      '/bin/sh',
      '-c',
      'i=0; while [ $i -lt 2000 ]; do echo line; i=$((i+1)); done; exit 3',
    ];
    const handle = handlerOf({ kind: 'program', words, shell: false }, given);
    await handle('x', '1');
    const [line = ''] = logger.lines;
    assert.match(line, /^error watch: a handler failed/);
    assert.match(line, /exit status 3/);
    assert.match(line, /Captured 4096 of 10000 bytes/);
  });

  it('that is not there, or cannot be started, is told of', async () => {
    const { logger, around: given } = around();
    for (const word of ['/nowhere/at/all', 'a\0b', '']) {
      await handlerOf({ kind: 'program', words: [word], shell: false }, given)('x', '1');
    }
    assert.equal(logger.lines.length, 3);
    for (const line of logger.lines) assert.match(line, /^error watch: a handler failed/);
  });

  it('that reads nothing of a long input is no failure', async () => {
    const { logger, around: given } = around();
    const handle = handlerOf({ kind: 'program', words: ['/bin/true'], shell: false }, given);
    await handle('x'.repeat(5_000_000), '1');
    assert.deepEqual(logger.lines, []);
  });

  it('that is refused, redirected or not reached is told of without the secrets of its URL', async () => {
    const { logger, around: given } = around();
    const refusing = await sink(500, 'no'.repeat(9000));
    await handlerOf(http(`${refusing.url}/a?token=secret`), given)('x', '1');
    const moving = await sink(307, 'elsewhere');
    await handlerOf(http(`${moving.url}/b?token=secret`), given)('x', '1');
    await handlerOf(http('http://user:secret@127.0.0.1:1/c'), given)('x', '1');
    const [refused = '', moved = '', gone = ''] = logger.lines;
    assert.match(refused, /an HTTP handler refused.*500 Internal Server Error/);
    assert.ok(refused.length < 5000);
    assert.match(moved, /redirects are not followed/);
    assert.match(gone, /connection refused/);
    assert.ok(!logger.lines.join().includes('secret'));
  });

  it('that does not answer is given up after its time', async () => {
    const { logger, clock, around: given } = around();
    const { port } = await serveHttp(() => undefined);
    const handled = handlerOf(http(`http://127.0.0.1:${port}/`), given)('x', '1');
    await clock.untilArmed();
    await clock.advance(5000);
    await handled;
    assert.match(logger.lines.join(), /cannot be told.*no answer within 5s/);
    assert.equal(clock.armed, 0);
  });
});
