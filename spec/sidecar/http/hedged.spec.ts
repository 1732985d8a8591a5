import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PolicyName } from '../../../lib/balance/policies.ts';
import { tuningIn, tuningOf } from '../../../lib/balance/tunings.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, type Instance, startHttp } from '../../support/servers/http-sidecars.ts';
import { plain } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

/** Answers with its name, or as it is told to from some moment on; what it was asked, and what of it was given up. */
async function program(name: string) {
  const state = {
    asked: [] as string[],
    gone: 0,
    answer: (_: IncomingMessage, response: ServerResponse) => void response.end(name),
  };
  const { port } = await serveHttp((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      state.asked.push(`${request.method} ${Buffer.concat(parts).toString()}`.trim());
      response.on('close', () => {
        if (!response.writableFinished) state.gone++;
      });
      state.answer(request, response);
    });
  });
  return { name, port, state };
}

const FLAGS = { 'hedge-quantile': '95', 'hedge-percent': '100' };

/** Two hosts in turn, and so many requests that it is known what is slow: 5 ms, since none took longer. */
async function start(
  flags: Readonly<Record<string, string>> = FLAGS,
  entries: object[] = [],
  policy?: PolicyName,
) {
  const [a, b] = [await program('a'), await program('b')];
  const said = Object.entries(flags).map(([name, text]) => tuningIn(name, text));
  const upstreams = [plain('web', { tuning: tuningOf('web', said), ...(policy && { policy }) })];
  const instances: Instance[] = [a, b].map(({ name, port }) => ({ id: name, port }));
  const sidecar = await startHttp(instances, entries, { upstreams });
  for (let i = 0; i < 48; i++) assert.equal((await ask(sidecar.port, '/')).status, 200);
  for (const { state } of [a, b]) state.asked.length = 0;
  const hedged = async () => {
    const { text } = await sidecar.admin('/metrics');
    return Number(/proconsul_sidecar_hedged_total\{upstream="web"\} (\d+)/.exec(text)?.[1]);
  };
  return { ...sidecar, a, b, hedged };
}

const never = () => undefined;

describe('a request that a sidecar has answered slowly', () => {
  for (const [method, body] of [
    ['GET', undefined],
    ['PUT', 'the body'],
    ['POST', 'the body'],
  ] as const) {
    it(`is asked of a second host too, and the first is given up: ${method}`, async () => {
      const flags = { ...FLAGS, ...(method !== 'GET' && { 'hedge-methods': method }) };
      const { port, clock, a, b, hedged, lines, hosts } = await start(flags);
      a.state.answer = never;
      b.state.answer = never;
      const asked = ask(port, '/', { method, ...(body !== undefined && { body }) });
      await until(() => a.state.asked.length + b.state.asked.length === 1);
      const [slow, other] = a.state.asked.length > 0 ? [a, b] : [b, a];
      other.state.answer = (_, response) => void response.end('the other');
      await clock.advance(6);
      assert.equal((await asked).text, 'the other');
      const said = `${method} ${body ?? ''}`.trim();
      assert.deepEqual([slow.state.asked, other.state.asked], [[said], [said]]);
      await until(() => slow.state.gone === 1);
      assert.equal(await hedged(), 1);
      assert.equal(JSON.parse(lines.at(-1) ?? '').tries, 2);
      assert.ok((await hosts()).every(({ failed }) => failed === 0));
    });
  }

  it('has the answer of the first where that comes first, and the second is given up', async () => {
    const { port, clock, a, b, hedged } = await start();
    const waiting: (() => void)[] = [];
    const later = (_: IncomingMessage, response: ServerResponse) =>
      void waiting.push(() => void response.end('at last'));
    a.state.answer = later;
    b.state.answer = later;
    const asked = ask(port, '/');
    await until(() => waiting.length === 1);
    await clock.advance(6);
    await until(() => waiting.length === 2);
    waiting[0]?.();
    assert.equal((await asked).text, 'at last');
    await until(() => a.state.gone + b.state.gone === 1);
    assert.equal(await hedged(), 1);
  });

  it('is not lost with the one that breaks, nor answered by the one that fails', async () => {
    for (const fails of [
      (request: IncomingMessage) => request.socket.destroy(),
      (_: IncomingMessage, response: ServerResponse) => response.writeHead(503).end('no'),
    ]) {
      const { port, clock, a, b } = await start();
      const waiting: (() => void)[] = [];
      const later = (_: IncomingMessage, response: ServerResponse) =>
        void waiting.push(() => void response.end('at last'));
      a.state.answer = later;
      b.state.answer = later;
      const asked = ask(port, '/');
      await until(() => waiting.length === 1);
      const second = a.state.asked.length > 0 ? b : a;
      second.state.answer = (request, response) => void fails(request, response);
      await clock.advance(6);
      await until(() => second.state.asked.length === 1);
      waiting[0]?.();
      assert.deepEqual((({ status, text }) => [status, text])(await asked), [200, 'at last']);
    }
  });

  it('leaves a host that hangs to itself, by the policy that goes by how long hosts take', async () => {
    const { port, clock, a, b } = await start(FLAGS, [], 'peak-ewma');
    a.state.answer = never;
    const taken = () => a.state.asked.length + b.state.asked.length;
    for (let i = 0; i < 30; i++) {
      const before = taken();
      const asked = ask(port, '/');
      await until(() => taken() > before);
      await clock.advance(6);
      assert.equal((await asked).text, 'b');
    }
    assert.ok(a.state.asked.length <= 5, `${a.state.asked.length} of 30`);
  });

  it('stays with the first where it changes something and nobody named it, or is too large to keep', async () => {
    const { port, clock, a, b, hedged } = await start({ ...FLAGS, 'hedge-methods': 'PUT' });
    a.state.answer = never;
    b.state.answer = never;
    void ask(port, '/', { method: 'POST', body: 'x' }).catch(() => undefined);
    void ask(port, '/', { method: 'DELETE' }).catch(() => undefined);
    void ask(port, '/', { method: 'PUT', body: 'x'.repeat(70_000) }).catch(() => undefined);
    await until(() => a.state.asked.length + b.state.asked.length === 3);
    await clock.advance(1000);
    assert.equal(a.state.asked.length + b.state.asked.length, 3);
    assert.equal(await hedged(), 0);
  });

  it('stays with the first beyond its part, and beyond what may be tried again at all', async () => {
    for (const [flags, most] of [
      [{ 'hedge-quantile': '95', 'hedge-percent': '5' }, 2],
      [{ ...FLAGS, 'retry-budget': '0', 'retries-per-second': '0' }, 0],
      [{ ...FLAGS, 'max-retries': '1' }, 1],
    ] as const) {
      const { port, clock, a, b, hedged } = await start(flags);
      a.state.answer = never;
      b.state.answer = never;
      for (let i = 0; i < 10; i++) void ask(port, '/').catch(() => undefined);
      const count = () => a.state.asked.length + b.state.asked.length;
      await until(() => count() === 10);
      await clock.advance(6);
      await until(
        async () => (await hedged()) === most && count() === 10 + most,
        () => JSON.stringify([flags, count()]),
      );
    }
  });

  it('is asked of nobody who stands in for its service', async () => {
    const entry = {
      ...{ Kind: 'service-resolver', Name: 'web' },
      Failover: { '*': { Service: 'sorry' } },
    };
    const { port, clock, a, b, register, hosts } = await start(FLAGS, [entry]);
    const sorry = await program('sorry');
    await register({ id: 'sorry', port: sorry.port, service: 'sorry' });
    await until(async () => (await hosts()).length === 3);
    a.state.answer = never;
    b.state.answer = never;
    void ask(port, '/').catch(() => undefined);
    await until(() => a.state.asked.length + b.state.asked.length === 1);
    await clock.advance(6);
    await until(() => a.state.asked.length + b.state.asked.length === 2);
    await clock.advance(1000);
    assert.deepEqual(sorry.state.asked, []);
  });

  it('is given up at both when its caller goes', async () => {
    const { port, clock, a, b } = await start();
    a.state.answer = never;
    b.state.answer = never;
    const leaving = new AbortController();
    const asked = fetch(`http://127.0.0.1:${port}/`, { signal: leaving.signal });
    await until(() => a.state.asked.length + b.state.asked.length === 1);
    await clock.advance(6);
    await until(() => a.state.asked.length + b.state.asked.length === 2);
    leaving.abort();
    await assert.rejects(asked);
    await until(() => a.state.gone + b.state.gone === 2);
  });
});

describe('-hedge-quantile of an upstream by tcp', () => {
  it('is named: of connections nobody knows what may be said twice', async () => {
    const said = [tuningIn('hedge-quantile', '95')];
    const { logger } = await startHttp([], [], {
      protocol: 'tcp',
      upstreams: [plain('web', { tuning: tuningOf('web', said) })],
    });
    assert.match(logger.lines.join('\n'), /has no effect.*hedge-quantile/);
  });
});
