/** Whoever says what he likes at ports.grpc harms nobody but himself. */
import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import { CODE, FLAG, FRAME } from '../../sidecar/http/h2/frames.ts';
import { PREFACE } from '../../sidecar/http/h2/settings.ts';
import { TYPE_URLS } from '../../xds/resource.ts';
import { type Answers, GrpcServer, type GrpcServerOptions } from '../../xds/serving/grpc-server.ts';
import { read, Wire } from '../../xds/serving/wire.ts';
import { bytesIn } from '../support/experiments/http2/caller-frames.ts';
import { callersScript } from '../support/experiments/http2/callers-run.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { liveBytes } from '../support/heap.ts';
import { SEED } from '../support/seed.ts';
import { framed, rawCaller, rawCallerFrom, requestHead } from '../support/servers/raw-h2.ts';
import {
  ADS,
  EDS,
  HEALTH,
  startXds,
  type TestXds,
  XdsClient,
} from '../support/servers/xds-clients.ts';
import { NODE } from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const PATH = `/${EDS}/StreamEndpoints`;
const asking = (path = PATH, ...more: string[]) =>
  requestHead('POST', path, 'content-type', 'application/grpc', 'te', 'trailers', ...more);
const OPEN = FLAG.endOfHead;
const ASK = FLAG.endOfHead | FLAG.end;
/** Which says nothing. */
const EMPTY = Buffer.alloc(5);

/** What was said in heads to a stream, as text: names and values stand in it as they are. */
function saidTo(caller: ReturnType<typeof rawCaller>, id: number): string {
  return caller.heard.frames
    .filter(({ type, stream }) => type === FRAME.head && stream === id)
    .map(({ payload }) => payload.toString('latin1'))
    .join('|');
}

async function ends(caller: ReturnType<typeof rawCaller>, id: number, how: RegExp): Promise<void> {
  await until(
    () => how.test(saidTo(caller, id)),
    () => JSON.stringify(saidTo(caller, id)),
  );
}

async function isServed(xds: TestXds): Promise<void> {
  const stream = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints');
  stream.subscribe(['web']);
  assert.equal((await stream.answer(0)).resources.length, 1);
}

async function start() {
  const xds = await startXds();
  xds.agent.sayInstances('web', [instance('a')]);
  return { xds, caller: rawCaller(xds.port) };
}

describe(`a stranger at the port for xDS (seed ${SEED})`, function () {
  // The machine may be busy.
  this.timeout(120_000);

  it('says what nobody may, and others are served', async () => {
    const { xds } = await start();
    for (let seed = SEED * 1000; seed < SEED * 1000 + 200; seed++) {
      const socket = connect(xds.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      const { frames, hangsUp } = callersScript(seed);
      const begun = bytesIn([{ type: FRAME.settings, flags: 0, id: 0, payload: Buffer.alloc(0) }]);
      socket.write(Buffer.concat([Buffer.from(PREFACE), begun, bytesIn(frames)]));
      if (hangsUp) socket.end();
      else socket.end(Buffer.from('and no more'));
    }
    await isServed(xds);
  });

  it('is told what is wrong with a call, and by whose fault', async () => {
    const { caller } = await start();
    const plain = requestHead('POST', PATH, 'content-type', 'application/json');
    const get = requestHead('GET', PATH, 'content-type', 'application/grpc');
    caller.say(
      framed(FRAME.head, ASK, 1, plain),
      framed(FRAME.head, ASK, 3, get),
      framed(FRAME.head, ASK, 5, asking('/none/such')),
      framed(FRAME.head, OPEN, 7, asking()),
      framed(FRAME.data, 0, 7, Buffer.from([1, 0, 0, 0, 0])),
      framed(FRAME.head, OPEN, 9, asking()),
      framed(FRAME.data, 0, 9, Buffer.from([0, 0, 0x10, 0, 1])),
      framed(FRAME.head, OPEN, 11, asking()),
      framed(FRAME.data, FLAG.end, 11, Buffer.from([0, 0, 0, 0, 9, 1])),
      framed(FRAME.head, OPEN, 13, asking()),
      framed(FRAME.data, 0, 13, Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff])),
      framed(FRAME.head, ASK, 15, asking(`/${HEALTH}/Check`)),
    );
    await ends(caller, 1, /415/);
    await ends(caller, 3, /405/);
    await ends(caller, 5, /grpc-status.12/s);
    await ends(caller, 7, /grpc-status.12.*no compressed message/s);
    await ends(caller, 9, /grpc-status.8.*more than 1048576/s);
    await ends(caller, 11, /grpc-status.13.*within a message/s);
    await ends(caller, 13, /grpc-status.3.*cannot be read/s);
    await ends(caller, 15, /grpc-status.13.*nothing was asked/s);
  });

  it('takes a call back with the words by which he makes it', async () => {
    const { xds } = await start();
    const cancel = Buffer.from([0, 0, 0, 8]);
    for (const path of [PATH, '/none/such', `/${HEALTH}/Check`, `/${HEALTH}/Watch`]) {
      for (const type of ['application/grpc', 'text/plain']) {
        const { say } = rawCaller(xds.port);
        const head = requestHead('POST', path, 'content-type', type);
        say(framed(FRAME.head, OPEN, 1, head), framed(FRAME.reset, 0, 1, cancel));
        say(framed(FRAME.head, OPEN, 3, head), framed(FRAME.data, FLAG.end, 3, EMPTY));
        say(framed(FRAME.head, ASK, 5, head), framed(FRAME.goaway, 0, 0, Buffer.alloc(8)));
      }
    }
    await isServed(xds);
  });

  it('may have a message come in single bytes, and thousands in one piece', async () => {
    const { xds, caller } = await start();
    const many = Buffer.concat(Array.from({ length: 3000 }, () => EMPTY));
    caller.say(
      framed(FRAME.head, OPEN, 1, asking()),
      ...[...EMPTY].map((byte) => framed(FRAME.data, 0, 1, Buffer.from([byte]))),
      framed(FRAME.data, FLAG.end, 1, many),
    );
    await ends(caller, 1, /grpc-status.0/s);
    await isServed(xds);
  });

  async function serving(methods: [string, Answers][], most: Partial<GrpcServerOptions>) {
    const [clock, logger] = [new FakeClock(), new RecordingLogger()];
    const server = new GrpcServer({ clock, logger, methods: new Map(methods), ...most });
    const listener = createServer((socket) => server.take(socket));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const stop = () => {
      server.stop();
      listener.close();
    };
    return { port: (listener.address() as AddressInfo).port, clock, stop };
  }

  it('makes calls on which he says nothing, and has so many of them and no more', async () => {
    const { port, stop } = await serving([['/a/b', () => undefined]], { maxCalls: 4 });
    const caller = rawCaller(port);
    const calls = (...ids: readonly number[]) =>
      caller.say(...ids.map((id) => framed(FRAME.head, OPEN, id, asking('/a/b'))));
    calls(1, 3, 5);
    await ends(caller, 5, /grpc-status.8.*too many calls/s);
    assert.deepEqual([saidTo(caller, 1), saidTo(caller, 3)], ['', '']);
    caller.say(framed(FRAME.reset, 0, 1, Buffer.from([0, 0, 0, 8])));
    calls(7, 9);
    await ends(caller, 9, /grpc-status.8/s);
    assert.equal(saidTo(caller, 7), '');
    stop();
  });

  it('calls and says nothing, or no whole message, and is heard no longer than anybody needs', async () => {
    const { xds, caller } = await start();
    const [check, watch] = ['Check', 'Watch'].map((name) => asking(`/${HEALTH}/${name}`));
    const isHere = async (said: string) => {
      caller.say(framed(FRAME.ping, 0, 0, said));
      await until(() => caller.heard.frames.some(({ payload }) => payload.toString() === said));
    };
    caller.say(
      framed(FRAME.head, OPEN, 1, check),
      framed(FRAME.head, OPEN, 3, watch),
      framed(FRAME.data, 0, 3, EMPTY.subarray(1)),
      framed(FRAME.head, OPEN, 5, watch),
      framed(FRAME.data, 0, 5, EMPTY),
      framed(FRAME.head, OPEN, 7, asking()),
      framed(FRAME.head, OPEN, 9, asking()),
      framed(FRAME.data, 0, 9, EMPTY),
    );
    await isHere('all came');
    await xds.clock.advance(10_000);
    for (const id of [1, 3]) await ends(caller, id, /grpc-status.4.*in time/s);
    assert.equal(saidTo(caller, 7), '');
    for (let i = 0; i < 60; i++) {
      await isHere(`${10_000_000 + i}`);
      await xds.clock.advance(10_000);
    }
    await ends(caller, 7, /grpc-status.4/s);
    for (const id of [5, 9]) assert.doesNotMatch(saidTo(caller, id), /grpc-status/);
  });

  it('has all the calls that there are, with another, and each gives one up for whoever comes', async () => {
    const over: string[] = [];
    const silent: Answers = (call) => {
      call.taker = { ...call.taker, over: () => over.push(call.address) };
    };
    const { port, stop } = await serving([['/a/b', silent]], { maxCalls: 4 });
    const callers = ['127.0.0.2', '127.0.0.3', '127.0.0.1'].map((from) =>
      rawCallerFrom(from, port),
    );
    const call = async (who: number, id: number) => {
      callers[who]?.say(
        framed(FRAME.head, OPEN, id, asking('/a/b')),
        framed(FRAME.ping, 0, 0, `${10_000_000 + id}`),
      );
      await until(
        () =>
          callers[who]?.heard.frames.some(
            ({ payload }) => payload.toString() === `${10_000_000 + id}`,
          ) === true,
      );
    };
    for (const who of [0, 1]) for (const id of [1, 3]) await call(who, id);
    await call(2, 1);
    assert.deepEqual(over, ['127.0.0.2']);
    assert.equal(await callers[0]?.reset(3), CODE.calm);
    // Whoever has as many as anybody takes none from others.
    for (const who of [0, 2]) {
      await call(who, 5);
      await ends(callers[who] as ReturnType<typeof rawCaller>, 5, /grpc-status.8/s);
    }
    assert.deepEqual(over, ['127.0.0.2']);
    stop();
  });

  it('says more than is taken, and is cut where that is kept for him', async () => {
    const seen: { pause(): void; resume(): void }[] = [];
    const waits: Answers = (call) => {
      const message = () => {
        call.pause();
        seen.push(call);
      };
      call.taker = { message, ended: () => undefined, over: () => undefined };
    };
    const bytes = 10_000;
    const { port, stop } = await serving([['/a/b', waits]], { maxKeptBytes: 3.5 * bytes });
    const caller = rawCaller(port);
    const message = Buffer.alloc(bytes + EMPTY.length);
    message.writeUInt32BE(bytes, 1);
    const say = async (id: number, most: number) => {
      caller.say(framed(FRAME.head, OPEN, id, asking('/a/b')), framed(FRAME.data, 0, id, message));
      await until(() => seen.length === most || caller.heard.ended);
    };
    for (const id of [1, 3, 5]) await say(id, (id + 1) / 2);
    // What is taken counts no more.
    seen[0]?.resume();
    caller.say(framed(FRAME.reset, 0, 3, Buffer.from([0, 0, 0, 8])));
    for (const id of [7, 9]) await say(id, (id + 1) / 2);
    assert.equal(caller.heard.ended, false);
    await say(11, 6);
    await until(() => caller.heard.ended);
    stop();
  });

  it('has a name of hundreds of kilobytes, of which little is kept', async () => {
    const { xds } = await start();
    const id = 'x'.repeat(200_000);
    const before = (await liveBytes()).heap;
    const streams = Array.from({ length: 40 }, () => {
      const stream = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints');
      stream.subscribe(['web'], { node: { id } });
      return stream;
    });
    for (const stream of streams) await stream.answer(0);
    const { heap } = await liveBytes();
    assert.ok(heap - before < 5_000_000, `${heap - before}`);
    const proxy = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints');
    proxy.subscribe(['web'], { node: { ...NODE, id } });
    assert.equal(await proxy.ended(), status.INVALID_ARGUMENT);
  });

  it('asks for more than anybody does, and what he says is not even read', async () => {
    const { xds } = await start();
    const open = () => new XdsClient(xds.port).stream(ADS, 'DeltaAggregatedResources');
    const [many, large] = [open(), open()];
    const names = Array.from({ length: 33_000 }, (_, i) => `c${i}`);
    many.send({ type_url: TYPE_URLS.clusters, resource_names_subscribe: names });
    large.send({ type_url: TYPE_URLS.clusters, node: { id: 'x'.repeat(300_000) } });
    for (const stream of [many, large]) {
      assert.equal(await stream.ended(), status.INVALID_ARGUMENT);
      assert.match(stream.details, /cannot be read/);
    }
  });

  it('writes a tag in more bytes than any needs, behind which it would be counted otherwise than read', () => {
    const method = new Wire().method(ADS, 'DeltaAggregatedResources');
    const typeUrl = Buffer.concat([Buffer.from([0x12, 3]), Buffer.from('abc')]);
    assert.deepEqual((read(typeUrl, method) as { type_url: string }).type_url, 'abc');
    const over = (byte: number, bytes: number) =>
      Buffer.from([byte | 0x80, ...Array(bytes - 2).fill(0x80), 0]);
    const wide = Buffer.from([0x92, ...Array(8).fill(0x80), 1]);
    for (const bytes of [over(0x12, 10), over(0x12, 6), wide]) {
      assert.equal(read(Buffer.concat([bytes, typeUrl.subarray(1)]), method), undefined);
    }
    assert.equal(read(Buffer.concat([Buffer.from([0x12]), over(3, 10)]), method), undefined);
    assert.equal(read(Buffer.from([0x08, ...Array(11).fill(0x80), 0]), method), undefined);
  });

  it('says much of himself that nobody needs, which is not read, and says it once', () => {
    const method = new Wire().method(ADS, 'DeltaAggregatedResources');
    const field = (number: number, value: string) =>
      Buffer.concat([Buffer.from([number * 8 + 2, value.length]), Buffer.from(value, 'latin1')]);
    const within = (...fields: readonly Buffer[]) => Buffer.concat(fields).toString('latin1');
    const mark = within(field(1, 'namespace'), field(2, within(field(6, within(field(1, ''))))));
    const node = field(
      1,
      within(
        ...[field(1, 'me'), field(2, 'cluster'), field(3, within(field(1, mark)))],
        ...[field(6, 'envoy'), field(9, within(field(1, 'an extension'))), field(12, mark)],
      ),
    );
    const fault = field(7, within(field(2, 'why'), field(3, within(field(1, 'a detail')))));
    const locator = field(8, within(field(1, 'name'), field(2, mark)));
    const request = read(Buffer.concat([node, fault, locator, locator]), method);
    const said = JSON.parse(JSON.stringify(request));
    assert.deepEqual(Object.keys(said.node).sort(), ['id', 'metadata', 'user_agent_name']);
    assert.deepEqual([said.node.id, said.node.user_agent_name], ['me', 'envoy']);
    assert.deepEqual(Object.keys(said.node.metadata.fields), ['namespace']);
    assert.deepEqual(said.error_detail, { message: 'why' });
    assert.deepEqual(said.resource_locators_subscribe, [{}, {}]);
    for (const twice of [node, fault, field(2, 'url')])
      assert.equal(read(Buffer.concat([twice, locator, twice]), method), undefined);
    const long = (number: number, value: Buffer) => {
      const { length } = value;
      return Buffer.concat([
        Buffer.from([number * 8 + 2, (length & 127) | 128, length >> 7]),
        value,
      ]);
    };
    const marked = (marks: number) =>
      long(
        1,
        long(
          3,
          Buffer.concat(Array.from({ length: marks }, () => field(1, field(1, 'a').toString()))),
        ),
      );
    assert.notEqual(read(marked(1000), method), undefined);
    assert.equal(read(marked(1001), method), undefined);
    const metadata = field(3, within(field(1, mark)));
    assert.equal(read(field(1, within(metadata, field(1, 'me'), metadata)), method), undefined);
    const names = [3, 4, 5].flatMap((number) => [field(number, ''), field(number, '')]);
    assert.notEqual(read(Buffer.concat(names), method), undefined);
  });

  it('watches the health of what has a long name, of which nothing is kept', async () => {
    const { xds } = await start();
    const client = new XdsClient(xds.port);
    const service = 'x'.repeat(200_000);
    const before = (await liveBytes()).heap;
    const watched = Array.from({ length: 40 }, () => client.watch(HEALTH, 'Watch', { service }));
    await until(() => watched.every(({ told }) => told.length === 1));
    const { heap } = await liveBytes();
    assert.ok(heap - before < 5_000_000, `${heap - before}`);
  });

  it('speaks no HTTP/2, or does not go on with it, and is sent away', async () => {
    const { xds } = await start();
    const said = ['GET / HTTP/1.1\r\n\r\n', PREFACE.slice(0, 10), ''];
    const sockets = said.map((text) => {
      const socket = connect(xds.port, '127.0.0.1').on('error', () => undefined);
      socket.resume();
      socket.write(text);
      return socket;
    });
    await isServed(xds);
    await until(async () => {
      await xds.clock.advance(5000);
      return sockets.every((socket) => socket.closed);
    });
  });

  it('is gone without a word, and its streams with it', async () => {
    const { xds, caller } = await start();
    caller.say(framed(FRAME.head, OPEN, 1, asking()));
    const streams = xds.xds.metrics().find(({ name }) => name === 'proconsul.xds.streams');
    const open = () => (streams?.kind === 'gauge' ? streams.read() : undefined);
    await until(() => open() === 1);
    await until(async () => {
      await xds.clock.advance(10_000);
      return open() === 0;
    });
    assert.ok(caller.heard.frames.some(({ type }) => type === FRAME.ping));
  });

  it('answers when he is asked whether he is there, and stays', async () => {
    const { xds } = await start();
    const stream = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints');
    stream.subscribe(['web']);
    await stream.answer(0);
    for (let i = 0; i < 20; i++) await xds.clock.advance(10_000);
    xds.agent.sayInstances('web', [instance('a', { port: 2 })]);
    await stream.answer(1);
    assert.equal(stream.code, undefined);
  });
});
