import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { Chunks } from '../../../agent/exec/chunks.ts';
import { placeIn } from '../../../agent/exec/job-keys.ts';
import { RemoteExec } from '../../../agent/exec/remote-exec.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { until } from '../../support/until.ts';

const SESSION = '11111111-2222-3333-4444-555555555555';
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const event = (id: string, payload: unknown = { Prefix: '_rexec', Session: SESSION }) => ({
  ID: id,
  Payload: base64(payload),
});

/** What a server holds, and the agent that asks it. */
function setUp(job: object | undefined, refuses: (path: string) => boolean = () => false) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const written: [string, string][] = [];
  let events: object[] = [event('before')];
  let index = 1;
  let wake: (value?: undefined) => void = () => undefined;
  const fire = (...more: object[]) => {
    events = [...events, ...more];
    index++;
    wake();
  };
  const exec = new RemoteExec({
    ask: async ({ method, path, query, body }, signal) => {
      if (path === '/v1/event/list') {
        const waits = query.some(([name, value]) => name === 'index' && value === String(index));
        if (waits) {
          await new Promise<void>((resolve, reject) => {
            wake = resolve;
            signal.addEventListener('abort', () => reject(gone()), { once: true });
          });
        }
        return { status: 200, index: String(index), json: events };
      }
      if (method === 'PUT') {
        if (refuses(path)) return { status: 200, index: '1', json: false };
        written.push([path.replace(`/v1/kv/_rexec/${SESSION}/`, ''), String(body)]);
        return { status: 200, index: '1', json: true };
      }
      const pairs = job === undefined ? null : [{ Session: SESSION, Value: base64(job) }];
      return { status: 200, index: '1', json: pairs };
    },
    node: 'n 1',
    env: { PATH: '/usr/bin:/bin' },
    system: { clock, logger },
  });
  exec.takeOver({ disableRemoteExec: false });
  return { exec, clock, logger, written, fire, isWaiting: () => wake.length === 1 };
}

const gone = () => new ProconsulError('unavailable', 'gone');
const codes = (written: readonly [string, string][]) =>
  written.filter(([name]) => name.endsWith('/exit')).map(([, code]) => code);

describe('remote execution on an agent', () => {
  let exec: RemoteExec | undefined;
  afterEach(() => exec?.stop());

  it('runs nothing that was asked for before it listened', async () => {
    const made = setUp({ Command: 'echo hello' });
    exec = made.exec;
    await until(made.isWaiting);
    made.fire(event('new'));
    await until(() => codes(made.written).length > 0);
    assert.deepEqual(made.written, [
      ['n%201/ack', ''],
      ['n%201/out/00000', 'hello\n'],
      ['n%201/exit', '0'],
    ]);
  });

  it('passes over what is no job: payloads, and keys that nobody holds', async () => {
    const made = setUp(undefined);
    exec = made.exec;
    await until(made.isWaiting);
    made.fire({ ID: 'a', Payload: null }, event('b', 7), event('c', { Prefix: 1 }), event('d'));
    await until(() => made.logger.lines.some((line) => /gone already/.test(line)));
    assert.deepEqual(made.written, []);
  });

  it('runs eight at once, and tells who asks for more', async () => {
    const made = setUp({ Args: ['sleep', '600'], Wait: 1e9 });
    exec = made.exec;
    await until(made.isWaiting);
    made.fire(...Array.from({ length: 9 }, (_, at) => event(`job ${at}`)));
    await until(() => codes(made.written).length > 0);
    assert.deepEqual(codes(made.written), ['255']);
    assert.ok(made.written.some(([, text]) => text === 'exec: 8 programs run here already\n'));
  });

  it('ends a program whose client has gone, at its next sign of life', async () => {
    const made = setUp({ Command: 'exec sleep 600', Wait: 1e9 }, (path) => path.includes('/out/'));
    exec = made.exec;
    await until(made.isWaiting);
    made.fire(event('new'));
    await made.clock.untilArmed();
    await made.clock.advance(1000);
    await until(() => codes(made.written).length > 0);
    assert.deepEqual(codes(made.written), ['255']);
  });

  it('ends what says without end', async () => {
    const made = setUp({ Command: 'yes', Wait: 1e9 });
    exec = made.exec;
    await until(made.isWaiting);
    made.fire(event('new'));
    await until(() => codes(made.written).length > 0);
    assert.deepEqual(codes(made.written), ['255']);
    assert.match(made.written.at(-2)?.[1] ?? '', /^exec: ended, as it says more than/);
    const parts = made.written.filter(([name]) => name.includes('/out/')).length;
    assert.ok(parts <= (16 * 1024 * 1024) / (16 * 1024 - 3) + 2, `${parts} parts`);
  });

  it('ends what runs when it is turned off', async () => {
    const made = setUp({ Command: 'sleep 600', Wait: 1e9 });
    exec = made.exec;
    await until(made.isWaiting);
    made.fire(event('new'));
    await until(() => made.logger.lines.some((line) => /runs a program/.test(line)));
    made.exec.takeOver({ disableRemoteExec: true });
    await until(() => made.clock.armed === 0);
  });
});

describe('a place in the payload of an event', () => {
  it('is none where it names no session, or a prefix beyond all bounds', () => {
    const of = (payload: unknown) => placeIn(base64(payload));
    assert.deepEqual(of({ Prefix: 'a/b/', Session: SESSION }), { prefix: 'a/b', session: SESSION });
    assert.equal(of({ Prefix: 'a', Session: '../../secret' }), undefined);
    assert.equal(of({ Prefix: 'a'.repeat(513), Session: SESSION }), undefined);
    assert.equal(of(null), undefined);
    assert.equal(placeIn('%%%'), undefined);
  });
});

describe('what a program says, in parts', () => {
  it('cuts no character in two, and keeps a program waiting that says more', async () => {
    const stream = new PassThrough();
    const chunks = new Chunks(stream, new FakeClock());
    stream.write(`x${'€'.repeat(6000)}`);
    const first = await chunks.next(1000);
    assert.equal(first?.toString().includes('\ufffd'), false);
    assert.ok((first?.length ?? 0) > 16_000);
    stream.end('end');
    const second = await chunks.next(1000);
    assert.equal(`${first}${second}`, `x${'€'.repeat(6000)}end`);
    assert.equal(await chunks.next(1000), undefined);
  });

  it('hands on what it has once nothing followed for a moment, and nothing at all where it was silent', async () => {
    const stream = new PassThrough();
    const clock = new FakeClock();
    const chunks = new Chunks(stream, clock);
    const silent = chunks.next(1000);
    await clock.untilArmed();
    await clock.advance(1000);
    assert.equal((await silent)?.length, 0);
    stream.write('a');
    await until(() => stream.readableLength === 0);
    const some = chunks.next(1000);
    await clock.untilArmed();
    await clock.advance(100);
    assert.equal(String(await some), 'a');
  });
});
