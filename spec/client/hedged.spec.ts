import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { run, type Serve, start } from '../support/servers/balanced-service.ts';
import { until } from '../support/until.ts';

describe('Balancer, with hedging', () => {
  it('begins a second call beside a slow one, and tells the slower to stop', async () => {
    const { balancer, instances } = await start(['a', 'b'], {
      hedging: { quantile: 0.9, leastMs: 1, ratio: 1 },
    });
    for (let i = 0; i < 40; i++) await balancer.call(async () => i, { isRepeatable: true });
    const stopped: number[] = [];
    const slow = instances[0]?.port;
    const call = () =>
      balancer.call(
        async ({ instance, signal }) => {
          if (instance.port !== slow) return instance.port;
          return await new Promise<number>((_, reject) => {
            signal.addEventListener('abort', () => {
              stopped.push(instance.port);
              reject(signal.reason);
            });
          });
        },
        { isRepeatable: true },
      );
    const found = await Promise.all([call(), call()]);
    assert.deepEqual(found, [instances[1]?.port, instances[1]?.port]);
    assert.deepEqual(stopped, [slow]);
    assert.deepEqual(
      balancer.instances.map(({ failed }) => failed),
      [0, 0],
    );
  });

  it('begins no second one of a call that says so', async () => {
    const clock = new FakeClock();
    const hedging = { quantile: 0.9, leastMs: 1, ratio: 1 };
    const { balancer, untilHealthy } = await start(['a', 'b'], { clock, hedging });
    await untilHealthy('a', 'b');
    for (let i = 0; i < 40; i++) await balancer.call(async () => i, { isRepeatable: true });
    for (const [isHedged, most] of [
      [true, 2],
      [false, 1],
    ] as const) {
      const ends: (() => void)[] = [];
      const answered = balancer.call(() => new Promise<void>((end) => void ends.push(end)), {
        ...{ isRepeatable: true, isHedged },
      });
      await until(() => ends.length === 1);
      await clock.advance(60_000);
      assert.equal(ends.length, most);
      for (const end of ends) end();
      await answered;
    }
  });

  it('sends a second request beside a slow one, by its dispatcher, and gives the slower up', async () => {
    const clock = new FakeClock();
    const hedging = { quantile: 0.9, leastMs: 1, ratio: 1, methods: ['PUT'] };
    const { ask, instances, balancer, register, untilHealthy } = await start(['a'], {
      ...{ clock, hedging, retries: { ratio: 1, minPerSecond: 1 } },
    });
    const state = { gone: 0, isSlow: false, fails: false };
    const b = await run('b', (request, response) => {
      response.on('close', () => {
        if (!response.writableFinished) state.gone++;
      });
      if (state.fails) response.writeHead(503).end('no');
      else if (!state.isSlow) request.resume().on('end', () => response.end('b'));
    });
    await register(b);
    await untilHealthy('a', 'b');
    // What is slow follows from what really took some time.
    for (let i = 0; i < 64; i++) await ask('/', { method: 'PUT', body: 'x' });
    const taken = () => (instances[0]?.taken() ?? 0) + b.taken();
    state.isSlow = true;
    const before = b.taken();
    const answers = [ask('/', { method: 'PUT', body: 'x' }), ask()];
    await until(() => b.taken() === before + 1);
    await clock.advance(60_000);
    assert.deepEqual(
      (await Promise.all(answers)).map(({ text }) => text),
      ['a', 'a'],
    );
    await until(() => state.gone === 1);
    assert.ok(balancer.instances.every(({ active, failed }) => active === 0 && failed === 0));
    // What changes something waits for the one that it was sent to, unless it is named.
    const sent = taken();
    const leaving = new AbortController();
    const changes = ['POST', 'POST', 'DELETE', 'DELETE'].map((method) =>
      ask('/', { method, body: 'x', signal: leaving.signal }).catch(() => undefined),
    );
    await until(() => taken() === sent + changes.length);
    await clock.advance(60_000);
    assert.equal(taken(), sent + changes.length);
    leaving.abort();
    await Promise.all(changes);
  });

  it('has the answer of the other where one of two beside each other fails, or its caller goes', async () => {
    const clock = new FakeClock();
    const { ask, balancer, register, untilHealthy } = await start([], {
      ...{ clock, hedging: { quantile: 0.9, leastMs: 1, ratio: 1 } },
    });
    const state = { isSlow: false, waiting: [] as ServerResponse[] };
    const answer: Serve = (_, response) => {
      if (state.isSlow) state.waiting.push(response);
      else response.end('at once');
    };
    for (const name of ['a', 'b']) await register(await run(name, answer));
    await untilHealthy('a', 'b');
    for (let i = 0; i < 64; i++) await ask();
    state.isSlow = true;
    const two = async (signal?: AbortSignal) => {
      const asked = ask('/', { method: 'GET', ...(signal !== undefined && { signal }) });
      await until(() => state.waiting.length === 1);
      await clock.advance(60_000);
      await until(() => state.waiting.length === 2);
      return { asked, waiting: state.waiting.splice(0) };
    };
    const failing = await two();
    failing.waiting[0]?.writeHead(503).end('x'.repeat(200_000));
    await until(() => balancer.instances.some(({ failed }) => failed === 1));
    failing.waiting[1]?.end('good');
    assert.deepEqual(await failing.asked, { status: 200, text: 'good' });
    const breaking = await two();
    breaking.waiting[1]?.destroy();
    await until(() => balancer.instances.reduce((sum, { failed }) => sum + failed, 0) === 2);
    breaking.waiting[0]?.end('good');
    assert.deepEqual(await breaking.asked, { status: 200, text: 'good' });
    const leaving = new AbortController();
    const left = await two(leaving.signal);
    leaving.abort(new Error('enough'));
    await assert.rejects(left.asked, /enough/);
    await until(() => balancer.instances.every(({ active }) => active === 0));
  });
});
