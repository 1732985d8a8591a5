/** What a sync asks of the catalog where one of its servers takes connections and never answers. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { createApiClient } from '../../cli/api-client.ts';
import { catalogBy, turnLock } from '../../cli/k8s-ports.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { startAgentless } from '../support/servers/agentless.ts';
import { type Backend, startBackend } from '../support/servers/backends.ts';
import { until } from '../support/until.ts';

const MS = { beside: 2000, write: 10_000 };
const READ = { method: 'GET', path: '/v1/catalog/nodes' } as const;

const REFUSAL =
  'HTTP/1.1 500 No\r\nContent-Length: 17\r\nConnection: close\r\n\r\nNo cluster leader';

/**
 * One server that answers, one that refuses, and one that does what it is told to with each connection; who is reached is as
 * said, in order.
 */
async function started(
  turns: readonly ('hung' | 'real' | 'broken')[],
  serve: Parameters<typeof hang>[0] = '',
) {
  const [real, hung, broken] = [await startAgentless(), await hang(serve), await hang(REFUSAL)];
  const clock = new FakeClock();
  const [left, dialled] = [[...turns], [] as string[]];
  const dial = () => {
    const next = left.shift() ?? 'real';
    dialled.push(next);
    return connect({ hung, real, broken }[next].port, '127.0.0.1');
  };
  const target = { scheme: 'http', address: 'servers', headers: {}, connect: dial } as const;
  const begun: string[] = [];
  const client = (over: AbortSignal) => {
    const { send, ...others } = createApiClient({ target, query: [], signal: over });
    const sent: typeof send = (request) => {
      const onBegun = () => {
        begun.push(request.path);
        request.onBegun?.();
      };
      return send({ ...request, onBegun });
    };
    return { ...others, send: sent };
  };
  const { signal } = new AbortController();
  const ask = catalogBy(client, clock).ask;
  return { ...real, hung, broken, fake: clock, client, signal, ask, dialled, begun };
}

/** Says so much of an answer, and nothing more. */
function hang(said: string): Promise<Backend> {
  return startBackend('hung', (socket) => {
    socket.resume();
    socket.on('end', () => socket.end());
    if (said !== '') socket.once('data', () => socket.write(said));
  });
}

describe('a server that takes connections and never answers', () => {
  for (const [what, maxBytes] of [
    ['a question', undefined],
    ['one whose answer may be large', 64 * 1024 * 1024],
  ] as const) {
    it(`costs ${what} two seconds`, async () => {
      const { fake, hung, signal, ask, dialled } = await started(['hung']);
      const asked = ask({ ...READ, ...(maxBytes !== undefined && { maxBytes }) }, signal);
      await until(() => hung.sockets.size === 1);
      await fake.advance(MS.beside - 1);
      assert.deepEqual(dialled, ['hung']);
      await fake.advance(1);
      assert.equal((await asked).status, 200);
      assert.deepEqual([dialled, fake.armed], [['hung', 'real'], 0]);
      await until(() => hung.sockets.size === 0);
    });
  }

  it('is asked no more in the middle of its answer, once it has fallen silent', async () => {
    const half = 'HTTP/1.1 200 OK\r\nX-Consul-Index: 1\r\nContent-Length: 100\r\n\r\n["half';
    const { fake, signal, ask, begun } = await started(['hung'], half);
    const asked = ask(READ, signal);
    await until(() => begun.length === 1);
    await fake.advance(2 * MS.beside);
    assert.equal((await asked).text, '[]');
  });

  it('is listened to where the other that was asked only refuses', async () => {
    const { fake, hung, broken, signal, ask } = await started(['hung', 'broken']);
    const asked = ask(READ, signal);
    await until(() => hung.sockets.size === 1);
    await fake.advance(MS.beside);
    await until(() => broken.taken() === 1 && broken.sockets.size === 0);
    const [first] = hung.sockets;
    first?.write('HTTP/1.1 200 OK\r\nX-Consul-Index: 1\r\nContent-Length: 2\r\n\r\n[]');
    assert.equal((await asked).text, '[]');
  });

  it('is sent a write once, which has no answer after ten seconds', async () => {
    const { fake, hung, signal, ask, dialled } = await started(['hung']);
    const body = { Node: 'm', Address: '10.0.0.1' };
    const failed = assert.rejects(
      ask({ method: 'PUT', path: '/v1/catalog/register', body }, signal),
      { code: 'unavailable' },
    );
    await until(() => hung.sockets.size === 1);
    await fake.advance(MS.write);
    await failed;
    assert.deepEqual(dialled, ['hung']);
  });

  it('does not keep a turn from being taken', async () => {
    const { fake, hung, signal, client, register, dialled } = await started(['real', 'hung']);
    const [node, check] = ['k8s-sync', 'service:s'];
    const Service = { ID: 's', Service: 's' };
    const Check = { CheckID: check, Name: 's', ServiceID: 's', Status: 'passing' };
    await register({ Node: node, Address: '127.0.0.1', Service, Check });
    const lock = turnLock({ client, clock: fake, key: 'lock', signal }, { node, check });
    const acquired = lock.acquire();
    await until(() => hung.sockets.size === 1);
    await fake.advance(MS.beside);
    assert.equal(await acquired, true);
    assert.deepEqual(dialled.slice(0, 3), ['real', 'hung', 'real']);
    await lock.release();
  });
});

describe('a server that has much to do', () => {
  it('has answered whoever stood still himself, and has not read it yet', async () => {
    const clock = new FakeClock();
    let answer = () => {};
    const send = (over: AbortSignal) => () =>
      new Promise((resolve, reject) => {
        answer = () => resolve({ status: 200, index: '', text: '', json: undefined });
        over.addEventListener('abort', () => reject(new Error('given up')), { once: true });
      });
    const client = (over: AbortSignal) => ({ send: send(over) });
    const { ask } = catalogBy(client as never, clock);
    const asked = ask({ method: 'PUT', path: '/v1/txn' }, new AbortController().signal);
    setImmediate(answer);
    await clock.stall(20_000);
    assert.equal((await asked).status, 200);
  });

  it('is asked beside itself for few of many small questions: beats need connections too', async () => {
    const { fake, hung, ask } = await started(Array.from({ length: 60 }, () => 'hung'));
    const all = Array.from({ length: 40 }, () =>
      assert.rejects(ask(READ, new AbortController().signal)),
    );
    await until(() => hung.sockets.size === 40);
    await fake.advance(MS.beside);
    await until(() => hung.sockets.size === 56);
    assert.equal(hung.taken(), 56);
    await fake.advance(10_000);
    await Promise.all(all);
  });
});
