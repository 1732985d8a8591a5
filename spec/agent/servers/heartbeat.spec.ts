import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { Heartbeat, type HeartbeatOptions } from '../../../agent/servers/heartbeat.ts';
import type { BeatAnswer } from '../../../lib/membership.ts';
import { ORIGIN } from '../../../lib/place.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { json, serverInfo, stopped, upstreamTo } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

async function setUp(...listeners: readonly RequestListener[]) {
  return await setUpWith(undefined, ...listeners);
}

async function setUpWith(
  place: HeartbeatOptions['place'],
  ...listeners: readonly RequestListener[]
) {
  const { clock, servers, upstream, started } = await upstreamTo(...listeners);
  const said: string[] = [];
  const logger = new RecordingLogger();
  const body = {
    ID: 'n1-id',
    Node: 'n1',
    Address: '127.0.0.1',
    Datacenter: 'dc1',
    LanPort: 8301,
    Tags: {},
  };
  const heartbeat = stopped(
    new Heartbeat({
      upstream,
      servers,
      clock,
      logger,
      place,
      beat: () => ({ body, token: '' }),
      on: {
        unknown: () => void said.push('unknown'),
        back: () => void said.push('back'),
        lost: () => void said.push('lost'),
      },
    }),
  );
  return { clock, servers, heartbeat, said, logger, started };
}

describe('the heartbeat of an agent', () => {
  it('says when the servers do not know its node, and follows their list', async () => {
    let answer: BeatAnswer = { Servers: [], Known: false, NextMs: 2000 };
    const { clock, servers, heartbeat, said, started } = await setUp(json(() => answer));
    const host = started[0]?.host ?? '';
    answer = {
      Servers: [serverInfo('a', host), serverInfo('b', '127.0.0.1:1')],
      Known: false,
      NextMs: 2000,
    };
    await heartbeat.beatNow();
    assert.deepEqual(said, ['unknown']);
    assert.deepEqual(
      servers.all.map(({ ID }) => ID),
      ['a', 'b'],
    );
    answer = { Servers: [serverInfo('a', host)], Known: true, NextMs: 8000 };
    await clock.advance(2000);
    await until(() => servers.size === 1);
    assert.deepEqual(said, ['unknown']);
    assert.equal(heartbeat.scale, 4);
  });

  it('hears of a server that it only measures how far that is, and of its own what there is', async () => {
    const own = 'node:n1';
    let key = own;
    const told: string[] = [];
    const Here = { Server: 's', Coord: ORIGIN, TookMs: 0 };
    const place = {
      keyOf: () => key,
      told: (by: string) => {
        told.push(by);
        return { Coord: ORIGIN, Server: '', Seconds: 0 };
      },
      heard: () => undefined,
    };
    let answer: BeatAnswer = { Servers: [], Known: true, NextMs: 2000, Here };
    const each = json(() => answer);
    const { servers, heartbeat, said, started } = await setUpWith(place, each, each);
    const both = started.map(({ host }, i) => serverInfo(`s${i}`, host));
    answer = { ...answer, Servers: both };
    await heartbeat.beatNow();
    key = 'place:1';
    answer = { ...answer, Servers: both.slice(0, 1), Known: false };
    await heartbeat.beatNow();
    assert.deepEqual([servers.size, said], [2, ['back']]);
    key = own;
    await heartbeat.beatNow();
    assert.deepEqual([servers.size, said], [1, ['back', 'unknown']]);
    assert.deepEqual(told, [own, 'place:1', own]);
  });

  it('keeps the servers that it knows while none answers, and says so once', async () => {
    const { clock, servers, heartbeat, logger } = await setUp();
    servers.add([serverInfo('gone', '127.0.0.1:1')]);
    await heartbeat.beatNow();
    for (let i = 0; i < 10; i++) {
      await clock.advance(500);
      await heartbeat.beatNow();
    }
    assert.equal(servers.size, 1);
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines[0] ?? '', /^warn agent: no server takes a sign of life/);
  });

  it('that the servers refuse says why, once, and beats less often', async () => {
    let beats = 0;
    const { clock, heartbeat, logger } = await setUp((request, response) => {
      beats++;
      request.resume();
      // As servers do, which say how long an answer is.
      response.statusCode = 500;
      response.end('Node name n1 is reserved by node x (10.0.0.9), which is alive');
    });
    const refusal = await heartbeat.beatNow();
    assert.match(refusal ?? '', /reserved by node x/);
    await clock.advance(4999);
    assert.equal(beats, 1);
    await clock.advance(1);
    await until(() => beats === 2);
    assert.equal(await heartbeat.beatNow(), refusal);
    assert.deepEqual(logger.lines, [`error agent: the servers refuse this agent: ${refusal}`]);
  });

  it('that finds every server busy or without a leader is not refused', async () => {
    for (const [status, headers] of [
      [429, {}],
      [500, { 'X-Proconsul-Applied': 'no' }],
    ] as const) {
      const { heartbeat, logger } = await setUp((request, response) => {
        request.resume();
        response.writeHead(status, headers).end('not now');
      });
      assert.equal(await heartbeat.beatNow(), undefined);
      assert.match(logger.lines.join(), /^warn /);
    }
  });

  it('takes what is no answer to a beat for no server, and goes on', async () => {
    const server = { ID: 'a', Node: 'a', Datacenter: 'dc1', Url: 'http://127.0.0.1:1' };
    const like = (parts: object) =>
      JSON.stringify({ Servers: [server], Known: true, NextMs: 2000, ...parts });
    for (const text of [
      'null',
      '<html>',
      '{}',
      '[]',
      like({ Servers: [null] }),
      like({ Servers: [{ ...server, Url: 5 }] }),
      like({ Servers: [{ ...server, Url: 'file:///etc' }] }),
      like({ Servers: { length: 1 } }),
      like({ NextMs: 'soon' }),
      like({ Known: 'yes' }),
    ]) {
      const { heartbeat, logger } = await setUp((request, response) => {
        request.resume();
        response.end(text);
      });
      assert.equal(await heartbeat.beatNow(), undefined);
      assert.match(logger.lines.join(), /^warn agent: a server does not take a sign of life: 200/);
    }
  });

  it('tries four times as often for a moment while no server answers, and then as often as it beats', async () => {
    let isAway = false;
    let beats = 0;
    const { clock, heartbeat } = await setUp((request, response) => {
      request.resume();
      beats++;
      response.statusCode = isAway ? 503 : 200;
      response.end(JSON.stringify({ Servers: [], Known: true, NextMs: 16_000 }));
    });
    await heartbeat.beatNow();
    isAway = true;
    for (const ms of [16_000, 4000, 4000, 4000, 4000, 8000, 8000]) {
      const before = beats;
      await clock.advance(ms - 1);
      assert.equal(beats, before);
      await clock.advance(1);
      await until(() => beats === before + 1);
      await clock.untilArmed();
    }
    isAway = false;
    await clock.advance(8000);
    await until(() => beats === 9);
  });

  it('asks servers that answer too late no more often, and waits for each as long as a lease leaves', async () => {
    let begun = 0;
    let isLate = false;
    const { clock, heartbeat } = await setUp((request, response) => {
      request.resume();
      begun++;
      if (isLate) return;
      const text = JSON.stringify({ Servers: [], Known: true, NextMs: 4000 });
      response.writeHead(200, { 'Content-Length': text.length }).end(text);
    });
    await heartbeat.beatNow();
    isLate = true;
    for (let i = 0; i < 5; i++) {
      await clock.advance(3999);
      await clock.advance(1);
      await clock.untilArmed();
      let isOver = false;
      const beating = heartbeat.beatNow().then(() => {
        isOver = true;
      });
      await clock.advance(1499);
      assert.equal(isOver, false);
      await clock.advance(1);
      await beating;
    }
    // By one connection, and then by another: the first was silent for too long.
    assert.equal(begun, 3);
  });

  it('asks for other servers when none has answered a few times: those it was told of may be one of three', async () => {
    const { servers, heartbeat, said } = await setUp();
    servers.add([serverInfo('gone', '127.0.0.1:1')]);
    for (let i = 0; i < 3; i++) await heartbeat.beatNow();
    assert.deepEqual(said, ['lost']);
  });

  it('goes to another server where what answers at its own is none, whatever it says', async () => {
    const answer: BeatAnswer = { Servers: [], Known: true, NextMs: 2000 };
    const page: RequestListener = (request, response) => {
      request.resume();
      response.end('<html>');
    };
    for (const pair of [
      [page, json(() => answer)],
      [json(() => answer), page],
    ]) {
      const { heartbeat, said } = await setUp(...pair);
      await heartbeat.beatNow();
      assert.deepEqual([heartbeat.isHeard, said], [true, ['back']]);
    }
  });

  it('looks for other servers where those that it knows refuse it again and again', async () => {
    const { clock, heartbeat, said } = await setUp(json(() => 'page not found', 404));
    for (let i = 0; i < 3; i++) {
      assert.match((await heartbeat.beatNow()) ?? '', /page not found/);
      await clock.advance(100);
    }
    assert.deepEqual(said, ['lost']);
  });

  it('is over with the beat under way when it stops: no other server hears of it', async () => {
    let asked = 0;
    const silent: RequestListener = (request) => {
      asked++;
      request.resume();
    };
    const { clock, heartbeat } = await setUp(silent, silent);
    const beat = heartbeat.beatNow();
    await until(() => asked === 1);
    heartbeat.stop();
    await clock.advance(1500);
    await beat;
    assert.equal(asked, 1);
  });
});
