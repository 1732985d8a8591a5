import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import type { ParsedPacket } from '../../support/servers/dns-parser.ts';
import { dnsConfig, startDns, type TestDns } from '../../support/servers/start-dns.ts';

const NXDOMAIN = 3;
const REFUSED = 5;

function data(packet: ParsedPacket): string[] {
  return packet.answers.map((record) => record.data).sort();
}

function beside(packet: ParsedPacket): string[] {
  return packet.additionals.map((record) => `${record.name} ${record.data}`).sort();
}

async function withWeb(hcl = ''): Promise<TestDns> {
  const test = await startDns(hcl);
  const web = (ID: string, over: object = {}) => ({ ID, Service: 'web', Port: 80, ...over });
  const status = (ServiceID: string, Status: string) => ({
    Check: { CheckID: ServiceID, Status, ServiceID },
  });
  await test.register(
    webOn('a', {
      NodeMeta: { rack: 'r1' },
      Service: web('w1', { Tags: ['v1'], Weights: { Passing: 7, Warning: 1 } }),
      ...status('w1', 'passing'),
    }),
  );
  await test.register({
    Node: 'b',
    Address: '10.0.0.2',
    Service: web('w2', { Address: '2001:db8::9', Port: 81 }),
    ...status('w2', 'warning'),
  });
  await test.register({
    Node: 'c',
    Address: '10.0.0.3',
    Service: web('w3'),
    ...status('w3', 'critical'),
  });
  return test;
}

describe('a DNS server whose configuration is read again', () => {
  it('answers by the new one, at the port and for the domains that it has', async () => {
    const { dns, udp, lookups } = await withWeb('recursors = ["127.0.0.1:1"]');
    assert.equal((await udp('web.service.consul', 'ANY')).answers.length, 2);
    const now = dnsConfig(
      'domain = "other" recursors = [] dns_config { only_passing = true service_ttl { "*" = "9s" } }',
    );
    dns.takeOver(now, lookups);
    const { answers } = await udp('web.service.consul', 'ANY');
    assert.deepEqual([answers.length, answers[0]?.ttl], [1, 9]);
    assert.equal((await udp('web.service.other', 'ANY')).rcode, REFUSED);
  });
});

describe('a question for a service', () => {
  it('never names an instance that is critical', async () => {
    const { udp } = await withWeb();
    assert.deepEqual(data(await udp('web.service.consul', 'ANY')), ['10.0.0.1', '2001:db8::9']);
    assert.deepEqual(data(await udp('web.service.consul', 'A')), ['10.0.0.1']);
    assert.deepEqual(data(await udp('web.service.consul', 'AAAA')), ['2001:db8::9']);
  });

  it('names only what passes with only_passing', async () => {
    const { udp } = await withWeb('dns_config { only_passing = true }');
    assert.deepEqual(data(await udp('web.service.consul', 'ANY')), ['10.0.0.1']);
  });

  it('is answered with the weight of its status, and the address beside its name', async () => {
    const { udp } = await withWeb();
    const packet = await udp('web.service.consul', 'SRV');
    assert.deepEqual(data(packet), [
      '1 1 81 20010db8000000000000000000000009.addr.dc1.consul.',
      '1 7 80 a.node.dc1.consul.',
    ]);
    assert.deepEqual(beside(packet), [
      '20010db8000000000000000000000009.addr.dc1.consul. 2001:db8::9',
      'a.node.dc1.consul. "rack=r1"',
      'a.node.dc1.consul. 10.0.0.1',
    ]);
  });

  it('has the meta of the node beside an instance with an address of its own, once', async () => {
    const { udp, register } = await startDns();
    for (const [ID, Port] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      const Service = { ID, Service: 'own', Address: '10.9.9.10', Port };
      await register({ Node: 'far', Address: '10.9.9.9', NodeMeta: { zone: 'z1' }, Service });
    }
    const packet = await udp('own.service.consul', 'SRV');
    assert.equal(packet.answers.length, 2);
    assert.deepEqual(beside(packet), [
      '0a09090a.addr.dc1.consul. 10.9.9.10',
      'far.node.dc1.consul. "zone=z1"',
    ]);
    const without = await startDns('dns_config { enable_additional_node_meta_txt = false }');
    const Service = { ID: 'a', Service: 'own', Address: '10.9.9.10' };
    await without.register({ Node: 'far', Address: '10.9.9.9', NodeMeta: { a: 'b' }, Service });
    assert.equal(beside(await without.udp('own.service.consul', 'SRV')).length, 1);
  });

  it('is seen to change at once', async () => {
    const { udp, register } = await withWeb();
    await udp('web.service.consul', 'A');
    await register({
      Node: 'a',
      Address: '10.0.0.1',
      Check: { CheckID: 'w1', Status: 'critical', ServiceID: 'w1' },
    });
    await register(webOn('d', { Address: '10.0.0.4' }));
    assert.deepEqual(data(await udp('web.service.consul', 'A')), ['10.0.0.4']);
  });

  it('has no record of a family that it gets later', async () => {
    const { udp, register } = await startDns();
    await register(webOn('a'));
    for (let i = 0; i < 3; i++) {
      const { rcode, answers, authorities } = await udp('web.service.consul', 'AAAA');
      assert.deepEqual([rcode, answers.length, authorities.length], [0, 0, 1]);
    }
    await register(webOn('b', { Address: '2001:db8::1' }));
    assert.equal((await udp('web.service.consul', 'AAAA')).answers.length, 1);
  });

  it('counts in any case, and is repeated as it was written', async () => {
    const { udp } = await withWeb();
    const { answers, questions } = await udp('WeB.Service.CONSUL', 'A');
    assert.equal(questions[0]?.name, 'WeB.Service.CONSUL.');
    assert.deepEqual(
      answers.map(({ name }) => name),
      ['WeB.Service.CONSUL.'],
    );
    assert.equal((await udp('web.service.consul', 'A')).questions[0]?.name, 'web.service.consul.');
  });

  const forms: readonly [string, number][] = [
    ['web.service.consul', 1],
    ['web.service.dc1.consul', 1],
    ['v1.web.service.consul', 1],
    ['V1.WEB.service.consul', 1],
    ['_web._tcp.service.consul', 1],
    ['_web._v1.service.dc1.consul', 1],
    ['nope.web.service.consul', 0],
    ['web.service.dc2.consul', 0],
    ['web.service.dc1.more.consul', 0],
    ['service.consul', 0],
    ['web.consul', 0],
    ['consul', 0],
  ];
  for (const [name, count] of forms) {
    it(`${count > 0 ? 'finds it' : 'does not find it'} as ${name}`, async () => {
      const { udp } = await withWeb();
      const packet = await udp(name, 'A');
      assert.equal(packet.answers.length, count);
      assert.equal(packet.rcode, count > 0 ? 0 : NXDOMAIN);
      assert.equal(packet.authorities.length, count > 0 ? 0 : 1);
      assert.equal(packet.flags.aa, true);
    });
  }

  it('spreads clients over all instances, three at a time', async () => {
    const { udp, register } = await startDns();
    for (let i = 0; i < 20; i++) {
      await register(webOn(`n-${i}`, { Address: `10.1.0.${i}` }));
    }
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const addresses = data(await udp('web.service.consul', 'A'));
      assert.equal(new Set(addresses).size, 3);
      for (const address of addresses) seen.add(address);
    }
    assert.equal(seen.size, 20);
  });

  it('lives as long as service_ttl says, by name, prefix or for all', async () => {
    const { udp, register } = await startDns(
      'dns_config { node_ttl = "9s" service_ttl { "*" = "1s" "we*" = "2s" "web" = "3s" } }',
    );
    const on = (Service: string) =>
      register({ Node: 'a', Address: '10.0.0.1', Service: { Service, Port: 1 } });
    for (const name of ['web', 'west', 'db']) await on(name);
    const ttl = async (name: string) => (await udp(name, 'A')).answers[0]?.ttl;
    assert.equal(await ttl('web.service.consul'), 3);
    assert.equal(await ttl('west.service.consul'), 2);
    assert.equal(await ttl('db.service.consul'), 1);
    assert.equal(await ttl('a.node.consul'), 9);
  });

  it('leaves out an instance whose node has no name that DNS can say', async () => {
    const { udp, register } = await withWeb();
    await register(webOn('x'.repeat(64), { Address: '10.0.0.9' }));
    await register(webOn('a..b', { Address: '10.0.0.10' }));
    const packet = await udp('web.service.consul', 'SRV', 4096);
    assert.equal(packet.answers.length, 2);
    assert.equal((await udp('web.service.consul', 'A', 4096)).answers.length, 3);
  });
});

describe('other questions of the zone', () => {
  it('follows the tag of a prepared query, its TTL and its order', async () => {
    const { udp, ask } = await withWeb();
    const body = { Name: 'q', Service: { Service: 'web', OnlyPassing: true }, DNS: { TTL: '11s' } };
    await ask('POST', '/v1/query', { body });
    const packet = await udp('q.query.consul', 'A');
    assert.deepEqual(data(packet), ['10.0.0.1']);
    assert.equal(packet.answers[0]?.ttl, 11);
    assert.equal((await udp('none.query.consul', 'A')).rcode, NXDOMAIN);
  });

  it('says who stands in front of a service in the mesh', async () => {
    const { udp, register } = await withWeb();
    const toWeb = { DestinationServiceName: 'web' };
    const Service = { Service: 'web-proxy', Kind: 'connect-proxy', Proxy: toWeb, Port: 9000 };
    await register({ Node: 'p', Address: '10.0.0.7', Service });
    assert.deepEqual(data(await udp('web.connect.consul', 'SRV')), ['1 1 9000 p.node.dc1.consul.']);
  });

  it('says which gateways let calls to a service into the mesh', async () => {
    const { udp, register, put } = await withWeb();
    const Service = { Service: 'edge', Kind: 'ingress-gateway', Port: 8443 };
    await register({ Node: 'g', Address: '10.0.0.8', Service });
    const Listeners = [{ Port: 80, Services: [{ Name: 'web' }] }];
    assert.equal((await udp('web.ingress.consul', 'A')).rcode, NXDOMAIN);
    await put('/v1/config', { Kind: 'ingress-gateway', Name: 'edge', Listeners });
    for (const name of ['web.ingress.consul', 'x.WEB.ingress.dc1.consul']) {
      assert.deepEqual(data(await udp(name, 'A')), ['10.0.0.8']);
      assert.deepEqual(data(await udp(name, 'SRV')), ['1 1 8443 g.node.dc1.consul.']);
    }
    for (const name of ['db.ingress.consul', 'web.ingress.dc2.consul', 'ingress.consul']) {
      assert.equal((await udp(name, 'A')).rcode, NXDOMAIN);
    }
  });

  it('splits the meta of a node that is longer than a text may be', async () => {
    const { udp, register } = await startDns();
    await register({ Node: 'a.b', Address: '10.0.0.1', NodeMeta: { big: 'x'.repeat(300) } });
    const [text] = (await udp('a.b.node.consul', 'TXT')).answers;
    assert.equal(text?.data.replaceAll('" "', ''), `"big=${'x'.repeat(300)}"`);
  });

  it('answers for addresses, there and back', async () => {
    const { udp } = await withWeb();
    assert.deepEqual(data(await udp('0a000001.addr.dc1.consul', 'A')), ['10.0.0.1']);
    assert.deepEqual(data(await udp('1.0.0.10.in-addr.arpa', 'PTR')), ['a.node.dc1.consul.']);
    const reversed = `9${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa`;
    assert.deepEqual(data(await udp(reversed, 'PTR')), ['web.service.dc1.consul.']);
  });

  it('is the same under alt_domain, and names what it leads to under domain', async () => {
    const { udp } = await withWeb('domain = "Corp.Local" alt_domain = "alt.example"');
    const main = await udp('v1.web.service.corp.local', 'SRV');
    const other = await udp('v1.web.service.alt.example', 'SRV');
    assert.deepEqual(data(main), ['1 7 80 a.node.dc1.corp.local.']);
    assert.deepEqual(data(other), data(main));
    assert.equal((await udp('v1.web.service.consul', 'A')).rcode, 5);
  });

  it('names its servers', async () => {
    const { udp, register } = await startDns();
    await register({ Node: 's1', Address: '10.0.0.1', Service: { Service: 'consul', Port: 8300 } });
    const soa = await udp('consul', 'SOA');
    assert.match(soa.answers[0]?.data ?? '', /^ns\.consul\. hostmaster\.consul\. \d+ 3600 600/);
    assert.deepEqual(
      soa.authorities.map((r) => r.data),
      ['s1.node.dc1.consul.'],
    );
    assert.deepEqual(beside(soa), ['s1.node.dc1.consul. 10.0.0.1']);
    assert.deepEqual(data(await udp('anything.consul', 'NS')), ['s1.node.dc1.consul.']);
  });
});
