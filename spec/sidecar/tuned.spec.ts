import assert from 'node:assert/strict';
import { tuningIn, tuningOf } from '../../lib/balance/tunings.ts';
import type { Wanted } from '../../sidecar/upstream-rules.ts';
import { type Backend, startBackend } from '../support/servers/backends.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { ask, startHttp } from '../support/servers/http-sidecars.ts';
import { agentAt, plain, startSidecar, whoAnswers } from '../support/servers/sidecars.ts';
import { startServer } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

type Flags = Readonly<Record<string, string>>;

/** As the flags of `connect proxy` come to it. */
function tuned(flags: Flags, more: Partial<Wanted> = {}, service = 'web') {
  const said = Object.entries(flags).map(([name, text]) => tuningIn(name, text));
  return plain(service, { tuning: tuningOf(service, said), ...more });
}

/** Instances by TCP, on a server of the spec. */
async function start(names: readonly string[], flags: Flags) {
  const server = await startServer();
  const backends = new Map<string, Backend>();
  const register = async (name: string, Status = 'passing', service = 'web') => {
    const backend = backends.get(name) ?? (await startBackend(name));
    backends.set(name, backend);
    await server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { ID: name, Service: service, Port: backend.port },
      Checks: [{ CheckID: `c-${name}`, ServiceID: name, Name: 'c', Status }],
    });
  };
  for (const name of names) await register(name);
  const sidecar = await startSidecar(agentAt(server.port).ask, [tuned(flags)]);
  await sidecar.untilHealthy(names.length);
  return { ...sidecar, server, register, backend: (name: string) => backends.get(name) as Backend };
}

async function shares(port: number, calls: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < calls; i++) {
    const name = await whoAnswers(port);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const program = (name: string) =>
  serveHttp((_, response) => {
    response.end(name);
  });

const breaking = () =>
  startBackend('breaks', (socket) => socket.once('data', () => socket.resetAndDestroy()));

async function statusesOf(port: number, calls: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < calls; i++) statuses.push((await ask(port, '/')).status);
  return statuses.sort();
}

describe('what flags say of how a sidecar calls', () => {
  it('-slow-start: a host that has come gets little at first, and its share in the end', async () => {
    const { port, clock, register, untilHealthy } = await start(['a'], { 'slow-start': '60s' });
    await clock.advance(60_000);
    await register('b');
    await untilHealthy(2);
    const first = await shares(port, 22);
    assert.ok((first['b'] ?? 0) <= 3, JSON.stringify(first));
    await clock.advance(60_000);
    const then = await shares(port, 20);
    assert.ok((then['b'] ?? 0) >= 9, JSON.stringify(then));
  });

  it('-panic-threshold: where too few are healthy all are called, and nobody is without it', async () => {
    const flags = { 'panic-threshold': '50' };
    const { port, register, untilHealthy } = await start(['a', 'b', 'c'], flags);
    await register('a', 'critical');
    await untilHealthy(2);
    assert.deepEqual(Object.keys(await shares(port, 8)).sort(), ['b', 'c']);
    await register('b', 'critical');
    await untilHealthy(1);
    assert.deepEqual(Object.keys(await shares(port, 9)).sort(), ['a', 'b', 'c']);
    const calm = await start(['a', 'b'], {});
    for (const name of ['a', 'b']) await calm.register(name, 'critical');
    await calm.untilHealthy(0);
    assert.equal(await whoAnswers(calm.port), 'ECONNRESET');
  });

  it('-panic-threshold: healthy hosts of a failover are called before those that are not', async () => {
    const [web, backup] = [await program('web'), await program('backup')];
    const failover = {
      Kind: 'service-resolver',
      Name: 'web',
      Failover: { '*': { Service: 'backup' } },
    };
    const instances = [
      { id: 'web', port: web.port },
      { id: 'backup', port: backup.port, service: 'backup' },
    ];
    const upstreams = [tuned({ 'panic-threshold': '50' })];
    const { port, server, untilHealthy } = await startHttp(instances, [failover], { upstreams });
    const fails = (id: string) =>
      server.put('/v1/catalog/register', {
        ...{ Node: 'm', Address: '127.0.0.1', SkipNodeUpdate: true },
        Check: { CheckID: `c-${id}`, ServiceID: id, Name: 'c', Status: 'critical' },
      });
    await untilHealthy(2);
    await fails('web');
    await untilHealthy(1);
    assert.equal((await ask(port, '/')).text, 'backup');
    await fails('backup');
    await untilHealthy(0);
    assert.equal((await ask(port, '/')).text, 'web');
  });

  it('-subset: only instances with that in their metadata are called', async () => {
    const names = ['one', 'two', 'old'] as const;
    const programs = await Promise.all(names.map((name) => program(name)));
    const instances = names.map((id, i) => ({
      id,
      port: programs[i]?.port ?? 0,
      meta: { version: id === 'old' ? '1' : '2' },
    }));
    const { port } = await startHttp(instances, [], {
      upstreams: [tuned({ subset: 'version:2' })],
    });
    const texts = new Set<string>();
    for (let i = 0; i < 6; i++) texts.add((await ask(port, '/')).text);
    assert.deepEqual([...texts].sort(), ['one', 'two']);
  });

  it('-hash-by: requests of one header go to one host; without it those of one address do', async () => {
    const [a, b] = [await program('a'), await program('b')];
    const instances = [
      { id: 'a', port: a.port },
      { id: 'b', port: b.port },
    ];
    const policy = { policy: 'ring-hash' } as const;
    const upstreams = [tuned({ 'hash-by': 'header:X-User' }, policy), tuned({}, policy)];
    const { port, sidecar } = await startHttp(instances, [], { upstreams });
    const textOf = async (user: number, at = port) =>
      (await ask(at, '/', { headers: { 'X-User': `user-${user}` } })).text;
    const texts = new Set<string>();
    for (let user = 0; user < 20; user++) {
      const text = await textOf(user);
      assert.equal(await textOf(user), text);
      texts.add(text);
    }
    assert.equal(texts.size, 2);
    const bySource = new Set<string>();
    for (let user = 0; user < 20; user++) bySource.add(await textOf(user, sidecar.ports[1]));
    assert.equal(bySource.size, 1);
  });

  for (const [why, protocol, more] of [
    ['the policy does not hash', 'http', {}],
    ['there is nothing of it by TCP', 'tcp', { policy: 'ring-hash' }],
  ] as const) {
    it(`-hash-by: is said to have no effect where ${why}`, async () => {
      const { port } = await program('a');
      const by = (flags: Flags, rules: Partial<Wanted> = more) => tuned(flags, rules);
      const upstreams = [
        by({ 'hash-by': 'header:X-User' }),
        by({ 'hash-by': 'source' }, { policy: 'ring-hash' }),
        by({}),
      ];
      const options = { upstreams, protocol };
      const { logger } = await startHttp([{ id: 'a', port }], [], options);
      assert.equal(logger.lines.filter((line) => line.includes('has no effect')).length, 1);
    });
  }

  it('-hash-by: who has no such cookie is given one, and stays with its host', async () => {
    const [a, b] = [await program('a'), await program('b')];
    const instances = [
      { id: 'a', port: a.port },
      { id: 'b', port: b.port },
    ];
    const upstreams = [tuned({ 'hash-by': 'cookie:who' }, { policy: 'maglev' })];
    const { port } = await startHttp(instances, [], { upstreams });
    const { headers, text } = await ask(port, '/');
    const [cookie = ''] = headers['set-cookie'] ?? [];
    assert.match(cookie, /^who="[^"]+"; Path=\/; HttpOnly$/);
    const [Cookie = ''] = cookie.split(';');
    for (let i = 0; i < 5; i++)
      assert.equal((await ask(port, '/', { headers: { Cookie } })).text, text);
  });

  it('-outlier-deviations: few hosts with few calls are compared where -outlier-min-hosts and -outlier-min-calls say so', async () => {
    const rates = { 'outlier-failures': '0', 'outlier-deviations': '1' };
    const few = { 'outlier-min-hosts': '3', 'outlier-min-calls': '2' };
    for (const [flags, isSetAside] of [
      [rates, false],
      [{ ...rates, ...few }, true],
    ] as const) {
      const { port, backend, hosts, clock } = await start(['a', 'b', 'c'], flags);
      await backend('c').kill();
      const failed = async () => (await hosts()).find(({ id }) => id === 'm/c')?.failed;
      await shares(port, 9);
      const before = await failed();
      await clock.advance(10_000);
      await shares(port, 9);
      assert.equal((await failed()) === before, isSetAside, JSON.stringify(flags));
    }
  });

  it('-outlier-failures, -outlier-time: one failure sets a host aside, for as long as is said', async () => {
    const flags = { 'outlier-failures': '1', 'outlier-time': '20s' };
    const { port, backend, hosts, clock } = await start(['a', 'b'], flags);
    await backend('b').kill();
    const failures = async () => {
      await shares(port, 4);
      return (await hosts()).flatMap((each) => (each.id === 'm/b' ? [each.failed] : []));
    };
    assert.deepEqual(await failures(), [1]);
    await clock.advance(19_999);
    assert.deepEqual(await failures(), [1]);
    await clock.advance(1);
    assert.deepEqual(await failures(), [2]);
  });

  it('-outlier-percent: of several one may be set aside at 0, and no second', async () => {
    const flags = { 'outlier-failures': '1', 'outlier-percent': '0' };
    const { port, backend, hosts } = await start(['a', 'b', 'c'], flags);
    await backend('a').kill();
    await backend('b').kill();
    assert.deepEqual(await shares(port, 9), { c: 9 });
    const aside = (await hosts()).filter((each) => 'ejected' in each && each.ejected === true);
    assert.equal(aside.length, 1);
  });

  it('-retry-budget, -retries-per-second: at 0 what a host breaks off is not tried again', async () => {
    const [bad, good] = [await breaking(), await program('good')];
    const instances = [
      { id: 'bad', port: bad.port },
      { id: 'good', port: good.port },
    ];
    const none = tuned({ 'retry-budget': '0', 'retries-per-second': '0' });
    const { port, sidecar } = await startHttp(instances, [], { upstreams: [none, tuned({})] });
    assert.deepEqual(await statusesOf(port, 4), [200, 200, 503, 503]);
    assert.deepEqual(await statusesOf(sidecar.ports[1] ?? 0, 4), [200, 200, 200, 200]);
  });

  it('-max-retries: at 0 no request and no connection is tried at another host', async () => {
    const [gone, good] = [await freePort(), await program('good')];
    const instances = [
      { id: 'gone', port: gone },
      { id: 'good', port: good.port },
    ];
    const flags = { 'max-retries': '0' };
    const { port, admin } = await startHttp(instances, [], { upstreams: [tuned(flags)] });
    assert.deepEqual(await statusesOf(port, 4), [200, 200, 503, 503]);
    assert.match((await admin('/metrics')).text, /retries_total\{upstream="web"\} 0\n/);
    const tcp = await start(['a', 'b'], { ...flags, 'outlier-failures': '0' });
    await tcp.backend('b').kill();
    assert.deepEqual(await shares(tcp.port, 4), { a: 2, ECONNRESET: 2 });
  });

  it('-max-requests: more than that are refused', async () => {
    const held: (() => void)[] = [];
    const slow = await serveHttp((_, response) => {
      held.push(() => response.end('slow'));
    });
    const upstreams = [tuned({ 'max-requests': '1' })];
    const { port } = await startHttp([{ id: 'a', port: slow.port }], [], { upstreams });
    const first = ask(port, '/');
    await until(() => held.length === 1);
    assert.equal((await ask(port, '/')).status, 503);
    held[0]?.();
    assert.equal((await first).status, 200);
  });

  it('-zone, -zone-hosts, -headroom: its own zone first, as far as that can bear it', async () => {
    const programs = await Promise.all(['n1', 'n2', 'f1'].map((name) => program(name)));
    const instances = ['n1', 'n2', 'f1'].map((id, i) => ({
      id,
      port: programs[i]?.port ?? 0,
      meta: { zone: id.startsWith('n') ? 'here' : 'there' },
    }));
    const upstreams = [
      tuned({}, { zone: 'here' }),
      tuned({ 'zone-hosts': '3' }, { zone: 'here' }),
      tuned({ headroom: '100' }, { zone: 'here' }),
    ];
    const { sidecar, server, untilHealthy } = await startHttp(instances, [], { upstreams });
    const textsAt = async (at: number, calls = 12) => {
      const texts = new Set<string>();
      for (let i = 0; i < calls; i++) texts.add((await ask(sidecar.ports[at] ?? 0, '/')).text);
      return [...texts].sort();
    };
    assert.deepEqual(await textsAt(0), ['n1', 'n2']);
    assert.deepEqual(await textsAt(1), ['f1', 'n1', 'n2']);
    assert.deepEqual(await textsAt(2), ['n1', 'n2']);
    await server.put('/v1/catalog/register', {
      ...{ Node: 'm', Address: '127.0.0.1', SkipNodeUpdate: true },
      Check: { CheckID: 'c', ServiceID: 'n2', Name: 'c', Status: 'critical' },
    });
    for (const at of [0, 1, 2]) await untilHealthy(2, at);
    // Half of the zone is away, and what is left of it bears half of the calls.
    assert.deepEqual(await textsAt(2, 24), ['f1', 'n1']);
  });
});
