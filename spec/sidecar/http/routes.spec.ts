import assert from 'node:assert/strict';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { plain } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

/** Answers with its name, and with what it was asked. */
const program = (name: string) =>
  serveHttp((request, response) => {
    response.setHeader('X-From', 'program');
    response.end(JSON.stringify({ name, url: request.url, headers: request.headers }));
  });

const to = (Service: string, more: object = {}) => ({ Service, ...more });
const router = (...Routes: object[]) => ({ Kind: 'service-router', Name: 'web', Routes });

async function start(names: readonly string[], entries: readonly object[]) {
  const instances = await Promise.all(
    names.map(async (name) => ({ id: name, service: name, port: (await program(name)).port })),
  );
  const sidecar = await startHttp(instances, entries);
  const who = async (path: string, asking: Parameters<typeof ask>[2] = {}) => {
    const { status, text, headers } = await ask(sidecar.port, path, asking);
    return status === 200 ? { ...JSON.parse(text), answer: headers } : { name: String(status) };
  };
  return { ...sidecar, who };
}

describe("a sidecar's routes", () => {
  it('go by path, header, parameter and method, in their order', async () => {
    const match = (HTTP: object, service: string) => ({
      Match: { HTTP },
      Destination: to(service),
    });
    const { who } = await start(
      ['web', 'a', 'b', 'c', 'd', 'e', 'f', 'g'],
      [
        router(
          match({ PathExact: '/exact' }, 'a'),
          match({ PathPrefix: '/pre' }, 'b'),
          match({ PathRegex: '/r[0-9]+' }, 'c'),
          match({ Header: [{ Name: 'X-To', Exact: 'd' }] }, 'd'),
          match({ QueryParam: [{ Name: 'to', Regex: 'e+' }], Methods: ['GET'] }, 'e'),
          match({ Header: [{ Name: 'x-v', Prefix: 'v', Invert: true }] }, 'f'),
          match({ Header: [{ Name: 'x-there', Present: true }] }, 'g'),
        ),
      ],
    );
    const found: string[] = [];
    for (const [path, asking] of [
      ['/exact?q', {}],
      ['/exact/', {}],
      ['/prefix', {}],
      ['/r12', {}],
      ['/xr12', {}],
      ['/r1/2', {}],
      ['/', { headers: { 'x-to': 'd' } }],
      ['/?a&to=ee', {}],
      ['/?to=ef', {}],
      ['/?to=e', { method: 'POST' }],
      ['/', { headers: { 'x-v': 'w' } }],
      ['/', { headers: { 'x-v': 'v' } }],
      ['/', { headers: { 'x-there': '' } }],
    ] as const) {
      found.push((await who(path, asking)).name);
    }
    assert.equal(found.join(' '), 'a web b c web web d e web web f web g');
  });

  it('are left out one by one where a pattern of theirs cannot be had, and the log says which', async () => {
    const match = (HTTP: object, service: string) => ({
      Match: { HTTP },
      Destination: to(service),
    });
    const entry = router(
      match({ PathRegex: '/[a-z]{300}' }, 'a'),
      match({ Header: [{ Name: 'x-to', Regex: '(a' }] }, 'a'),
      match({ PathExact: '/b' }, 'b'),
    );
    const { who, write, logger } = await start(['web', 'a', 'b'], [entry]);
    assert.equal((await who('/b')).name, 'b');
    assert.equal((await who('/', { headers: { 'x-to': '(a' } })).name, 'web');
    // And what is written later is heeded too.
    await write({ ...entry, Routes: [...entry.Routes, match({ PathExact: '/a' }, 'a')] });
    await until(async () => (await who('/a')).name === 'a');
    const told = logger.lines.filter((line) => line.includes('routes are left out'));
    assert.equal(told.length, 1, logger.lines.join('\n'));
    assert.match(told[0] ?? '', /^warn .*service=web.*\[a-z\]\{300\}.*\(a/);
  });

  it('rewrite what a path begins with, and change headers of requests and answers', async () => {
    const Destination = to('a', {
      PrefixRewrite: '/new/',
      RequestHeaders: {
        Add: { 'X-More': '1' },
        Set: { 'X-Set': '2', Host: 'other' },
        Remove: ['X-Gone'],
      },
      ResponseHeaders: { Set: { 'X-From': 'route' }, Add: { 'X-More': '3' } },
    });
    const { who } = await start(
      ['web', 'a'],
      [router({ Match: { HTTP: { PathPrefix: '/old/' } }, Destination })],
    );
    const headers = { 'X-More': '0', 'X-Set': '0', 'X-Gone': '0' };
    const { url, headers: got, answer } = await who('/old/x?y=/old/', { headers });
    assert.equal(url, '/new/x?y=/old/');
    assert.deepEqual(
      [got['x-more'], got['x-set'], got['x-gone'], got.host],
      ['0, 1', '2', undefined, 'other'],
    );
    assert.deepEqual([answer['x-from'], answer['x-more']], ['route', '3']);
  });

  it('are left out where what they rewrite to is no path: it could be whole requests', async () => {
    const rewritten = (path: string, PrefixRewrite: string) => ({
      Match: { HTTP: { PathPrefix: path } },
      Destination: to('a', { PrefixRewrite }),
    });
    const { who, logger } = await start(
      ['web', 'a'],
      [
        router(
          rewritten('/one', '/ HTTP/1.1\r\nhost: c\r\n\r\nDELETE /admin'),
          // As bytes of Latin-1, which is how heads are written, it ends a line.
          rewritten('/two', '/x\u010d\u010aX-Role: chief'),
          rewritten('/three', '/x#y'),
          rewritten('/four', 'z'),
        ),
      ],
    );
    for (const path of ['/one', '/two', '/three'])
      assert.deepEqual(await who(path).then(({ name, url }) => [name, url]), ['web', path]);
    assert.equal((await who('/four/x')).url, '/z/x');
    assert.match(logger.lines.join('\n'), /routes=3.*PrefixRewrite .*DELETE.* is no path/);
  });

  it('split by weight, and change when the entry does, without losing a request', async () => {
    const split = (a: number, b: number) => ({
      Kind: 'service-splitter',
      Name: 'web',
      Splits: [
        { Weight: a, Service: 'a', ResponseHeaders: { Set: { 'X-Split': 'a' } } },
        { Weight: b, Service: 'b' },
      ],
    });
    const { who, write } = await start(['a', 'b'], [split(75, 25)]);
    const counts = { a: 0, b: 0 };
    for (let i = 0; i < 200; i++) counts[(await who('/')).name as 'a' | 'b']++;
    assert.ok(counts.a > 130 && counts.a < 170, JSON.stringify(counts));
    assert.equal((await who('/')).answer['x-split'] ?? 'a', 'a');
    await write(split(0, 100));
    const names: string[] = [];
    await until(async () => {
      names.push((await who('/')).name);
      return names.slice(-20).every((name) => name === 'b') && names.length > 20;
    });
    assert.ok(names.every((name) => name === 'a' || name === 'b'));
  });

  it('call the instances of a subset, of another service, and of one that takes over', async () => {
    const [one, two] = [await program('one'), await program('two')];
    const spare = await program('spare');
    const { port, write, server } = await startHttp(
      [
        { id: 'one', port: one.port, meta: { version: '1' } },
        { id: 'two', port: two.port, meta: { version: '2' } },
        { id: 'spare', port: spare.port, service: 'spare' },
      ],
      [
        {
          Kind: 'service-resolver',
          Name: 'web',
          DefaultSubset: 'v2',
          Subsets: {
            v1: { Filter: 'Service.Meta.version == 1' },
            v2: { Filter: 'Service.Meta.version == 2' },
          },
          Failover: { '*': { Service: 'spare' } },
        },
      ],
    );
    const who = async () => JSON.parse((await ask(port, '/')).text).name;
    for (let i = 0; i < 4; i++) assert.equal(await who(), 'two');
    await server.put('/v1/catalog/deregister', { Node: 'm', ServiceID: 'two' });
    await until(async () => (await who()) === 'spare');
    await write({ Kind: 'service-resolver', Name: 'web', Redirect: { Service: 'spare' } });
    await server.put('/v1/catalog/deregister', { Node: 'm', ServiceID: 'one' });
    for (let i = 0; i < 4; i++) assert.equal(await who(), 'spare');
  });

  it('choose as the resolver says: by a header, by a cookie that is given, by who calls', async () => {
    const programs = await Promise.all(['a', 'b', 'c', 'd'].map((name) => program(name)));
    const instances = programs.map(({ port }, i) => ({ id: `${i}`, port }));
    const resolver = (Policy: string, ...HashPolicies: object[]) => ({
      ...{ Kind: 'service-resolver', Name: 'web' },
      LoadBalancer: { Policy, HashPolicies },
    });
    const byHeader = resolver('ring_hash', { Field: 'header', FieldValue: 'X-User' });
    const { port, write } = await startHttp(instances, [byHeader]);
    const who = async (headers: Record<string, string>) => {
      const { text, headers: answer } = await ask(port, '/', { headers });
      return { name: JSON.parse(text).name, cookie: answer['set-cookie']?.[0] ?? '' };
    };
    const users = Array.from({ length: 20 }, (_, i) => `user ${i}`);
    const owners = async () =>
      await Promise.all(users.map(async (user) => (await who({ 'X-User': user })).name));
    const first = await owners();
    assert.ok(new Set(first).size > 1);
    assert.deepEqual(await owners(), first);
    const CookieConfig = { TTL: '1h', Path: '/app' };
    await write(resolver('maglev', { Field: 'cookie', FieldValue: 'id', CookieConfig }));
    await until(async () => (await who({})).cookie !== '');
    const { name, cookie } = await who({});
    assert.match(cookie, /^id="[0-9a-f-]{36}"; Max-Age=3600; Path=\/app; HttpOnly$/);
    const [own = ''] = cookie.split(';');
    for (let i = 0; i < 5; i++) {
      const again = await who({ Cookie: `other=1; ${own}` });
      assert.deepEqual([again.name, again.cookie], [name, '']);
    }
    await write(resolver('ring_hash', { SourceIP: true }));
    await until(async () => (await who({})).cookie === '');
    const names = new Set<string>();
    for (let i = 0; i < 8; i++) names.add((await who({})).name);
    assert.equal(names.size, 1);
  });

  it('carry connections as before where the chain says nothing of HTTP, and heed its redirects', async () => {
    const [a, b] = [await program('a'), await program('b')];
    const { port, admin } = await startHttp(
      [
        { id: 'a', port: a.port },
        { id: 'b', port: b.port, service: 'other' },
      ],
      [{ Kind: 'service-resolver', Name: 'web', Redirect: { Service: 'other' } }],
      { protocol: 'tcp', upstreams: [plain('web')] },
    );
    assert.match((await ask(port, '/')).text, /"name":"b"/);
    const [{ protocol }] = (await admin('/hosts')).json as [{ protocol: string }];
    assert.equal(protocol, 'tcp');
  });
});
