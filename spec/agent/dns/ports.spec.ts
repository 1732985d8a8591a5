/** The names of single ports, as a later Consul knows them. */
import assert from 'node:assert/strict';
import type { ParsedPacket } from '../../support/servers/dns-parser.ts';
import { startDns } from '../../support/servers/start-dns.ts';

const NXDOMAIN = 3;

async function withPorts() {
  const test = await startDns();
  const Ports = [
    { Name: 'HTTP', Port: 80, Default: true },
    { Name: 'metrics', Port: 9100 },
  ];
  const on = (node: string, Service: object) =>
    test.register({ Node: node, Address: `10.0.0.${node.length}`, Service });
  await on('a', { Service: 'web', Ports, Tags: ['v1'] });
  await on('bb', { Service: 'web', Ports: [{ Name: 'http', Port: 8080, Default: true }] });
  await on('ccc', { Service: 'web', Port: 81 });
  return test;
}

const ports = ({ answers }: ParsedPacket) => answers.map(({ data }) => data.split(' ')[2]).sort();

describe('a question for one port of a service', () => {
  it('is answered with the instances that have it, and where it is', async () => {
    const { udp } = await withPorts();
    for (const name of ['http.port.web.service.consul', 'web.service.http.port.dc1.consul']) {
      assert.deepEqual(ports(await udp(name, 'SRV')), ['80', '8080'], name);
    }
    assert.deepEqual(ports(await udp('metrics.port.web.service.consul', 'SRV')), ['9100']);
    const { answers } = await udp('metrics.port.web.service.consul', 'A');
    assert.deepEqual(
      answers.map(({ data }) => data),
      ['10.0.0.1'],
    );
  });

  it('may name a tag too, in both ways', async () => {
    const { udp } = await withPorts();
    for (const name of ['v1.http.port.web.service.consul', '_web._v1.service.http.port.consul']) {
      assert.deepEqual(ports(await udp(name, 'SRV')), ['80'], name);
    }
  });

  it('finds nothing where no instance has it, and without one the ports of all', async () => {
    const { udp } = await withPorts();
    for (const name of ['grpc.port.web.service.consul', 'web.service.grpc.port.consul']) {
      assert.equal((await udp(name, 'SRV')).rcode, NXDOMAIN, name);
    }
    assert.deepEqual(ports(await udp('web.service.consul', 'SRV')), ['80', '8080', '81']);
  });

  it('takes a service that is called port for one', async () => {
    const { udp, register } = await withPorts();
    await register({ Node: 'a', Address: '10.0.0.1', Service: { Service: 'port', Port: 7 } });
    assert.deepEqual(ports(await udp('port.service.consul', 'SRV')), ['7']);
  });
});
