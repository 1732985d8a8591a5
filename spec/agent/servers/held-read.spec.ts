import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { HELD_HEADER, NOTHING_HELD } from '../../../lib/http/held.ts';
import { web } from '../../support/servers/asked-again.ts';
import { agentBefore, answers } from '../../support/servers/passing-agent.ts';
import { getText, withoutDate } from '../../support/servers/raw-client.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { serverInfo } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

const PATH = '/v1/health/service/web?passing';
const HELD = HELD_HEADER.toLowerCase();

/** For how long a connection is kept is its own affair. */
const lines = (head: string) =>
  withoutDate(head)
    .split('\r\n')
    .filter((line) => !line.startsWith('Keep-Alive:'))
    .sort();

/** What a server says by a tag, once it was asked; which tags it was asked by, and what it said of them. */
class Teller {
  body = '[1]';
  readonly asked: (string | undefined)[] = [];
  /** In place of what it would say. */
  instead: ((response: ServerResponse) => void) | undefined;

  readonly listener: RequestListener = (request, response) => {
    const holds = request.headers[HELD] as string | undefined;
    if (request.url === '/v1/first') {
      answers(request, response);
      return;
    }
    this.asked.push(holds);
    if (this.instead !== undefined) {
      this.instead(response);
      return;
    }
    const tag = this.tag;
    if (holds === tag) response.writeHead(304, { [HELD_HEADER]: tag, 'Content-Length': 0 }).end();
    else this.tellAll(response, holds === undefined ? {} : { [HELD_HEADER]: tag });
  };

  get tag(): string {
    return createHash('sha1').update(this.body).digest('hex').slice(0, NOTHING_HELD.length);
  }

  tellAll(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const all = { 'Content-Type': 'application/json', 'X-Consul-Index': '7', ...headers };
    response.writeHead(200, { ...all, 'Content-Length': this.body.length }).end(this.body);
  }
}

async function asking(settings: Parameters<typeof agentBefore>[1] = {}) {
  const teller = new Teller();
  const agent = await agentBefore([teller.listener], settings);
  const client = await agent.connect();
  const read = () => agent.ask(client, getText(PATH));
  return { ...agent, teller, client, read };
}

describe('a read of which an agent holds the answer', () => {
  it('is asked each time, and told as before while the server says that it stands', async () => {
    const { teller, read } = await asking({ responseHeaders: { 'X-Ours': 'yes' } });
    const slow = await read();
    for (let i = 0; i < 3; i++) {
      const { head, body, isParsed } = await read();
      assert.deepEqual([String(body), isParsed], ['[1]', false]);
      assert.deepEqual(lines(head), lines(slow.head));
    }
    const { tag } = teller;
    assert.deepEqual(teller.asked, [undefined, NOTHING_HELD, tag, tag]);
  });

  it('is told what is new at once, and holds that', async () => {
    const { teller, read } = await asking();
    for (let i = 0; i < 2; i++) await read();
    for (const body of ['[1,2]', '[]', `["${'x'.repeat(100_000)}"]`]) {
      teller.body = body;
      for (let i = 0; i < 2; i++) assert.equal(String((await read()).body), body);
      assert.equal(teller.asked.at(-1), teller.tag);
    }
  });

  it('is told what the server meant where another one was told otherwise meanwhile', async () => {
    const { teller, read, connect, ask } = await asking();
    for (let i = 0; i < 2; i++) await read();
    const other = await connect();
    const held: ServerResponse[] = [];
    const { tag } = teller;
    teller.instead = (response) => void held.push(response);
    const first = ask(other, getText(PATH));
    await until(() => held.length === 1);
    teller.instead = undefined;
    teller.body = '[2]';
    assert.equal(String((await read()).body), '[2]');
    held[0]?.writeHead(304, { [HELD_HEADER]: tag, 'Content-Length': 0 }).end();
    assert.equal(String((await first).body), '[1]');
    assert.equal(String((await read()).body), '[2]');
    assert.equal(teller.asked.at(-1), teller.tag);
  });

  it('goes the long way where a server says of nothing that it stands, or breaks off', async () => {
    const ways: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(304, { 'Content-Length': 0 }).end(),
      (response) => {
        const headers = { [HELD_HEADER]: NOTHING_HELD, 'Content-Length': 100 };
        response.writeHead(200, headers).write('half');
        setImmediate(() => response.destroy());
      },
      (response) =>
        response
          .writeHead(200, { [HELD_HEADER]: NOTHING_HELD, 'Content-Length': 200_000 })
          .end('x'.repeat(200_000)),
    ];
    for (const way of ways) {
      const { teller, read } = await asking();
      await read();
      teller.instead = (response) => {
        teller.instead = undefined;
        way(response);
      };
      const { head, body, isParsed } = await read();
      assert.deepEqual([head.slice(0, 12), String(body), isParsed], ['HTTP/1.1 200', '[1]', true]);
      assert.equal(String((await read()).body), '[1]');
    }
  });

  it('takes no word of somebody else for that of the server', async () => {
    for (const tag of [{}, { [HELD_HEADER]: NOTHING_HELD }]) {
      const { teller, read } = await asking();
      for (let i = 0; i < 2; i++) await read();
      teller.body = '[2]';
      teller.instead = (response) => {
        teller.instead = undefined;
        response.writeHead(304, { ...tag, 'Content-Length': 0 }).end();
      };
      assert.equal(String((await read()).body), '[2]');
    }
  });

  it('is counted in the room of the fast path', async () => {
    const { teller, read, fastPath } = await asking();
    teller.body = `["${'x'.repeat(50_000)}"]`;
    await read();
    const before = fastPath.size.bytes;
    await read();
    assert.ok(fastPath.size.bytes - before >= 50_000);
  });

  it('is, before a real server, what that says by then, by whatever token', async () => {
    const server = await startServer();
    const { servers, connect, ask, tokens } = await agentBefore([]);
    servers.add([serverInfo('s0', `127.0.0.1:${server.port}`)]);
    const client = await connect();
    for (let i = 0; i < 5; i++) {
      await server.put('/v1/catalog/register', web('n1', { Address: `10.0.0.${i}` }));
      for (let n = 0; n < 3; n++) {
        if (n === 2) tokens.agent = `token-${i % 2}`;
        const { head, body } = await ask(client, getText(PATH));
        const direct = await server.get(PATH);
        assert.equal(String(body), direct.text);
        assert.doesNotMatch(head, new RegExp(HELD_HEADER, 'i'));
      }
    }
  });
});
