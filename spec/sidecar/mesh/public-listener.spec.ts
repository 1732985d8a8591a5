import assert from 'node:assert/strict';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { type Cancel, systemClock } from '../../../lib/clock.ts';
import { PublicListener } from '../../../sidecar/mesh/public-listener.ts';
import type { PublicRequests } from '../../../sidecar/mesh/public-requests.ts';
import { Sockets } from '../../../sidecar/sockets.ts';
import { boundlessBuffers } from '../../support/fakes/boundless-buffers.ts';
import { meshAuthority, type Shown } from '../../support/mesh-certificates.ts';
import { type Backend, startBackend } from '../../support/servers/backends.ts';
import { until } from '../../support/until.ts';

type Authority = Awaited<ReturnType<typeof meshAuthority>>;

/** What a spec moves by hand: who may call, and when it is known. */
class FakePermissions {
  readonly listeners = new Set<() => void>();
  readonly allowed = new Set<string>();

  onChange(listener: () => void): Cancel {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async isAllowed(uri: string): Promise<boolean> {
    return this.allowed.has(uri);
  }

  verdictOn(uri: string): Promise<boolean> {
    return this.isAllowed(uri);
  }

  verdictAnew(uri: string): Promise<boolean> {
    return this.isAllowed(uri);
  }

  change(): void {
    for (const listener of this.listeners) listener();
  }
}

describe("a service's public listener", () => {
  let mesh: Authority;
  const open = new Set<Socket>();
  const stops: (() => Promise<void>)[] = [];

  before(async () => {
    mesh = await meshAuthority();
  });
  afterEach(async () => {
    for (const socket of open) socket.destroy();
    open.clear();
    for (const stop of stops.splice(0)) await stop();
  });

  const start = async (
    program: Backend,
    more: { readonly maxConnections?: number; readonly requests?: PublicRequests } = {},
  ) => {
    const { cert, key } = await mesh.leaf('db');
    const context = { cert, key, ca: [mesh.root], minVersion: 'TLSv1.2' as const };
    const identity = {
      trustDomain: 'mesh.consul',
      namespace: 'default',
      datacenter: 'dc1',
      service: 'db',
    };
    const permissions = new FakePermissions();
    permissions.allowed.add(mesh.uriOf('web'));
    const renewals = new Set<object>();
    const lines: string[] = [];
    const listener = new PublicListener({
      sockets: new Sockets(),
      at: { host: '127.0.0.1', port: 0 },
      to: { host: '127.0.0.1', port: program.port },
      service: 'db',
      identity: {
        credentials: { called: context, calling: context, identity },
        onChange: (renewed) => {
          renewals.add(renewed);
          return () => void renewals.delete(renewed);
        },
      },
      permissions,
      requests: more.requests,
      clock: systemClock,
      rules: { connectMs: 5000, idleMs: 60_000, maxConnections: more.maxConnections ?? 100 },
      buffers: boundlessBuffers(),
      log: ({ fault }) => void lines.push(fault),
    });
    await listener.start();
    stops.push(() => listener.drain(0));
    return { listener, permissions, renewals, lines };
  };

  const call = (port: number, shown?: Shown) => {
    const socket: TLSSocket = connect({
      socket: connectPlain({ host: '127.0.0.1', port, allowHalfOpen: true }),
      ...shown,
      ca: [mesh.root],
      checkServerIdentity: () => undefined,
    });
    open.add(socket);
    const state = { text: '', error: '', ended: false, closed: false };
    socket.on('data', (data: Buffer) => {
      state.text += data.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      state.error = error.code ?? error.message;
    });
    socket.on('end', () => {
      state.ended = true;
    });
    socket.on('close', () => {
      state.closed = true;
    });
    const isOver = () => until(() => state.ended || state.closed);
    const said = (text: string) =>
      until(
        () => state.text.includes(text),
        () => state,
      );
    return { socket, state, isOver, said };
  };

  it('lets in whose certificate has the one name of a service that may call, and nobody else', async () => {
    const program = await startBackend('db');
    const { listener } = await start(program);
    const strange = await meshAuthority('other.consul');
    const web = { type: 'url', value: mesh.uriOf('web') } as const;
    const shown: Readonly<Record<string, Shown | undefined>> = {
      none: undefined,
      'of another authority': await strange.leaf('web'),
      'that another made in our name': await strange.issue([web]),
      'that has ended': await mesh.leaf('web', -1),
      'of another service': await mesh.leaf('other'),
      'of the same name in other letters': await mesh.leaf('WEB'),
      'with a common name alone': await mesh.issue([]),
      'of two services': await mesh.issue([web, { type: 'url', value: mesh.uriOf('other') }]),
      'of a host and a service': await mesh.issue([web, { type: 'dns', value: 'web' }]),
      'with a name that quotes another': await mesh.issue([
        { type: 'url', value: `${mesh.uriOf('x')}", URI:${mesh.uriOf('web')}` },
      ]),
      'of a host that is called so': await mesh.issue([{ type: 'dns', value: `URI:${web.value}` }]),
      'of a whole domain': await mesh.issue([{ type: 'url', value: 'spiffe://mesh.consul' }]),
    };
    for (const [what, certificate] of Object.entries(shown)) {
      const { socket, state, isOver } = call(listener.port, certificate);
      // It comes with the end of the handshake, before anybody has decided.
      socket.write('a payload');
      await isOver();
      assert.equal(state.text, '', what);
    }
    assert.equal(program.taken(), 0);
    const { said } = call(listener.port, await mesh.leaf('web'));
    await said('db\n');
  });

  it('tells who may not call any more that it broke, and not that all has come', async () => {
    const program = await startBackend('db');
    const { listener, permissions, lines } = await start(program);
    const { said, isOver, state } = call(listener.port, await mesh.leaf('web'));
    await said('db\n');
    permissions.allowed.clear();
    permissions.change();
    await isOver();
    await until(() => lines.length > 0);
    assert.equal(listener.counts.cut, 1);
    assert.deepEqual([state.ended, state.error], [false, 'ECONNRESET']);
  });

  it('tells the caller that its program broke, and not that all has come', async () => {
    const program = await startBackend('db', (socket) => {
      socket.write('half of it');
      socket.once('data', () => socket.resetAndDestroy());
    });
    const { listener } = await start(program);
    const { socket, said, isOver, state } = call(listener.port, await mesh.leaf('web'));
    await said('half of it');
    socket.write('the rest');
    await isOver();
    assert.deepEqual([state.ended, state.error], [false, 'ECONNRESET']);
  });

  it('lets one side end while the other goes on', async () => {
    const program = await startBackend('db', (socket) => {
      socket.resume();
      socket.on('end', () => socket.end('after your end'));
    });
    const { listener } = await start(program);
    const { socket, said, state } = call(listener.port, await mesh.leaf('web'));
    socket.end('all I have');
    await said('after your end');
    await until(() => state.closed);
    assert.equal(state.error, '');
  });

  it('has room for callers, however many connections by HTTP those hold who may nothing', async () => {
    const program = await startBackend('db');
    const taken: string[] = [];
    const requests = {
      accept: (_: unknown, who: string) => taken.push(who),
      end() {},
      program: { stop() {} },
    };
    const { listener, lines } = await start(program, {
      maxConnections: 1,
      requests: requests as unknown as PublicRequests,
    });
    const [web, other] = await Promise.all(['web', 'other'].map((name) => mesh.leaf(name)));
    for (let i = 0; i < 70; i++) call(listener.port, other);
    await until(
      () => lines.filter((fault) => fault === 'denied').length === 14 && taken.length === 56,
      () => [taken.length, lines],
    );
    // One of them does not have all of those places either.
    call(listener.port, await mesh.leaf('third'));
    await until(() => taken.includes(mesh.uriOf('third')));
    call(listener.port, web);
    await until(() => taken.includes(mesh.uriOf('web')));
    call(listener.port, web);
    await until(() => lines.includes('too many connections'));
  });

  it('has room for who comes to an end with the handshake, whoever does not', async function () {
    this.timeout(60_000);
    const program = await startBackend('db');
    const { listener } = await start(program, { maxConnections: 2 });
    const idle: Socket[] = [];
    for (let i = 0; i < 1100; i++) {
      const socket = connectPlain(listener.port, '127.0.0.1').on('error', () => undefined);
      open.add(socket);
      idle.push(socket);
    }
    // The first have gone for the last.
    await until(() => idle.slice(0, 50).every(({ closed }) => closed));
    const leaf = await mesh.leaf('web');
    const [one, two] = [call(listener.port, leaf), call(listener.port, leaf)];
    await one.said('db\n');
    await two.said('db\n');
    const three = call(listener.port, leaf);
    await three.isOver();
    assert.equal(three.state.text, '');
  });

  it('keeps some places for those who have few: one who takes all that he gets keeps nobody out', async () => {
    const program = await startBackend('db');
    const { listener, permissions, lines } = await start(program, { maxConnections: 16 });
    permissions.allowed.add(mesh.uriOf('api'));
    const [web, api] = await Promise.all(['web', 'api'].map((name) => mesh.leaf(name)));
    const held = Array.from({ length: 16 }, () => call(listener.port, web));
    await until(() => lines.length === 2);
    assert.deepEqual(lines, ['too many connections', 'too many connections']);
    await until(() => held.filter(({ state }) => state.text === 'db\n').length === 14);
    const others = [call(listener.port, api), call(listener.port, api)];
    for (const { said } of others) await said('db\n');
    held.find(({ state }) => state.text !== '')?.socket.destroy();
    await call(listener.port, api).isOver();
    await until(() => listener.counts.failed === 3);
  });

  it('lets in whoever is in line when it is to end', async () => {
    const { listener } = await start(await startBackend('db'));
    const leaf = await mesh.leaf('web');
    const line = Array.from({ length: 8 }, () => call(listener.port, leaf));
    await new Promise((resolve) => process.nextTick(resolve));
    const drained = listener.drain(60_000);
    for (const { said } of line) await said('db\n');
    for (const { socket } of line) socket.end();
    await drained;
  });

  it('is held by nobody once it has ended', async () => {
    const { listener, permissions, renewals } = await start(await startBackend('db'));
    assert.deepEqual([permissions.listeners.size, renewals.size], [1, 1]);
    await listener.drain(0);
    assert.deepEqual([permissions.listeners.size, renewals.size], [0, 0]);
  });
});
