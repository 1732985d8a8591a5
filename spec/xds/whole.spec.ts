/** Streams that tell the state of the world, as a client of the protocol sees them. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import {
  ADS,
  EDS,
  endpointsIn,
  openAds,
  startXds,
  type TestXds,
  type Told,
  XdsClient,
} from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

const sayPort = ({ agent }: TestXds, name: string, port: number) =>
  agent.sayInstances(name, [instance('a', { port })]);

const named = ({ resources }: Told) => resources.map(({ cluster_name }) => cluster_name);

const open = (xds: TestXds, service = EDS, method = 'StreamEndpoints', token = '') =>
  new XdsClient(xds.port).stream(service, method, token);

describe('a stream of the state of the world', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('tells a change once, and answers no acknowledgement', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const stream = open(xds);
    stream.subscribe(['web']);
    const first = await stream.answer(0);
    assert.equal(
      first.type_url,
      'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    );
    assert.notEqual(first.nonce, '');
    assert.notEqual(first.version_info, '');
    stream.ack(first, ['web']);
    sayPort(xds, 'web', 2);
    const second = await stream.answer(1);
    assert.deepEqual(endpointsIn(second.resources[0]), ['0  10.0.0.1:2 HEALTHY 1']);
    assert.notEqual(second.version_info, first.version_info);
    assert.notEqual(second.nonce, first.nonce);
  });

  it('says nothing when the catalog comes to the same', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const stream = open(xds);
    stream.subscribe(['web']);
    stream.ack(await stream.answer(0), ['web']);
    sayPort(xds, 'web', 1);
    await until(() => xds.agent.asked.filter(({ path }) => path.endsWith('/web')).length >= 3);
    sayPort(xds, 'web', 2);
    const next = await stream.answer(1);
    assert.deepEqual(endpointsIn(next.resources[0]), ['0  10.0.0.1:2 HEALTHY 1']);
    assert.equal(stream.told.length, 2);
  });

  it('answers other names at once, and tells of those alone that were not told', async () => {
    const xds = await startXds();
    for (const [i, name] of ['web', 'db', 'api'].entries()) sayPort(xds, name, i + 1);
    const stream = open(xds);
    stream.subscribe(['web']);
    const first = await stream.answer(0);
    stream.ack(first, ['web', 'db']);
    const second = await stream.answer(1);
    assert.deepEqual(named(second), ['db']);
    stream.ack(second, ['db']);
    // Who asks for it again is told of it again, though nothing has changed.
    stream.ack(second, ['db', 'web']);
    assert.deepEqual(named(await stream.answer(2)), ['web']);
  });

  it('tells nothing more of a name that is not asked for any more', async () => {
    const xds = await startXds();
    for (const name of ['web', 'db']) sayPort(xds, name, 1);
    const stream = open(xds);
    stream.subscribe(['web', 'db']);
    const first = await stream.answer(0);
    stream.ack(first, ['db']);
    // An answer of the third shows that the second request was read.
    stream.ack(first, ['db', 'api']);
    await stream.answer(1);
    sayPort(xds, 'web', 2);
    sayPort(xds, 'db', 2);
    assert.deepEqual(named(await stream.answer(2)), ['db']);
  });

  it('passes over a request that was sent before its last answer had come', async () => {
    const xds = await startXds();
    for (const name of ['web', 'db']) sayPort(xds, name, 1);
    const stream = open(xds);
    stream.subscribe(['web']);
    const first = await stream.answer(0);
    sayPort(xds, 'web', 2);
    const second = await stream.answer(1);
    stream.ack(first, ['web', 'db']);
    stream.ack(second, ['web', 'api']);
    assert.deepEqual(named(await stream.answer(2)), ['api']);
    assert.equal(stream.told.length, 3);
  });

  it('logs and counts a refusal, and does not repeat what was refused', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const stream = open(xds);
    stream.subscribe(['web']);
    const first = await stream.answer(0);
    stream.ack(first, ['web'], {
      version_info: '',
      error_detail: { code: 3, message: 'malformed IP address' },
    });
    await until(() => xds.logger.lines.some((line) => line.includes('malformed IP address')));
    const line = xds.logger.lines.find((each) => each.includes('malformed'));
    assert.match(line ?? '', /^warn xds: a client refused what it was told.*client-1/);
    const refusals = xds.xds.metrics().find(({ name }) => name === 'proconsul.xds.refusals');
    assert.equal(refusals?.kind === 'counter' && refusals.read(), 1);
    sayPort(xds, 'web', 2);
    assert.deepEqual(endpointsIn((await stream.answer(1)).resources[0]), [
      '0  10.0.0.1:2 HEALTHY 1',
    ]);
  });

  it('writes no log for a client that refuses without end', async () => {
    const xds = await startXds();
    const stream = open(xds);
    stream.subscribe(['web']);
    const first = await stream.answer(0);
    const long = 'y'.repeat(10_000);
    for (let i = 0; i < 200; i++)
      stream.ack(first, ['web'], {
        type_url: long,
        error_detail: { code: 3, message: `${i} ${long}` },
      });
    const refusals = xds.xds.metrics().find(({ name }) => name === 'proconsul.xds.refusals');
    await until(() => refusals?.kind === 'counter' && refusals.read() === 200);
    const lines = () => xds.logger.lines.filter((each) => each.includes('refused'));
    assert.equal(lines().length, 20);
    assert.ok(lines().every((line) => line.length < 1500));
  });

  it('answers a client that comes again with the version that it has', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const before = open(xds);
    before.subscribe(['web']);
    const { version_info } = await before.answer(0);
    before.close();
    const stream = open(xds);
    stream.subscribe(['web'], { version_info });
    const again = await stream.answer(0);
    assert.equal(again.version_info, version_info);
    assert.deepEqual(named(again), ['web']);
  });

  it('is shared with streams of all kinds where each request says its own', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const stream = open(xds, ADS, 'StreamAggregatedResources');
    stream.subscribe(['web']);
    assert.deepEqual(named(await stream.answer(0)), ['web']);
    // Of what is not served, nobody is told anything, and the stream goes on.
    stream.send({ type_url: 'type.googleapis.com/envoy.service.runtime.v3.Runtime' });
    stream.subscribe(['web', 'db']);
    assert.deepEqual(named(await stream.answer(1)), ['db']);
  });

  it('makes and writes a resource once for all who have the same rights', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const streams = [open(xds), open(xds), open(xds)];
    for (const stream of streams) stream.subscribe(['web']);
    await Promise.all(streams.map((stream) => stream.answer(0)));
    const asked = xds.agent.asked.filter(({ path }) => path === '/v1/health/service/web');
    // The one that is answered, and the one that waits.
    assert.ok(asked.length <= 2, `${asked.length}`);
    sayPort(xds, 'web', 2);
    const told = await Promise.all(streams.map((stream) => stream.answer(1)));
    assert.equal(new Set(told.map(({ version_info }) => version_info)).size, 1);
  });

  it('begins with nothing while the state is not known, so that clients keep what they have', async () => {
    const xds = await startXds();
    xds.state.isReady = false;
    const early = open(xds);
    early.subscribe(['web']);
    assert.equal(await early.ended(), status.UNAVAILABLE);
    assert.equal(early.told.length, 0);
    xds.state.isReady = true;
    xds.agent.isAway = true;
    const stream = open(xds);
    stream.subscribe(['web']);
    await until(() => xds.agent.asked.length > 0);
    xds.agent.isAway = false;
    sayPort(xds, 'web', 1);
    await until(async () => {
      await xds.clock.advance(500);
      return stream.told.length > 0;
    });
    assert.deepEqual(endpointsIn(stream.told[0]?.resources[0]), ['0  10.0.0.1:1 HEALTHY 1']);
  });

  it('keeps to what it told while the agent is away', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const stream = open(xds);
    stream.subscribe(['web']);
    stream.ack(await stream.answer(0), ['web']);
    xds.agent.isAway = true;
    xds.agent.wake();
    await until(() => xds.logger.lines.some((line) => line.includes('what was told stands')));
    xds.agent.isAway = false;
    sayPort(xds, 'web', 2);
    await until(async () => {
      await xds.clock.advance(500);
      return stream.told.length > 1;
    });
    assert.deepEqual(endpointsIn(stream.told[1]?.resources[0]), ['0  10.0.0.1:2 HEALTHY 1']);
  });

  it('takes many names some at a time, and tells of all of them or of none', async () => {
    const xds = await startXds();
    const stream = openAds(xds);
    const names = Array.from({ length: 1000 }, (_, i) => `s${i}`);
    let [most, before, isOver] = [0, 0, false];
    const look = () => {
      const now = xds.agent.asked.length;
      most = Math.max(most, now - before);
      before = now;
      if (!isOver) setImmediate(look);
    };
    look();
    stream.subscribe(names, {}, 'clusters');
    await stream.last('clusters');
    isOver = true;
    assert.deepEqual(
      stream.ofKind('clusters').map(({ resources }) => resources.length),
      [1000],
    );
    assert.ok(most < 400, String(most));
  });

  it('ends with words where more is asked than may be', async () => {
    const xds = await startXds();
    const stream = open(xds);
    stream.subscribe([`a${'b'.repeat(2000)}`]);
    assert.equal(await stream.ended(), status.RESOURCE_EXHAUSTED);
    assert.match(stream.details, /a name of more than 1024 characters/);
  });

  it('leaves nothing behind when its client goes', async () => {
    const xds = await startXds();
    sayPort(xds, 'web', 1);
    const stream = open(xds);
    stream.subscribe(['web']);
    await stream.answer(0);
    const read = (name: string) => {
      const metric = xds.xds.metrics().find((each) => each.name === name);
      return metric?.kind === 'gauge' ? metric.read() : undefined;
    };
    assert.equal(read('proconsul.xds.streams'), 1);
    assert.equal(read('proconsul.xds.questions'), 1);
    stream.close();
    await until(() => read('proconsul.xds.streams') === 0);
    assert.equal(read('proconsul.xds.questions'), 0);
    assert.equal(read('proconsul.xds.resources'), 0);
  });
});
