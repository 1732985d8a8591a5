import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { type FakeMachine, fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

const FROM_FILE = ['-config-file=/etc/0.json'];

const file = (keys: object): FakeMachine => ({
  files: { '/etc/0.json': JSON.stringify({ data_dir: '/d', ...keys }) },
});

function load(argv: readonly string[], machine: FakeMachine) {
  return loadConfig({ argv, host: fakeConfigHost(machine) });
}

describe('addresses', () => {
  const interfaces = {
    lo: ['127.0.0.1/8'],
    eth0: ['10.0.0.7/24', '2a01:4f8::7/64', 'fe80::7/64'],
    docker0: ['172.17.0.1/16'],
    wan: ['93.184.216.34/24'],
  };
  const address = (keys: object, machine: FakeMachine = { interfaces }) =>
    load(FROM_FILE, { ...machine, ...file({ bind_addr: '127.0.0.1', ...keys }) }).config.address;

  it('fill in templates', () => {
    const filled = (template: string) => address({ advertise_addr: template }).advertise;
    assert.equal(filled('{{ GetPrivateIP }}'), '10.0.0.7');
    assert.equal(filled('{{ GetInterfaceIP "docker0" }}'), '172.17.0.1');
    assert.equal(filled('{{ GetInterfaceIP `wan` }}'), '93.184.216.34');
    assert.equal(
      filled('{{ GetAllInterfaces | include "network" "172.16.0.0/12" | attr "address" }}'),
      '172.17.0.1',
    );
    assert.equal(
      filled(
        '{{ GetAllInterfaces | exclude "name" "lo|eth0" | sort "-address" | limit 1 | join "address" " " }}',
      ),
      '172.17.0.1',
    );
    assert.equal(
      filled('{{ GetPrivateInterfaces | include "type" "IPv4" | attr "address" }}'),
      '10.0.0.7',
    );
  });

  it('name the function that no template knows', () => {
    assert.throws(() => address({ advertise_addr: '{{ Nope }}' }), {
      message:
        '1 error occurred:\n\t* advertise_addr: error parsing "{{ Nope }}": ' +
        'function "Nope" not defined\n\n',
    });
  });

  it('may be several for clients', () => {
    const keys = {
      client_addr: '127.0.0.1 {{ GetPrivateIP }}',
      addresses: { http: 'unix:///s ::1' },
    };
    const { config } = load(FROM_FILE, {
      interfaces,
      ...file({ bind_addr: '127.0.0.1', ...keys }),
    });
    assert.deepEqual(config.listen.dns, [
      { host: '127.0.0.1', port: 8600 },
      { host: '10.0.0.7', port: 8600 },
    ]);
    assert.deepEqual(config.listen.http, [{ path: '/s' }, { host: '::1', port: 8500 }]);
  });

  it('advertise the private one when bound to all', () => {
    const one = { interfaces: { lo: ['127.0.0.1/8'], eth1: ['10.0.0.7/24'] } };
    assert.equal(address({ bind_addr: '0.0.0.0' }, one).advertise, '10.0.0.7');
  });

  it('advertise loopback on a machine without a network, as Consul does', () => {
    const offline = { interfaces: { lo: ['127.0.0.1/8', '::1/128'] } };
    assert.equal(address({ bind_addr: '0.0.0.0' }, offline).advertise, '127.0.0.1');
  });

  for (const cidr of ['169.254.1.1/16', '192.0.2.2/24', '192.0.0.1/24', '100.64.0.1/10']) {
    it(`take ${cidr} for private, as Consul does`, () => {
      const one = { interfaces: { lo: ['127.0.0.1/8'], eth0: [cidr] } };
      const { advertise } = address({ bind_addr: '0.0.0.0' }, one);
      assert.equal(advertise, cidr.split('/')[0]);
    });
  }

  for (const cidr of ['198.18.0.1/15', '192.88.99.1/24', '203.0.113.1/24', '240.0.0.1/8']) {
    it(`do not take ${cidr} for private`, () => {
      const one = { interfaces: { lo: ['127.0.0.1/8'], eth0: [cidr] } };
      assert.throws(() => address({ bind_addr: '0.0.0.0' }, one), /No private IPv4/);
    });
  }

  it('advertise the one that leads to the world when Docker has brought another, and warn', () => {
    const { config, warnings } = load(FROM_FILE, { interfaces, ...file({}) });
    assert.equal(config.address.advertise, '10.0.0.7');
    assert.match(
      warnings[0] ?? '',
      /^Multiple private IPv4 addresses found \(10.0.0.7, 172.17.0.1\)/,
    );
  });

  it('cannot be guessed when there is none, or several that might be meant', () => {
    const none = { interfaces: { lo: ['127.0.0.1/8'], wan: ['93.184.216.34/24'] } };
    assert.throws(() => address({ bind_addr: '0.0.0.0' }, none), {
      message:
        "No private IPv4 address found. Please configure one with 'bind' and/or 'advertise'.",
    });
    const two = { interfaces: { a: ['10.0.0.1/8'], b: ['10.0.0.2/8'] } };
    assert.throws(() => address({ bind_addr: '0.0.0.0' }, two), {
      message:
        "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
    });
  });

  it('are tagged by family, as Consul does it', () => {
    assert.deepEqual(address({ advertise_addr_ipv6: '::1' }).tagged, {
      lan: '127.0.0.1',
      lan_ipv4: '127.0.0.1',
      lan_ipv6: '::1',
      wan: '127.0.0.1',
      wan_ipv4: '127.0.0.1',
      wan_ipv6: '::1',
    });
    const keys = { advertise_addr: 'fd00::1', advertise_addr_wan: '9.9.9.9' };
    assert.deepEqual(address({ ...keys, advertise_addr_ipv4: '10.1.1.1' }).tagged, {
      lan: 'fd00::1',
      lan_ipv4: '10.1.1.1',
      lan_ipv6: 'fd00::1',
      wan: '9.9.9.9',
      wan_ipv4: '9.9.9.9',
      wan_ipv6: 'fd00::1',
    });
    assert.throws(() => address({ advertise_addr_ipv4: '::1' }), /not an ipv4 address: ::1/);
  });
});
