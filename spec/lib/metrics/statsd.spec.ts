import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Meter } from '../../../lib/metrics/meter.ts';
import { counter, gauge, type Metric, timing } from '../../../lib/metrics/metric.ts';
import { Sample } from '../../../lib/metrics/sample.ts';
import { type Sink, Statsd } from '../../../lib/metrics/statsd.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { until } from '../../support/until.ts';

describe('statsd', () => {
  const ending: (() => void)[] = [];
  afterEach(() => {
    for (const end of ending.splice(0)) end();
  });

  async function listen() {
    const socket: Socket = createSocket('udp4');
    const datagrams: string[] = [];
    socket.on('message', (message) => datagrams.push(message.toString()));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    ending.push(() => socket.close());
    return { datagrams, port: socket.address().port };
  }

  function start(sinks: readonly Sink[], metrics: readonly Metric[]) {
    const clock = new FakeClock();
    const logger = new RecordingLogger();
    const meter = new Meter(clock);
    const filter = { allowed: [], blocked: ['consul.no'], byDefault: true };
    const naming = () => ({ prefix: 'consul', host: 'h1', filter });
    const statsd = new Statsd({ sinks, meter, naming, clock, logger });
    meter.start(metrics);
    statsd.start();
    ending.push(
      () => statsd.stop(),
      () => meter.stop(),
    );
    return { clock, logger };
  }

  it("is sent Consul's lines: gauges with the host, labels as parts of the name", async () => {
    const { datagrams, port } = await listen();
    let calls = 3;
    const sample = new Sample();
    const metrics = [
      gauge('raft.last_index', '', () => 17),
      counter('client.rpc', '', () => calls, { node: 'n:1' }),
      timing('kvs.apply', '', sample),
      counter('no.thing', '', () => 1),
    ];
    const sink = { format: 'statsd', host: '127.0.0.1', port, tags: ['a:b'] } as const;
    const { clock } = start([sink], metrics);
    sample.observe(0.25);
    await clock.advance(1000);
    await until(() => datagrams.length === 1);
    assert.equal(
      datagrams[0],
      'consul.h1.raft.last_index:17|g\nconsul.client.rpc.n_1:3|c\nconsul.kvs.apply:0.25|ms\n',
    );
    calls = 8;
    await clock.advance(1000);
    await until(() => datagrams.length === 2);
    assert.equal(datagrams[1], 'consul.h1.raft.last_index:17|g\nconsul.client.rpc.n_1:5|c\n');
  });

  it('is sent tags by dogstatsd, and the same values as another sink', async () => {
    const [dog, plain] = [await listen(), await listen()];
    const sample = new Sample();
    const metrics = [
      gauge('raft.last_index', '', () => 17),
      timing('fsm.kvs', '', sample, { labels: { op: 'set' } }),
    ];
    const host = '127.0.0.1';
    const { clock } = start(
      [
        { format: 'dogstatsd', host, port: dog.port, tags: ['a:b', 'plain'] },
        { format: 'statsd', host, port: plain.port, tags: [] },
      ],
      metrics,
    );
    for (let i = 0; i < 64; i++) sample.observe(2);
    await clock.advance(1000);
    await until(() => dog.datagrams.length === 1 && plain.datagrams.length > 0);
    const [gauged, timed] = dog.datagrams[0]?.split('\n') ?? [];
    assert.equal(gauged, 'consul.raft.last_index:17|g|#a:b,plain');
    assert.equal(timed, 'consul.fsm.kvs:2|ms|@0.25|#a:b,plain,op:set');
    assert.match(plain.datagrams.join(''), /^consul\.fsm\.kvs\.set:2\|ms\|@0\.25$/m);
  });

  it('gets no datagram of more than 1400 bytes', async () => {
    const { datagrams, port } = await listen();
    const metrics = Array.from({ length: 100 }, (_, i) =>
      gauge(`x.${'y'.repeat(40)}${i}`, '', () => 1),
    );
    const { clock } = start([{ format: 'statsd', host: '127.0.0.1', port, tags: [] }], metrics);
    await clock.advance(1000);
    await until(() => datagrams.join('').split('\n').length === 101);
    assert.ok(datagrams.every((each) => each.length <= 1400));
  });

  it('that is not there is told of once, and harms nobody', async () => {
    const metrics = [gauge('x', '', () => 1)];
    const sink = { format: 'statsd', host: 'no-such-host.invalid', port: 8125, tags: [] } as const;
    const { clock, logger } = start([sink], metrics);
    await clock.advance(1000);
    await until(() => logger.lines.length > 0);
    await clock.advance(3000);
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines[0] ?? '', /^warn agent: no metrics to statsd: .*no-such-host/);
  });
});
