import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Way } from '../../../agent/servers/places.ts';
import type { UpstreamRequest } from '../../../agent/servers/upstream.ts';
import { largeBodies } from '../../../lib/body-room.ts';
import { MAX_BODIES_BYTES } from '../../../lib/limits.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { liveBytes } from '../../support/heap.ts';
import { json, upstreamTo } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

const GET: UpstreamRequest = {
  way: 'client',
  method: 'GET',
  target: '/v1/x',
  key: 'x',
  token: '',
  timeoutMs: 5000,
};
const PUT: UpstreamRequest = { ...GET, method: 'PUT', body: Buffer.from('v') };

/** Answers nothing until it is told to. */
class Held {
  readonly waiting: { request: IncomingMessage; response: ServerResponse }[] = [];
  readonly listener: RequestListener = (request, response) => {
    this.waiting.push({ request, response });
  };
}

describe('asking servers', () => {
  it('says who asks, and shows the token', async () => {
    const seen: unknown[] = [];
    const { upstream } = await upstreamTo((request, response) => {
      seen.push(request.headers['x-proconsul-node'], request.headers['x-consul-token']);
      response.end('ok');
    });
    const { status, body } = await upstream.ask({ ...GET, token: 'secret' });
    assert.deepEqual([status, body.toString()], [200, 'ok']);
    await upstream.ask(GET);
    assert.deepEqual(seen, ['n1', 'secret', 'n1', undefined]);
  });

  it('shows tokens and names that no header may hold', async () => {
    const seen: unknown[] = [];
    const { upstream } = await upstreamTo((request, response) => {
      seen.push(request.url, request.headers['x-consul-token']);
      response.end('ok');
    });
    for (const token of ['a\nb', '€', 'é', ' a ', 'a%']) await upstream.ask({ ...GET, token });
    await upstream.ask({ ...GET, target: '/v1/x?token=%0A&y', token: '\n' });
    assert.deepEqual(seen, [
      ...['/v1/x?token=a%0Ab', undefined, '/v1/x?token=%E2%82%AC', undefined],
      ...['/v1/x?token=%C3%A9', undefined, '/v1/x?token=+a+', undefined, '/v1/x', 'a%'],
      ...['/v1/x?y&token=%0A', undefined],
    ]);
  });

  it('blames none for what cannot be written', async () => {
    const { upstream, servers } = await upstreamTo((_, response) => void response.end('ok'));
    const headers = { 'X-Other': 'a\nb' };
    await assert.rejects(upstream.ask({ ...GET, headers }), { code: 'invalid' });
    assert.equal(servers.breaker.isFailing('s0'), false);
  });

  it('that is silent for longer than it may fails, and the next one is asked', async () => {
    const held = new Held();
    const { upstream, clock, servers } = await upstreamTo(held.listener, held.listener);
    const asked = upstream.ask(GET);
    await until(() => held.waiting.length === 1);
    await clock.advance(5000);
    await until(() => held.waiting.length === 2);
    held.waiting[1]?.response.end('second');
    assert.equal((await asked).body.toString(), 'second');
    assert.equal(servers.all.filter(({ ID }) => servers.breaker.isFailing(ID)).length, 1);
  });

  it('to wait gives them the time that they add to a wait', async () => {
    const held = new Held();
    const { upstream, clock, servers } = await upstreamTo(held.listener);
    const asked = upstream.ask({ ...GET, way: 'watch', waitMs: 300_000 });
    await until(() => held.waiting.length === 1);
    await clock.advance(300_000 + 300_000 / 16 + 4999);
    await settle();
    held.waiting[0]?.response.end('unchanged');
    assert.equal((await asked).body.toString(), 'unchanged');
    assert.equal(servers.breaker.isFailing('s0'), false);
  });

  it('is done once more where a connection is gone that was kept, and blames no server', async () => {
    let asked = 0;
    const { upstream, servers } = await upstreamTo((request, response) => {
      // As one that was away meanwhile: what was open before leads nowhere.
      if (++asked === 3 || asked === 4) request.socket.resetAndDestroy();
      else response.end(`${asked}`);
    });
    // Two are kept.
    await Promise.all([upstream.ask(GET), upstream.ask(GET)]);
    await assert.rejects(upstream.ask(PUT), { code: 'unknown' });
    servers.breaker.succeeded('s0');
    assert.equal((await upstream.ask(GET)).body.toString(), '5');
    assert.equal(servers.breaker.isFailing('s0'), false);
  });

  it('of which the only one ends new connections too comes to an end', async () => {
    const { upstream } = await upstreamTo(({ socket }) => socket.resetAndDestroy());
    await assert.rejects(upstream.ask(GET), { code: 'unavailable' });
  });

  it('that fall silent in the middle of an answer ends, as lost or as never asked', async () => {
    const silent: RequestListener = (request, response) => {
      request.resume();
      response.writeHead(200, { 'Content-Length': '10' }).write('half');
    };
    for (const [request, code] of [
      [GET, 'unavailable'],
      [PUT, 'unknown'],
    ] as const) {
      const { upstream, clock } = await upstreamTo(silent);
      const asked = upstream.ask(request);
      // The one timer is that of the body: the answer has begun.
      await until(() => upstream.underWay('client') === 1);
      const rejected = assert.rejects(asked, { code });
      await until(async () => {
        await clock.advance(5000);
        return upstream.underWay('client') === 0;
      });
      await rejected;
    }
  });

  it('reads large answers for clients as far as all large bodies have room, and its own all the same', async () => {
    const large = Buffer.alloc(2 * 1024 * 1024, 'x');
    const { upstream, servers } = await upstreamTo((request, response) => {
      if (request.url === '/v1/said') response.setHeader('Content-Length', large.length);
      response.write(large.subarray(0, 1024 * 1024));
      response.end(large.subarray(1024 * 1024));
    });
    const before = largeBodies.bytes;
    const others = largeBodies.claim();
    others.grow(MAX_BODIES_BYTES - before - 1024 * 1024);
    for (const target of ['/v1/said', '/v1/x']) {
      for (const way of ['client', 'watch'] as const) {
        await assert.rejects(upstream.ask({ ...GET, target, way }), { code: 'busy' });
      }
      const own = await upstream.ask({ ...GET, target, way: 'sync' });
      assert(own.body.equals(large));
    }
    assert.equal(servers.breaker.isFailing('s0'), false);
    others.end();
    for (const target of ['/v1/said', '/v1/x']) {
      assert((await upstream.ask({ ...GET, target })).body.equals(large));
    }
    assert.equal(largeBodies.bytes, before);
  });

  it('of which none is there rejects as unavailable', async () => {
    const { upstream } = await upstreamTo();
    await assert.rejects(upstream.ask(GET), { code: 'unavailable', message: 'No cluster leader' });
  });

  it('ends with its caller, and holds nothing against the server', async () => {
    const held = new Held();
    const { upstream, servers } = await upstreamTo(held.listener);
    const gone = new AbortController();
    const asked = upstream.ask({ ...GET, signal: gone.signal });
    await until(() => held.waiting.length === 1);
    gone.abort();
    // No bug, so no line in the log of errors.
    await assert.rejects(asked, { code: 'unavailable' });
    assert.equal(servers.breaker.isFailing('s0'), false);
    await until(() => upstream.underWay('client') === 0);
  });

  it('leaves bodies that keep nothing alive beside themselves', async () => {
    const { upstream } = await upstreamTo(json(() => ({ small: true })));
    const { body } = await upstream.ask(GET);
    assert.equal(body.buffer.byteLength, body.length);
  });

  it('is over when it stops: what is under way breaks off, and nothing more is asked', async () => {
    const held = new Held();
    const { upstream } = await upstreamTo(held.listener, held.listener, held.listener);
    const asked = upstream.ask(GET);
    const written = upstream.ask(PUT);
    await until(() => held.waiting.length === 2);
    upstream.stop();
    await assert.rejects(asked, { code: 'unavailable' });
    await assert.rejects(written, { code: 'unknown' });
    await assert.rejects(upstream.ask(GET), { code: 'unavailable' });
    assert.equal(held.waiting.length, 2);
  });
});

describe('queries whose callers have gone', () => {
  it('leave nothing on the heap', async () => {
    const held = new Held();
    const { upstream } = await upstreamTo(held.listener);
    const round = async () => {
      const gone = new AbortController();
      setMaxListeners(0, gone.signal);
      const asked = Array.from({ length: 200 }, (_, i) => {
        const target = `/v1/health/service/${i}?index=1`;
        return upstream.ask({ ...GET, way: 'watch', target, signal: gone.signal });
      });
      const all = Promise.allSettled(asked);
      await until(() => held.waiting.length === 200);
      gone.abort();
      await all;
      await until(() => upstream.underWay('watch') === 0);
      held.waiting.length = 0;
    };
    await round();
    await round();
    const before = await liveBytes();
    for (let i = 0; i < 5; i++) await round();
    const after = await liveBytes();
    const grown = after.heap + after.buffers - before.heap - before.buffers;
    assert.ok(grown < 2_000_000, `${grown} bytes of 1,000 queries are left`);
  }).timeout(20_000);
});

describe('the ways to servers', () => {
  it('are apart: one that is full refuses at once, and the others go on', async () => {
    const held = new Held();
    const { upstream, servers } = await upstreamTo((request, response) => {
      if (request.url === '/v1/x') held.listener(request, response);
      else response.end('quick');
    });
    const gone = new AbortController();
    const { signal } = gone;
    setMaxListeners(0, signal);
    const asked = Array.from({ length: 512 }, () => upstream.ask({ ...GET, signal }));
    const all = Promise.allSettled(asked);
    await until(() => upstream.underWay('client') === 512);
    await assert.rejects(upstream.ask(GET), { code: 'busy' });
    for (const way of ['beat', 'sync', 'dns', 'watch'] satisfies Way[]) {
      const { body } = await upstream.ask({ ...PUT, way, target: '/v1/quick' });
      assert.equal(body.toString(), 'quick');
    }
    assert.equal(servers.breaker.isFailing('s0'), false, 'a full way is no fault of a server');
    gone.abort();
    await all;
    await until(() => upstream.underWay('client') === 0);
  });

  it('are no single client’s: one address leaves an eighth of the places to the others', async () => {
    const held = new Held();
    const { upstream } = await upstreamTo(held.listener);
    const gone = new AbortController();
    const { signal } = gone;
    setMaxListeners(0, signal);
    const ask = (client: string) => upstream.ask({ ...GET, client, signal });
    const asked = Array.from({ length: 448 }, () => ask('10.0.0.1'));
    await until(() => upstream.underWay('client') === 448);
    await assert.rejects(ask('10.0.0.1'), { code: 'busy', message: /448 of your address/ });
    asked.push(...Array.from({ length: 64 }, () => ask('10.0.0.2')));
    const all = Promise.allSettled(asked);
    await until(() => upstream.underWay('client') === 512);
    await assert.rejects(ask('10.0.0.3'), { code: 'busy', message: /512 of this agent/ });
    gone.abort();
    await all;
    await until(() => upstream.underWay('client') === 0);
    const again = new AbortController();
    const once = upstream.ask({ ...GET, client: '10.0.0.1', signal: again.signal });
    await until(() => upstream.underWay('client') === 1);
    again.abort();
    await assert.rejects(once);
  });
});
