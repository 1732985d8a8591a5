import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { NOTHING_HELD } from '../../../lib/http/held.ts';
import { agentBefore, answers, later } from '../../support/servers/passing-agent.ts';
import { getText, withoutDate } from '../../support/servers/raw-client.ts';
import { until } from '../../support/until.ts';

const PATH = '/v1/health/service/web?passing';
/** So often looked at without a change, nothing moves any more. */
const STILL = 50;

/** For how long a connection is kept is its own affair. */
const lines = (head: string) =>
  withoutDate(head)
    .split('\r\n')
    .filter((line) => !line.startsWith('Keep-Alive:'))
    .sort();

describe('a read that an agent passes on unparsed', () => {
  it('has the same lines and body as by the long way, and looks the same to the server', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const { connect, ask } = await agentBefore([
      (request, response) => {
        seen.push(request.headers);
        answers(request, response);
      },
    ]);
    const client = await connect();
    const headers = { 'X-Consul-Token': 'one', Origin: 'http://a', 'X-Other': 'b', Accept: '*/*' };
    for (const text of [getText(PATH), getText(PATH, headers)]) {
      const slow = await ask(client, text);
      const fast = await ask(client, text);
      assert.deepEqual([slow.isParsed, fast.isParsed], [true, false]);
      assert.deepEqual(lines(fast.head), lines(slow.head));
      assert.equal(String(fast.body), '[1]');
    }
    const [, , , plain, fast] = seen;
    assert.deepEqual(seen[2], { ...seen[1], 'x-proconsul-held': NOTHING_HELD });
    assert.equal(fast?.['x-consul-token'], 'one');
    // Beside what the client said it says what it holds.
    assert.deepEqual(fast, { ...plain, 'x-proconsul-held': NOTHING_HELD });
  });

  it('brings the agent’s token as it is by now, and the agent’s headers', async () => {
    const seen: unknown[] = [];
    const { connect, ask, tokens } = await agentBefore(
      [
        (request, response) => {
          seen.push(request.headers['x-consul-token']);
          answers(request, response);
        },
      ],
      { responseHeaders: { 'X-Ours': 'yes', 'x-consul-index': '1' } },
    );
    const client = await connect();
    const slow = await ask(client, getText(PATH));
    tokens.agent = 'another';
    const fast = await ask(client, getText(PATH));
    assert.equal(fast.isParsed, false);
    assert.deepEqual(seen.slice(1), ['default-token', 'another']);
    assert.match(fast.head, /\r\nX-Ours: yes\r\n/);
    assert.deepEqual(lines(fast.head), lines(slow.head));
  });

  it('goes the long way where the server refuses, and says what that says', async () => {
    const { connect, ask } = await agentBefore([
      later((response) => response.writeHead(403, { 'Content-Length': 2 }).end('no')),
    ]);
    const client = await connect();
    await ask(client, getText(PATH));
    for (let i = 0; i < 2; i++) {
      const { head, body, isParsed } = await ask(client, getText(PATH));
      assert.match(head, /^HTTP\/1.1 403 /);
      assert.equal(String(body), 'rpc error making call: no');
      assert.equal(isParsed, true);
    }
  });

  it('goes to another server when its own has no leader, hangs up or says nothing', async () => {
    const ways: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(500, { 'X-Proconsul-Applied': 'no' }).end('none'),
      (response) => void response.socket?.destroy(),
      () => undefined,
    ];
    for (const way of ways) {
      let asked = 0;
      const first = later((response) => {
        asked++;
        way(response);
      });
      const { connect, ask, clock } = await agentBefore([first, later(way), answers]);
      const client = await connect();
      await ask(client, getText(PATH));
      const answer = ask(client, getText(PATH));
      let isOver = false;
      void answer.then(() => {
        isOver = true;
      });
      await until(async () => {
        await clock.advance(1000);
        return isOver;
      });
      const { head, body } = await answer;
      assert.deepEqual([head.slice(0, 12), String(body)], ['HTTP/1.1 200', '[1]']);
      assert.ok(asked <= 2);
    }
  });

  it('is cut off for the client where the server’s answer breaks off or falls silent', async () => {
    for (const isSilent of [false, true]) {
      const { connect, ask, clock } = await agentBefore([
        later((response) => {
          response.writeHead(200, { 'Content-Length': 100 }).write('half');
          if (!isSilent) setImmediate(() => response.destroy());
        }),
      ]);
      const client = await connect();
      await ask(client, getText(PATH));
      client.send(getText(PATH));
      await until(() => client.rest().endsWith('half'));
      await until(async () => {
        if (isSilent) await clock.advance(1000);
        return client.hasEnded;
      });
    }
  });

  it('is held back while its client does not read, and let go of when it never does', async () => {
    const part = Buffer.alloc(1024 * 1024, 'x');
    let sent = 0;
    let isClosed = false;
    const { connect, ask, clock } = await agentBefore([
      later((response) => {
        response.writeHead(200, { 'Content-Length': 1024 * part.length });
        response.once('close', () => {
          isClosed = true;
        });
        const more = () => {
          sent++;
          if (response.write(part)) setImmediate(more);
          else response.once('drain', more);
        };
        more();
      }),
    ]);
    const client = await connect();
    await ask(client, getText(PATH));
    client.pause();
    client.send(getText(PATH));
    let before = -1;
    let looks = 0;
    await until(() => {
      looks = sent === before ? looks + 1 : 0;
      before = sent;
      return looks === STILL;
    });
    assert.ok(sent < 64, `${sent} MB are on their way to somebody who does not read`);
    await until(async () => {
      await clock.advance(10_000);
      return isClosed;
    });
  });

  it('ends at the server when its client goes', async () => {
    let isClosed = false;
    let isAsked = false;
    const { connect, ask, upstream } = await agentBefore([
      later((response) => {
        isAsked = true;
        response.once('close', () => {
          isClosed = true;
        });
      }),
    ]);
    const client = await connect();
    await ask(client, getText(PATH));
    client.send(getText(PATH));
    await until(() => isAsked);
    assert.equal(upstream.underWay('client'), 1);
    client.reset();
    await until(() => isClosed);
    assert.equal(upstream.underWay('client'), 0);
  });

  it('is refused beyond the rate, and has a place among the others', async () => {
    const { connect, ask, clock } = await agentBefore([answers], {
      rate: { perSecond: 1, burst: 3 },
    });
    const client = await connect();
    await ask(client, getText(PATH));
    assert.equal((await ask(client, getText(PATH))).isParsed, false);
    const refused = await ask(client, getText(PATH));
    assert.match(refused.head, /^HTTP\/1.1 429 /);
    await clock.advance(1000);
    assert.equal((await ask(client, getText(PATH))).isParsed, false);
  });

  it('is passed on again a while after its server said with an answer that it ends', async () => {
    let isStopping = false;
    const { connect, ask, clock } = await agentBefore([
      (request, response) => {
        if (isStopping) response.setHeader('Connection', 'close');
        answers(request, response);
      },
    ]);
    const client = await connect();
    const text = getText(PATH);
    const isParsed = async () => (await ask(client, text)).isParsed;
    assert.deepEqual([await isParsed(), await isParsed()], [true, false]);
    isStopping = true;
    assert.equal(await isParsed(), true);
    isStopping = false;
    assert.deepEqual([await isParsed(), await isParsed()], [true, true]);
    await clock.advance(30_000);
    assert.equal(await isParsed(), false);
  });

  it('is counted once where it goes the long way for something in between', async () => {
    const { connect, ask } = await agentBefore(
      [
        later((response) =>
          response.writeHead(200, { Connection: 'close', 'Content-Length': 3 }).end('[1]'),
        ),
      ],
      { rate: { perSecond: 0, burst: 6 } },
    );
    const client = await connect();
    const statuses: string[] = [];
    // The second twice, for it finds out: with the connection's first that is six.
    for (let i = 0; i < 4; i++) {
      statuses.push((await ask(client, getText(PATH))).head.slice(9, 12));
    }
    assert.deepEqual(statuses, ['200', '200', '200', '200']);
  });

  it('is asked elsewhere once its server is gone from the list', async () => {
    const held: ServerResponse[] = [];
    const hold = () => later((response) => void held.push(response));
    const { connect, ask, servers } = await agentBefore([hold(), hold()]);
    const client = await connect();
    await ask(client, getText(PATH));
    const answer = ask(client, getText(PATH));
    await until(() => held.length === 1);
    const owner = servers.inOrder('web')[0]?.ID;
    servers.replace(servers.all.filter(({ ID }) => ID !== owner));
    assert.equal(String((await answer).body), '[1]');
  });
});
