/** `proconsul/grpc`: a channel of grpc-js over the instances of a service. */
import assert from 'node:assert/strict';
import * as grpc from '@grpc/grpc-js';
import { register } from '../../client/grpc.ts';
import { startServer } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 30_000;
const same = (bytes: Buffer) => bytes;
const WHO = {
  path: '/lab.Echo/Who',
  ...{ requestStream: false, responseStream: false },
  ...{ requestSerialize: same, requestDeserialize: same },
  ...{ responseSerialize: same, responseDeserialize: same },
} as const;

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function startWho(name: string): Promise<number> {
  const server = new grpc.Server();
  server.addService(
    { Who: WHO },
    {
      Who: (_: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) =>
        answer(null, Buffer.from(name)),
    },
  );
  ends.push(() => server.forceShutdown());
  const security = grpc.ServerCredentials.createInsecure();
  return await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', security, (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
}

function clientOf(target: string, options: grpc.ClientOptions = {}) {
  const client = new grpc.Client(target, grpc.credentials.createInsecure(), options);
  ends.push(() => client.close());
  const call = () =>
    new Promise<string>((resolve, reject) =>
      client.makeUnaryRequest(
        WHO.path,
        same,
        same,
        Buffer.alloc(0),
        { deadline: Date.now() + PATIENCE_MS },
        (error, value) => (error ? reject(error) : resolve(String(value))),
      ),
    );
  /** Who answers several calls, each once. */
  const who = async () => {
    const all: string[] = [];
    for (let i = 0; i < 8; i++) all.push(await call());
    return [...new Set(all)].sort().join();
  };
  return { call, who };
}

describe('names of services for grpc-js', () => {
  before(() => register(grpc));

  async function setUp() {
    const server = await startServer();
    const put = (ID: string, Port: number, Status = 'passing', Tags: readonly string[] = []) =>
      server.put('/v1/catalog/register', {
        ...{ Node: `n-${ID}`, Address: '127.0.0.1' },
        Service: { ID, Service: 'web', Port, Tags },
        Check: { CheckID: 'c', ServiceID: ID, Name: 'c', Status },
      });
    return { ...server, register: put };
  }

  it('lead calls to all instances in turn, and follow them without a call that fails', async () => {
    const server = await setUp();
    const [a, b] = [await startWho('a'), await startWho('b')];
    await server.register('a', a);
    const { who } = clientOf(`consul://127.0.0.1:${server.port}/web`);
    assert.equal(await who(), 'a');
    await server.register('b', b);
    await until(async () => (await who()) === 'a,b', undefined, PATIENCE_MS);
    await server.register('a', a, 'critical');
    await until(async () => (await who()) === 'b', undefined, PATIENCE_MS);
  }).timeout(PATIENCE_MS);

  it('may be narrowed by a tag', async () => {
    const server = await setUp();
    await server.register('a', await startWho('a'), 'passing', ['v1']);
    await server.register('b', await startWho('b'), 'passing', ['v2']);
    const { who } = clientOf(`consul://127.0.0.1:${server.port}/web?tag=v2`);
    assert.equal(await who(), 'b');
  }).timeout(PATIENCE_MS);

  it('say that nobody may be called, at once', async () => {
    const server = await setUp();
    const { call } = clientOf(`consul://127.0.0.1:${server.port}/nobody`);
    await assert.rejects(call(), /no instance of nobody may be called/);
  }).timeout(PATIENCE_MS);

  it('say why nothing is known where the agent is away', async () => {
    const { call } = clientOf('consul://127.0.0.1:1/web');
    await assert.rejects(call(), /nothing is known of web yet: .*ECONNREFUSED/);
  }).timeout(PATIENCE_MS);

  it('say so too where the program throws at the warning', async () => {
    let warned = 0;
    const throwing = () => {
      warned++;
      throw new Error('from the program');
    };
    register(grpc, { onWarning: throwing });
    try {
      const { call } = clientOf('consul://127.0.0.1:1/web');
      await assert.rejects(call(), /nothing is known of web yet: .*ECONNREFUSED/);
      assert.ok(warned > 0);
    } finally {
      register(grpc);
    }
  }).timeout(PATIENCE_MS);

  it('are refused to a package that is too old, by its name', () => {
    const { statusOrFromValue } = grpc.experimental;
    const of13 = { registerResolver: () => assert.fail('was registered') };
    for (const [experimental, missing] of [
      [of13, 'statusOrFromValue'],
      [{ ...of13, statusOrFromValue }, 'statusOrFromError'],
      [{}, 'registerResolver'],
      [undefined, 'registerResolver'],
    ] as const) {
      assert.throws(() => register({ ...grpc, experimental } as never), {
        code: 'invalid',
        message: `proconsul/grpc needs @grpc/grpc-js 1.14 or newer: this one has no experimental.${missing}`,
      });
    }
  });
});
