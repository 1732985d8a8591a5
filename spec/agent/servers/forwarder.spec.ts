import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { Forwarder } from '../../../agent/servers/forwarder.ts';
import { createApp } from '../../../lib/http/app.ts';
import { MAX_JSON_BODY_BYTES } from '../../../lib/limits.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { stopped, upstreamTo } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

/** An agent's HTTP surface before the servers that the listeners make. */
async function agentBefore(...listeners: readonly RequestListener[]) {
  const { clock, servers, upstream, started } = await upstreamTo(...listeners);
  const forwarder = stopped(
    new Forwarder({
      upstream,
      node: 'n1',
      clock,
      token: () => 'default-token',
      maxBodyBytes: MAX_JSON_BODY_BYTES,
      rate: { perSecond: -1, burst: 0 },
    }),
  );
  const fallback = forwarder.handle;
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (line: string) => void errors.push(line) };
  const agent = await serveHttp(createApp({ routes: [], fallback }, { logger }));
  const asked = { requests: 0 };
  agent.server.on('request', () => void asked.requests++);
  return { clock, servers, forwarder, started, asked, errors, url: `http://${agent.host}` };
}

async function answered(request: http.ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
}

/** Holds requests until they are answered, as a blocking query is. */
class Held {
  readonly waiting: { request: IncomingMessage; response: ServerResponse }[] = [];
  readonly listener: RequestListener = (request, response) => {
    this.waiting.push({ request, response });
  };

  answer(body: string, index: number): void {
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      'X-Consul-Index': String(index),
    };
    for (const { response } of this.waiting.splice(0)) response.writeHead(200, headers).end(body);
  }
}

describe('what an agent does not answer itself', () => {
  it('goes to a server and back as it is, with the agent’s name and token', async () => {
    const seen: unknown[] = [];
    const { url } = await agentBefore((request, response) => {
      const { method, headers } = request;
      seen.push(method, request.url, headers['x-consul-token'], headers['x-proconsul-node']);
      request.on('data', (part: Buffer) => seen.push(part.toString()));
      response.writeHead(404, { 'X-Consul-Index': '7', 'Content-Type': 'text/odd' }).end('no');
    });
    const answer = await fetch(`${url}/v1/kv/a%2Fb?raw`, { method: 'PUT', body: 'v' });
    assert.deepEqual([answer.status, await answer.text()], [404, 'no']);
    assert.equal(answer.headers.get('x-consul-index'), '7');
    assert.equal(answer.headers.get('content-type'), 'text/odd');
    assert.deepEqual(seen, ['PUT', '/v1/kv/a%2Fb?raw', 'default-token', 'n1', 'v']);
  });

  it('does not say which page asks: that was this agent’s to judge', async () => {
    const seen: unknown[] = [];
    const { url } = await agentBefore(({ headers }, response) => {
      seen.push(headers.origin, headers['x-other']);
      response.end();
    });
    await new Promise((done) => {
      const headers = { Origin: url, 'X-Other': 'kept' };
      http.request(`${url}/v1/kv/a`, { method: 'PUT', headers }, done).end();
    });
    assert.deepEqual(seen, [undefined, 'kept']);
  });

  it('says how long its body is, whatever the method, lest that be the next client’s request', async () => {
    const seen: string[] = [];
    const { url } = await agentBefore((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      request.resume().once('end', () => response.end(request.url));
    });
    const hidden = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n';
    const methods = ['DELETE', 'PUT', 'POST', 'OPTIONS', 'HEAD', 'TRACE', 'PATCH', 'PROPFIND'];
    for (const method of methods) {
      const headers = { 'Content-Length': hidden.length, Expect: '100-continue' };
      const request = http.request(`${url}/v1/kv/${method}`, { method, headers });
      request.end(hidden);
      await answered(request);
      const answer = await fetch(`${url}/v1/kv/next`);
      assert.deepEqual([answer.status, await answer.text()], [200, '/v1/kv/next'], method);
    }
    const both = methods.flatMap((method) => [`${method} /v1/kv/${method}`, 'GET /v1/kv/next']);
    assert.deepEqual(seen, both);
  });

  it('is one archive at a time: another is refused before it is read', async () => {
    const held = new Held();
    const { url } = await agentBefore(held.listener);
    const first = fetch(`${url}/v1/snapshot`, { method: 'PUT', body: 'one' });
    await until(() => held.waiting.length === 1);
    const second = await fetch(`${url}/v1/snapshot`, { method: 'PUT', body: 'two' });
    assert.equal(second.status, 429);
    held.answer('', 1);
    assert.equal((await first).status, 200);
    const third = fetch(`${url}/v1/snapshot`, { method: 'PUT', body: 'three' });
    await until(() => held.waiting.length === 1);
    held.answer('', 1);
    assert.equal((await third).status, 200);
  });

  it('says of a refusal that a server refuses, whether it waits or not', async () => {
    const { url } = await agentBefore((_request, response) => {
      response.writeHead(403, { 'X-Consul-Index': '1' }).end('ACL not found');
    });
    for (const path of ['kv/a', 'kv/a?index=1', 'health/service/web?cached']) {
      const answer = await fetch(`${url}/v1/${path}`);
      const text = await answer.text();
      assert.deepEqual([answer.status, text], [403, 'rpc error making call: ACL not found']);
      assert.equal(answer.headers.get('x-consul-index'), '1');
    }
  });

  it('names to the server what it named to the agent, whatever stands in it', async () => {
    const seen: unknown[] = [];
    const { url } = await agentBefore((request, response) => {
      seen.push(request.url);
      response.end();
    });
    const plain = ['/v1/kv/a\\b', '/v1\\kv/a', '/v1/kv/a#b?c#d', '/v1/kv/a%5Cb', "/v1/kv/'|^`{}"];
    for (const path of plain) await answered(http.get(url, { path }));
    await answered(http.get(url, { path: 'http://elsewhere/v1/kv/a?raw' }));
    assert.deepEqual(seen, [...plain, '/v1/kv/a?raw']);
  });

  it('comes back with its headers’ names as Consul writes them', async () => {
    const { url } = await agentBefore((_, response) => {
      response.writeHead(200, { 'X-Consul-Index': '7', 'X-Consul-KnownLeader': 'true' }).end('[]');
    });
    for (const target of ['/v1/kv/a', '/v1/kv/a?index=1', '/v1/health/service/a?cached']) {
      const { rawHeaders } = await answered(http.get(url + target));
      assert.ok(rawHeaders.includes('X-Consul-Index'), `${target}: ${rawHeaders}`);
      assert.ok(rawHeaders.includes('X-Consul-Knownleader'), `${target}: ${rawHeaders}`);
    }
  });

  it('is answered with 500 when no server is known', async () => {
    const { url } = await agentBefore();
    const answer = await fetch(`${url}/v1/kv/a`);
    assert.deepEqual([answer.status, await answer.text()], [500, 'No cluster leader']);
    assert.equal(answer.headers.get('x-proconsul-applied'), 'no');
  });

  it('goes to the next server when one is gone, and comes back when it returns', async () => {
    const counts = [0, 0, 0];
    const listener = (i: number): RequestListener => {
      return (_, response) => {
        counts[i] = (counts[i] ?? 0) + 1;
        response.end(String(i));
      };
    };
    const { url, servers, started, clock } = await agentBefore(
      listener(0),
      listener(1),
      listener(2),
    );
    const path = '/v1/health/service/web';
    const owner = await (await fetch(url + path)).text();
    const { server, port } = started[Number(owner)] ?? assert.fail();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const next = await (await fetch(url + path)).text();
    assert.notEqual(next, owner);
    assert.equal(servers.inOrder('web')[0]?.Node, `s${next}`, 'the lost one is not asked again');
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await clock.advance(2000);
    assert.equal(await (await fetch(url + path)).text(), owner);
  });

  it('is not sent again as a write that a server may have done', async () => {
    let requests = 0;
    const cut: RequestListener = (request) => {
      requests++;
      request.socket.destroy();
    };
    const { url } = await agentBefore(cut, cut, cut);
    const answer = await fetch(`${url}/v1/kv/a`, { method: 'PUT', body: 'v' });
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get('x-proconsul-applied'), 'unknown');
    assert.equal(requests, 1);
  });

  for (const status of [200, 403]) {
    it(`is not known to be done where its answer (${status}) breaks off`, async () => {
      const { url, errors } = await agentBefore((request, response) => {
        response.writeHead(status, { 'Content-Length': 10 });
        response.write('half', () => request.socket.destroy());
      });
      const answer = await fetch(`${url}/v1/kv/a`, { method: 'PUT', body: 'v' });
      assert.equal(answer.status, 500);
      assert.equal(answer.headers.get('x-proconsul-applied'), 'unknown');
      assert.deepEqual(errors, []);
    });
  }

  it('has the length that a server says of what it does not send', async () => {
    const { url } = await agentBefore((_, response) => {
      response.writeHead(200, { 'Content-Length': 10 }).end();
    });
    const answer = await fetch(`${url}/v1/kv/a`, { method: 'HEAD' });
    assert.equal(answer.headers.get('content-length'), '10');
  });

  it('is sent to another server when the first says that it did nothing', async () => {
    let refusals = 0;
    const refuse: RequestListener = (_, response) => {
      refusals++;
      response.writeHead(500, { 'X-Proconsul-Applied': 'no' }).end('No cluster leader');
    };
    const { url } = await agentBefore(refuse, refuse);
    const answer = await fetch(`${url}/v1/kv/a`, { method: 'PUT', body: 'v' });
    assert.equal(answer.status, 500);
    assert.equal(refusals, 2);
  });

  it('streams through: the first bytes are there before the last', async () => {
    let end: () => void = () => undefined;
    const { url } = await agentBefore((_, response) => {
      response.write('first');
      end = () => response.end('last');
    });
    const { body } = await fetch(`${url}/v1/snapshot`);
    const reader = body?.getReader() ?? assert.fail();
    const { value } = await reader.read();
    assert.equal(Buffer.from(value ?? []).toString(), 'first');
    end();
    await reader.cancel();
  });
});

describe('blocking queries through an agent', () => {
  const QUERY = '/v1/health/service/web?index=5&wait=60s';

  it('of 100 local watchers of one service are one upstream query', async () => {
    const held = new Held();
    const { url, forwarder, asked } = await agentBefore(held.listener);
    const watchers = Array.from({ length: 100 }, async () => {
      const answer = await fetch(url + QUERY);
      return [answer.headers.get('x-consul-index'), await answer.text()];
    });
    await until(() => asked.requests === 100 && held.waiting.length > 0);
    await settle();
    assert.equal(held.waiting.length, 1);
    held.answer('[1]', 6);
    for (const watcher of watchers) assert.deepEqual(await watcher, ['6', '[1]']);
    assert.equal(forwarder.load.queries, 0);
  });

  it('with a wait below nothing wait as long as those that say none', async () => {
    const held = new Held();
    const { url, servers, clock } = await agentBefore(held.listener);
    const asked = fetch(`${url}/v1/health/service/web?index=5&wait=-100s`);
    await until(() => held.waiting.length === 1);
    await clock.advance(60_000);
    held.answer('[1]', 6);
    assert.equal(await (await asked).text(), '[1]');
    assert.equal(servers.breaker.isFailing(servers.all[0]?.ID ?? ''), false);
  });

  it('of clients with different tokens are not shared', async () => {
    const held = new Held();
    const { url } = await agentBefore(held.listener);
    const asked = ['one', 'two'].map((token) =>
      fetch(url + QUERY, { headers: { 'X-Consul-Token': token } }),
    );
    await until(() => held.waiting.length === 2);
    held.answer('[]', 6);
    await Promise.all(asked);
  });

  it('go on with another server when the one that holds them is gone without a word', async () => {
    const held = [new Held(), new Held()];
    const { url, servers } = await agentBefore(...held.map(({ listener }) => listener));
    const asked = fetch(url + QUERY);
    await until(() => held.some(({ waiting }) => waiting.length === 1));
    const silent = held.findIndex(({ waiting }) => waiting.length === 1);
    // The other server says who lives.
    servers.replace(servers.all.filter(({ Node }) => Node !== `s${silent}`));
    await until(() => held[1 - silent]?.waiting.length === 1);
    held[1 - silent]?.answer('[1]', 6);
    assert.equal(await (await asked).text(), '[1]');
  });

  it('stay with a server that has another id and is where it was', async () => {
    const held = new Held();
    const { url, servers } = await agentBefore(held.listener);
    const asked = fetch(url + QUERY);
    await until(() => held.waiting.length === 1);
    servers.replace(servers.all.map((server) => ({ ...server, ID: 'new' })));
    await settle();
    held.answer('[1]', 6);
    assert.equal(await (await asked).text(), '[1]');
  });

  it('end upstream when the last of their clients has gone', async () => {
    const held = new Held();
    const { url, forwarder } = await agentBefore(held.listener);
    const clients = [new AbortController(), new AbortController()];
    const asked = clients.map(({ signal }) => fetch(url + QUERY, { signal }).catch(() => 'gone'));
    await until(() => held.waiting.length === 1);
    const [{ request } = assert.fail()] = held.waiting;
    let closed = false;
    request.socket.once('close', () => {
      closed = true;
    });
    clients[0]?.abort();
    await settle();
    assert.equal(closed, false);
    clients[1]?.abort();
    await until(() => closed);
    assert.deepEqual(await Promise.all(asked), ['gone', 'gone']);
    await until(() => forwarder.load.queries === 0);
  });

  it('go away without an error in the log, one by one or together', async () => {
    const held = new Held();
    const { url, forwarder, errors } = await agentBefore(held.listener);
    for (const query of [QUERY, QUERY, '/v1/kv/a?index=5&wait=60s', '/v1/kv/b']) {
      const client = new AbortController();
      const gone = fetch(url + query, { signal: client.signal }).catch(() => 'gone');
      await until(() => held.waiting.length > 0);
      client.abort();
      assert.equal(await gone, 'gone');
      await until(() => forwarder.load.queries === 0);
      held.waiting.length = 0;
    }
    await settle();
    assert.deepEqual(errors, []);
  });
});

describe('GET …?cached through an agent', () => {
  it('is answered from memory, which a blocking query keeps fresh', async () => {
    const held = new Held();
    const { url, clock } = await agentBefore(held.listener);
    const get = async (headers = {}) => {
      const answer = await fetch(`${url}/v1/health/service/web?passing&cached`, { headers });
      const { headers: got } = answer;
      return [got.get('x-cache'), got.get('age'), await answer.text()];
    };
    const first = get();
    await until(() => held.waiting.length === 1);
    assert.equal(held.waiting[0]?.request.url, '/v1/health/service/web?passing');
    held.answer('[1]', 5);
    assert.deepEqual(await first, ['MISS', null, '[1]']);
    await until(() => held.waiting.length === 1);
    assert.match(held.waiting[0]?.request.url ?? '', /index=5/);
    await clock.advance(3000);
    assert.deepEqual(await get(), ['HIT', '3', '[1]']);
    held.answer('[2]', 6);
    await until(async () => (await get())[2] === '[2]');
    assert.deepEqual(await get(), ['HIT', '0', '[2]']);
  });

  it('asks anew when the client wants it newer than it is', async () => {
    const held = new Held();
    const { url, clock } = await agentBefore(held.listener);
    const get = (headers = {}) => fetch(`${url}/v1/catalog/services?cached`, { headers });
    const first = get();
    await until(() => held.waiting.length === 1);
    held.answer('{}', 5);
    await first;
    await until(() => held.waiting.length === 1);
    await clock.advance(3000);
    const second = get({ 'Cache-Control': 'max-age=2' });
    await until(() => held.waiting.length === 2);
    held.answer('{}', 6);
    assert.equal((await second).headers.get('x-cache'), 'MISS');
  });
});
