import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { UpstreamRequest } from '../../../agent/servers/upstream.ts';
import { BEAT_PATH, LEAVE_PATH } from '../../../lib/membership.ts';
import { upstreamTo } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

const BEAT: UpstreamRequest = {
  way: 'beat',
  method: 'PUT',
  target: BEAT_PATH,
  key: 'node:n1',
  token: '',
  body: Buffer.from('{"Node":"n1"}'),
  timeoutMs: 1500,
  repeatable: true,
};

/** Reads all of it, and then does this. */
function once(does: (...args: Parameters<RequestListener>) => void): RequestListener {
  return (request, response) => {
    request.resume().once('end', () => does(request, response));
  };
}

describe('the beats of an agent', () => {
  it('go by one connection, and the way there is measured by what needs no new one', async () => {
    const sockets = new Set<Socket>();
    const seen: unknown[] = [];
    const { upstream } = await upstreamTo((request, response) => {
      sockets.add(request.socket);
      const { method, url, headers } = request;
      seen.push([
        method,
        url,
        headers['x-proconsul-node'],
        headers['x-consul-token'],
        headers['x-a'],
      ]);
      request.pipe(response.setHeader('Content-Length', headers['content-length'] ?? ''));
    });
    const told: (number | undefined)[] = [];
    const onAnswer = (ms: number | undefined) => void told.push(ms);
    for (let i = 0; i < 3; i++) {
      const beat = { ...BEAT, token: 'secret', headers: { 'x-a': '1' }, onAnswer };
      const { status, body } = await upstream.ask(beat);
      assert.deepEqual([status, body.toString()], [200, '{"Node":"n1"}']);
    }
    assert.deepEqual(seen[2], ['PUT', BEAT_PATH, 'n1', 'secret', '1']);
    assert.deepEqual([sockets.size, told], [1, [undefined, 0, 0]]);
  });

  it('are taken though the server has closed the connection that was kept, and blame it for nothing', async () => {
    let beats = 0;
    const { upstream, servers } = await upstreamTo(
      once(({ socket }, response) => {
        if (++beats === 2) socket.resetAndDestroy();
        else response.end('ok');
      }),
    );
    await upstream.ask(BEAT);
    assert.equal((await upstream.ask(BEAT)).body.toString(), 'ok');
    assert.deepEqual([beats, servers.breaker.isFailing('s0')], [3, false]);
  });

  it('go to another server when one is silent, or has no leader', async () => {
    for (const isSilent of [true, false]) {
      let asked = 0;
      let isLeft = false;
      const away: RequestListener = once(({ socket }, response) => {
        asked++;
        socket.once('close', () => {
          isLeft = true;
        });
        if (isSilent) return;
        response.statusCode = 500;
        response.setHeader('X-Proconsul-Applied', 'no').end('No cluster leader');
      });
      const well = once((_, response) => void response.end('well'));
      const { upstream, servers, clock, started } = await upstreamTo(away, well);
      const hosts = started.map(({ host }) => `http://${host}`);
      const of = (key: string) => servers.first(key)?.Url;
      const keys = Array.from({ length: 64 }, (_, i) => `${i}`);
      const key = keys.find((each) => of(each) === hosts[0]) ?? '';
      const answered = upstream.ask({ ...BEAT, key });
      await until(() => asked > 0);
      if (isSilent) await clock.advance(1500);
      assert.equal((await answered).body.toString(), 'well');
      assert.equal(servers.breaker.isFailing('s0'), isSilent);
      // Its files are for its own agents.
      if (isSilent) await until(() => isLeft);
    }
  });

  it('wait at a silent server for the answer to the one before, by the same connection, until it is taken for gone', async () => {
    const silent: (() => void)[] = [];
    const sockets = new Set<Socket>();
    const { upstream, clock } = await upstreamTo(
      once(({ socket }, response) => {
        sockets.add(socket);
        silent.push(() => void response.end('late'));
      }),
    );
    const told: unknown[] = [];
    const onAnswer = (ms: number | undefined) => void told.push(ms);
    for (let i = 0; i < 2; i++) {
      const asked = assert.rejects(upstream.ask({ ...BEAT, onAnswer }), { code: 'unavailable' });
      await until(() => silent.length === 1);
      await clock.advance(1500);
      await asked;
    }
    const asked = upstream.ask({ ...BEAT, onAnswer });
    await clock.untilArmed();
    silent[0]?.();
    assert.equal((await asked).body.toString(), 'late');
    assert.deepEqual([silent.length, sockets.size, told], [1, 1, []]);
    const again = assert.rejects(upstream.ask(BEAT), { code: 'unavailable' });
    await until(() => silent.length === 2);
    await clock.advance(1500);
    await again;
    await clock.advance(18_500);
    void upstream.ask(BEAT).catch(() => undefined);
    await until(() => silent.length === 3);
    assert.equal(sockets.size, 2);
  });

  it('have the answer to the one before that came when nobody waited any more, unless it is of another token', async () => {
    const silent: (() => void)[] = [];
    const { upstream, clock } = await upstreamTo(
      once(({ headers }, response) => {
        silent.push(() => void response.end(headers['x-consul-token'] ?? 'late'));
      }),
    );
    const missed = assert.rejects(upstream.ask(BEAT), { code: 'unavailable' });
    await until(() => silent.length === 1);
    await clock.advance(1500);
    await missed;
    silent[0]?.();
    // Until it has come.
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    // What was said then counts where nothing is answered now.
    const asked = upstream.ask(BEAT);
    await until(() => silent.length === 2);
    await clock.advance(1500);
    assert.equal((await asked).body.toString(), 'late');
    const other = upstream.ask({ ...BEAT, token: 'other' });
    silent[1]?.();
    await until(() => silent.length === 3);
    silent[2]?.();
    assert.equal((await other).body.toString(), 'other');
  });

  it('come before the news that the agent leaves, which is no beat', async () => {
    const held: [string | undefined, () => void][] = [];
    const { upstream } = await upstreamTo(
      once(({ url }, response) => void held.push([url, () => void response.end(url)])),
    );
    const beat = upstream.ask(BEAT);
    await until(() => held.length === 1);
    const leaving = upstream.ask({ ...BEAT, target: LEAVE_PATH });
    held[0]?.[1]();
    assert.equal((await beat).body.toString(), BEAT_PATH);
    await until(() => held.length === 2);
    held[1]?.[1]();
    assert.equal((await leaving).body.toString(), LEAVE_PATH);
    assert.deepEqual(
      held.map(([url]) => url),
      [BEAT_PATH, LEAVE_PATH],
    );
  });

  it('are said twice once to what answers otherwise than servers do, and then in the long way alone', async () => {
    let beats = 0;
    const { upstream, clock } = await upstreamTo(
      once((_, response) => {
        beats++;
        response.write('in ');
        response.end('chunks');
      }),
    );
    for (const expected of [2, 3, 4]) {
      assert.equal((await upstream.ask(BEAT)).body.toString(), 'in chunks');
      assert.equal(beats, expected);
    }
    await clock.advance(30_000);
    await upstream.ask(BEAT);
    assert.equal(beats, 6);
  });

  it('are answered by what speaks HTTP/1.0 too', async () => {
    const { upstream } = await upstreamTo(
      once(({ socket }) => {
        socket.write('HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok');
      }),
    );
    const { status, body } = await upstream.ask(BEAT);
    assert.deepEqual([status, body.toString()], [200, 'ok']);
  });

  it('with what no header may hold are refused as Node does, and nothing of it is sent', async () => {
    let beats = 0;
    const { upstream } = await upstreamTo(() => void beats++);
    const headers = { 'x-a': 'a\u010aX-Consul-Token: b' };
    await assert.rejects(upstream.ask({ ...BEAT, headers }), { code: 'invalid' });
    assert.equal(beats, 0);
  });

  it('end with the agent', async () => {
    const open: Socket[] = [];
    const { upstream } = await upstreamTo(once(({ socket }) => void open.push(socket)));
    const asked = assert.rejects(upstream.ask(BEAT), { code: 'unavailable' });
    await until(() => open.length === 1);
    upstream.stop();
    await asked;
    await until(() => open[0]?.destroyed === true);
  });
});
