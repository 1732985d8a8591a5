import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { Heartbeat } from '../../../agent/servers/heartbeat.ts';
import { introduce } from '../../../agent/servers/introduction.ts';
import { Joiner } from '../../../agent/servers/joiner.ts';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { Upstream } from '../../../agent/servers/upstream.ts';
import { silentLogger } from '../../../lib/logger.ts';
import type { BeatAnswer, Introduction, ServerInfo } from '../../../lib/membership.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { until } from '../../support/until.ts';

const running: { stop(): void }[] = [];

afterEach(() => {
  for (const each of running.splice(0)) each.stop();
});

const json =
  (body: () => unknown): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body()));
  };

const info = (ID: string, host: string): ServerInfo => ({
  ID,
  Node: ID,
  Datacenter: 'dc1',
  Url: `http://${host}`,
});

function setUp(addresses: readonly string[] = []) {
  const clock = new FakeClock();
  const random = seededRandom(2);
  const servers = new ServerList(clock, random);
  const upstream = new Upstream({ servers, clock });
  const unknown: number[] = [];
  const heartbeat = new Heartbeat({
    upstream,
    servers,
    clock,
    logger: silentLogger,
    token: () => '',
    onUnknown: () => void unknown.push(clock.now()),
    onBack: () => undefined,
    onLost: () => undefined,
    beat: () => ({
      ID: 'n1-id',
      Node: 'n1',
      Address: '127.0.0.1',
      Datacenter: 'dc1',
      LanPort: 8301,
      Tags: {},
    }),
  });
  const joiner = new Joiner({
    servers,
    heartbeat,
    clock,
    random,
    logger: silentLogger,
    lanPort: 1,
    addresses,
    intervalMs: 30_000,
    maxAttempts: 0,
    onGivenUp: () => undefined,
  });
  running.push(joiner, upstream);
  return { clock, servers, heartbeat, joiner, unknown };
}

describe('the heartbeat of an agent', () => {
  it('says when the servers do not know its node, and follows their list', async () => {
    let answer: BeatAnswer = { Servers: [], Known: false, NextMs: 2000 };
    const { host } = await serveHttp(json(() => answer));
    const { clock, servers, heartbeat, unknown } = setUp();
    answer = { Servers: [info('a', host), info('b', '127.0.0.1:1')], Known: false, NextMs: 2000 };
    servers.add([info('old', host)]);
    await heartbeat.beatNow();
    assert.equal(unknown.length, 1);
    assert.deepEqual(
      servers.all.map(({ ID }) => ID),
      ['a', 'b'],
    );
    answer = { Servers: [info('a', host)], Known: true, NextMs: 8000 };
    await clock.advance(2000);
    await until(() => servers.size === 1);
    assert.equal(unknown.length, 1);
    assert.equal(heartbeat.scale, 4);
  });

  it('keeps the servers that it knows while none answers', async () => {
    const { clock, servers, heartbeat } = setUp();
    servers.add([info('gone', '127.0.0.1:1')]);
    await heartbeat.beatNow();
    await clock.advance(5000);
    assert.equal(servers.size, 1);
  });
});

describe('joining', () => {
  it('finds the servers that the other knows', async () => {
    const server = await serveHttp(json(() => ({ Servers: [], Known: true, NextMs: 2000 })));
    const introduction: Introduction = {
      ID: 'x',
      Node: 'other',
      Datacenter: 'dc1',
      Servers: [info('a', server.host)],
    };
    const { host, port } = await serveHttp(json(() => introduction));
    const { joiner, servers } = setUp();
    await joiner.join(host);
    assert.equal(servers.size, 1);
    for (const address of [`http://${host}`, `localhost:${port}`]) {
      assert.deepEqual(await introduce(address, 1), introduction);
    }
    assert.deepEqual(await introduce('127.0.0.1', port), introduction);
  });

  it('goes on until one of the addresses answers', async () => {
    const server = await serveHttp(json(() => ({ Servers: [], Known: true, NextMs: 2000 })));
    let ready = false;
    const { host } = await serveHttp((request, response) => {
      if (!ready) request.socket.destroy();
      else json(() => ({ Servers: [info('a', server.host)] }))(request, response);
    });
    const { joiner, servers, clock } = setUp(['127.0.0.1:1', host]);
    joiner.start();
    await clock.untilArmed();
    assert.equal(servers.size, 0);
    ready = true;
    await clock.advance(3000);
    await until(() => servers.size === 1);
  });

  it('says in Consul’s words why it failed', async () => {
    await assert.rejects(introduce('127.0.0.1:1', 8301), {
      message:
        '1 error occurred:\n\t* Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: connection refused\n\n',
    });
    await assert.rejects(introduce('', 8301), {
      message: '1 error occurred:\n\t* Failed to resolve : lookup : no such host\n\n',
    });
  });
});
