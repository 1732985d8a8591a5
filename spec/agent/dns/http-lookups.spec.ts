import assert from 'node:assert/strict';
import { type Answered, HttpLookups } from '../../../agent/dns/http-lookups.ts';
import type { HealthEntry, Lookups } from '../../../lib/dns-lookups.ts';
import { noLeader } from '../../../lib/errors.ts';
import { LocalLookups } from '../../../server/dns-lookups.ts';
import { webOn } from '../../support/factories.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { askUdp } from '../../support/servers/dns-client.ts';
import { serveDns } from '../../support/servers/start-dns.ts';
import { startServer, type TestServer } from '../../support/servers/start-server.ts';

const SERVFAIL = 2;
const TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000;

/** Lookups over HTTP of a registry server, which can be cut off. */
function over(test: TestServer, maxStaleMs = TEN_YEARS_MS) {
  const line = { cut: false, mute: false, forbidden: false, token: '', asked: [] as string[] };
  const clock = new FakeClock();
  const get = async (target: string): Promise<Answered> => {
    line.asked.push(target);
    if (line.mute) await new Promise(() => undefined);
    if (line.cut) throw noLeader();
    if (line.forbidden) return { status: 403, headers: {}, body: Buffer.alloc(0) };
    const { status, headers, text } = await test.get(target);
    return { status, headers, body: Buffer.from(text) };
  };
  const lookups = new HttpLookups({ get, clock, maxStaleMs, token: () => line.token });
  return { line, clock, lookups };
}

async function withWeb(): Promise<TestServer> {
  const test = await startServer();
  const Check = { CheckID: 'c', Status: 'warning', ServiceID: 'web1' };
  const Service = { ID: 'web1', Service: 'web', Tags: ['V1'], Port: 80 };
  await test.put('/v1/catalog/register', webOn('a', { NodeMeta: { x: 'y' }, Service, Check }));
  await test.put('/v1/catalog/register', webOn('b', { Address: '10.0.0.2' }));
  const proxy = { Service: 'p', Kind: 'connect-proxy', Proxy: { DestinationServiceName: 'web' } };
  await test.put('/v1/catalog/register', webOn('c', { Address: '10.0.0.3', Service: proxy }));
  const Listeners = [{ Port: 1, Services: [{ Name: 'web' }] }];
  await test.put('/v1/config', { Kind: 'ingress-gateway', Name: 'p', Listeners });
  const near = { Name: 'near', Service: { Service: 'web', Near: 'a' }, DNS: { TTL: '3s' } };
  await test.ask('POST', '/v1/query', { body: near });
  return test;
}

describe('lookups over HTTP and from memory', () => {
  const ids = (entries: readonly HealthEntry[]) =>
    entries
      .map(({ Node, Service, Checks }) => [Node.Node, Service.ID, Checks.map((c) => c.Status)])
      .sort();
  const questions: Readonly<Record<string, (lookups: Lookups) => Promise<unknown>>> = {
    'a service': async (l) => ids((await l.service('WEB', '')).value),
    'a service with a tag': async (l) => ids((await l.service('web', 'v1')).value),
    'a service that is not there': async (l) => ids((await l.service('none', '')).value),
    'a service whose name is a way up': async (l) => ids((await l.service('..', '')).value),
    'a node whose name goes elsewhere': async (l) => (await l.node('a/../b')).value,
    'the mesh': async (l) => ids((await l.connect('web')).value),
    'the ways into it': async (l) => ids((await l.ingress('web')).value),
    'a node': async (l) => (await l.node('A')).value?.Address,
    'a node that is not there': async (l) => (await l.node('none')).value,
    'an address': async (l) => (await l.address('10.0.0.2')).value,
    'an address of nobody': async (l) => (await l.address('10.9.9.9')).value,
    'a query that is not there': async (l) => (await l.query('none')).value,
    'a query that is near': async (l) => {
      const { value } = await l.query('near');
      const { service, ttl, ordered, entries = [] } = value ?? {};
      return [service, ttl, ordered, ids(entries)];
    },
  };
  for (const [what, ask] of Object.entries(questions)) {
    it(`find the same: ${what}`, async () => {
      const test = await withWeb();
      const local = new LocalLookups(
        test.server.deps,
        { allowStale: true, maxStaleMs: 0 },
        () => '',
      );
      const { lookups } = over(test);
      assert.deepEqual(await ask(lookups), await ask(local));
    });
  }
});

describe('lookups over HTTP', () => {
  it('ask once a second for a name, however often it is looked up', async () => {
    const { lookups, line, clock } = over(await withWeb());
    await Promise.all([lookups.service('web', ''), lookups.service('web', 'v1')]);
    await lookups.service('web', '');
    assert.deepEqual(line.asked, ['/v1/health/service/web?stale']);
    await clock.advance(1000);
    await lookups.service('web', '');
    assert.equal(line.asked.length, 2);
  });

  it('give out what was known last when no server answers, and try again in a second', async () => {
    const { lookups, line, clock } = over(await withWeb());
    await lookups.node('a');
    line.cut = true;
    await clock.advance(3600_000);
    assert.equal((await lookups.node('a')).value?.Node, 'a');
    assert.equal((await lookups.node('a')).value?.Node, 'a');
    assert.equal(line.asked.length, 2);
    line.cut = false;
    await clock.advance(1000);
    await lookups.node('a');
    assert.equal(line.asked.length, 3);
  });

  it('give out nothing to a token that may not see it any more, nor what another was told', async () => {
    const { lookups, line, clock } = over(await withWeb());
    const before = await lookups.node('a');
    line.token = 'another';
    assert.equal(before.isCurrent(), false);
    await lookups.node('a');
    assert.equal(line.asked.length, 2);
    line.forbidden = true;
    await clock.advance(1000);
    for (const cut of [false, true]) {
      line.cut = cut;
      await assert.rejects(async () => await lookups.node('a'));
    }
  });

  it('do not keep a resolver waiting for a server that says nothing', async () => {
    const { lookups, line, clock } = over(await withWeb());
    await lookups.node('a');
    line.mute = true;
    await clock.advance(1000);
    const looked = lookups.node('a');
    await clock.advance(500);
    assert.equal((await looked).value?.Node, 'a');
  });

  it('give out nothing that is older than max_stale, and nothing old without allow_stale', async () => {
    const test = await withWeb();
    for (const maxStaleMs of [60_000, 0]) {
      const { lookups, line, clock } = over(test, maxStaleMs);
      assert.equal((await lookups.node('a')).isCurrent(), maxStaleMs > 0);
      line.cut = true;
      await clock.advance(maxStaleMs + 1);
      await assert.rejects(async () => await lookups.node('a'), /No cluster leader/);
    }
  });
});

describe('a DNS server of an agent without a server', () => {
  it('answers from servers, then from memory, and fails where it knows nothing', async () => {
    const { lookups, line, clock } = over(await withWeb());
    const dns = await serveDns(lookups, clock);
    const ask = (name: string) => askUdp(dns.port, { name, type: 'A' });
    assert.equal((await ask('web.service.consul')).answers.length, 2);
    line.cut = true;
    await clock.advance(60_000);
    assert.equal((await ask('web.service.consul')).answers.length, 2);
    const unknown = await ask('db.service.consul');
    assert.deepEqual([unknown.rcode, unknown.flags.aa], [SERVFAIL, false]);
  });
});
