import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { LARGE_BYTES, largeBodies } from '../../../lib/body-room.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { agentBefore, answers } from '../../support/servers/passing-agent.ts';
import { getText } from '../../support/servers/raw-client.ts';
import { until } from '../../support/until.ts';

const PATH = '/v1/health/service/web';
const WAIT = getText(`${PATH}?index=5&wait=60s`);

/** Holds what waits, and answers all else at once. */
class Held {
  readonly waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  asked = 0;
  readonly listener: RequestListener = (request, response) => {
    this.asked++;
    if (request.url?.includes('index=') === true) this.waiting.push({ request, response });
    else answers(request, response);
  };

  answer(body: string, isChunked = false): void {
    const all = { 'X-Consul-Index': '6', ...(!isChunked && { 'Content-Length': body.length }) };
    for (const { response } of this.waiting.splice(0)) response.writeHead(200, all).end(body);
  }
}

async function agentWith(settings = {}) {
  const held = new Held();
  const agent = await agentBefore([held.listener], settings);
  const clients = await Promise.all(Array.from({ length: 5 }, () => agent.connect()));
  return { held, clients, ...agent };
}

describe('a blocking query that an agent passes on', () => {
  it('is one for all who send the same bytes, of which the first alone are parsed', async () => {
    const { held, clients, parsed, forwarder } = await agentWith();
    const before = parsed();
    for (const client of clients) client.send(WAIT);
    await until(() => held.waiting.length === 1);
    await settle();
    assert.equal(parsed(), before + 1);
    held.answer('[1]');
    const got = await Promise.all(clients.map((client) => client.answer()));
    for (const { head, body } of got) {
      assert.equal(String(body), '[1]');
      assert.match(head, /\r\nX-Consul-Index: 6\r\n/);
    }
    assert.equal(held.waiting.length, 0);
    assert.equal(forwarder.load.queries, 0);
  });

  it('goes on by the index that it was told, without the parser', async () => {
    const { held, clients, parsed, tokens } = await agentWith();
    const seen = () => {
      const { url, headers } = held.waiting[0]?.request ?? assert.fail();
      return [url, headers['x-consul-token']];
    };
    for (const client of clients) client.send(WAIT);
    await until(() => held.waiting.length === 1);
    await settle();
    held.answer('[1]');
    for (const client of clients) await client.answer();
    const before = parsed();
    for (const client of clients) client.send(getText(`${PATH}?index=6&wait=60s`));
    await until(() => held.waiting.length === 1);
    await settle();
    assert.deepEqual([parsed(), held.waiting.length], [before, 1]);
    assert.deepEqual(seen(), [`${PATH}?index=6&wait=60s`, 'default-token']);
    // It may be another by the time that somebody goes on.
    held.answer('[2]');
    for (const client of clients) assert.equal(String((await client.answer()).body), '[2]');
    tokens.agent = 'another';
    for (const client of clients) client.send(getText(`${PATH}?index=6&wait=60s`));
    await until(() => held.waiting.length === 1);
    assert.equal(seen()[1], 'another');
    held.answer('[3]');
    for (const client of clients) assert.equal(String((await client.answer()).body), '[3]');
  });

  it('counts each who waits among those that a rate allows', async () => {
    const { held, clients } = await agentWith({ rate: { perSecond: 0, burst: 7 } });
    const [one, two, three] = clients;
    one?.send(WAIT);
    two?.send(WAIT);
    await until(() => held.waiting.length === 1);
    assert.match((await three?.ask(WAIT))?.head ?? '', /^HTTP\/1.1 429 /);
    held.answer('[1]');
    assert.equal(String((await two?.answer())?.body), '[1]');
  });

  it('is another one for the agent’s token once that is another', async () => {
    const { held, clients, tokens } = await agentWith();
    clients[0]?.send(WAIT);
    await until(() => held.waiting.length === 1);
    tokens.agent = 'another';
    clients[1]?.send(WAIT);
    await until(() => held.waiting.length === 2);
    const seen = held.waiting.map(({ request: { headers } }) => headers['x-consul-token']);
    assert.deepEqual(seen, ['default-token', 'another']);
  });

  it('ends at the server when the last who waits has gone, and not before', async () => {
    const { held, clients, upstream } = await agentWith();
    for (const client of clients) client.send(WAIT);
    await until(() => held.waiting.length === 1);
    await settle();
    let isClosed = false;
    held.waiting[0]?.response.once('close', () => {
      isClosed = true;
    });
    for (const client of clients.slice(1)) client.reset();
    await settle();
    assert.equal(isClosed, false);
    clients[0]?.reset();
    await until(() => isClosed && upstream.underWay('watch') === 0);
  });

  it('gives back the room for an answer of which only a part came before its client went', async () => {
    const { held, clients, upstream } = await agentWith();
    const before = largeBodies.bytes;
    clients[0]?.send(WAIT);
    await until(() => held.waiting.length === 1);
    const response = held.waiting[0]?.response ?? assert.fail();
    response.writeHead(200, { 'X-Consul-Index': '6', 'Content-Length': 8 * LARGE_BYTES });
    response.write('[');
    await until(() => largeBodies.bytes > before);
    clients[0]?.reset();
    await until(() => upstream.underWay('watch') === 0);
    assert.equal(largeBodies.bytes, before);
  });

  it('may last as long as it was asked to, and no longer than a server adds to it', async () => {
    const { held, clients, clock, servers } = await agentWith();
    clients[0]?.send(WAIT);
    await until(() => held.waiting.length === 1);
    for (let s = 0; s < 60; s++) await clock.advance(1000);
    assert.equal(held.waiting.length, 1);
    assert.equal(servers.breaker.isFailing('s0'), false);
    for (let s = 0; s < 10; s++) await clock.advance(1000);
    // A read may be asked again, and is.
    await until(() => held.waiting.length === 2);
    assert.equal(servers.breaker.isFailing('s0'), true);
  });

  it('is asked again the long way where something in between cuts answers in chunks, and once only', async () => {
    const { held, clients } = await agentWith();
    const [client] = clients;
    client?.send(WAIT);
    await until(() => held.waiting.length === 1);
    const asked = held.asked;
    held.answer('[0]', true);
    await until(() => held.waiting.length === 1);
    held.answer('[1]', true);
    assert.equal(String((await client?.answer())?.body), '[1]');
    client?.send(WAIT);
    await until(() => held.waiting.length === 1);
    held.answer('[2]', true);
    assert.equal(String((await client?.answer())?.body), '[2]');
    assert.equal(held.asked, asked + 2);
  });
});

describe('?cached of an agent', () => {
  it('is answered unparsed for as long as it is not a second older, and asks no server', async () => {
    const { held, clients, clock, parsed } = await agentWith();
    const [client] = clients;
    const text = getText(`${PATH}?cached`);
    const look = async () => {
      const before = parsed();
      const { head, body } = (await client?.ask(text)) ?? assert.fail();
      const [, age] = /\r\nAge: (\d+)\r\n/.exec(head) ?? [];
      return [parsed() - before, age, String(body)];
    };
    await look();
    await until(() => held.waiting.length === 1);
    const { asked } = held;
    assert.deepEqual(await look(), [1, '0', '[1]']);
    assert.deepEqual(await look(), [0, '0', '[1]']);
    await clock.advance(1000);
    assert.deepEqual(await look(), [1, '1', '[1]']);
    assert.deepEqual(await look(), [0, '1', '[1]']);
    assert.equal(held.asked, asked);
    held.answer('[2]');
    await until(async () => (await look())[2] === '[2]');
    assert.deepEqual((await look()).slice(1), ['0', '[2]']);
  });
});
