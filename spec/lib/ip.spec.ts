import assert from 'node:assert/strict';
import { hostPort, isLoopback, networkOf } from '../../lib/ip.ts';

describe('hostPort', () => {
  for (const [address, text] of [
    ['10.0.0.1', '10.0.0.1:8300'],
    ['::1', '[::1]:8300'],
    ['server-1', 'server-1:8300'],
  ] as const) {
    it(`writes ${text}, as Go does`, () => assert.equal(hostPort(address, 8300), text));
  }
});

describe('isLoopback', () => {
  for (const address of [
    ...['127.0.0.1', '127.9.9.9', '::1', '0::1', '::01', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'],
    ...['::FFFF:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:127.0.0.1'],
  ]) {
    it(`is so of ${address}`, () => assert.equal(isLoopback(address), true));
  }

  for (const address of ['10.0.0.1', '::', '::ffff:10.0.0.1', '1::1', '::1:0', 'localhost', '']) {
    it(`is not so of "${address}"`, () => assert.equal(isLoopback(address), false));
  }
});

describe('networkOf', () => {
  it('is the same of all addresses that one customer of IPv6 has, however they are written', () => {
    const all = ['2001:db8:1:2::1', '2001:DB8:1:2:ffff:1:2:3', '2001:0db8:0001:0002::%eth0'];
    assert.deepEqual([...new Set(all.map(networkOf))], ['20010db800010002/64']);
    assert.equal(networkOf('[2001:db8:1:2::1]'), networkOf('2001:db8:1:2::2'));
    assert.notEqual(networkOf('2001:db8:1:3::1'), networkOf('2001:db8:1:2::1'));
  });

  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '::FFFF:a00:1', 'localhost', 'a:b', '']) {
    it(`is its own of "${address}"`, () => assert.equal(networkOf(address), address));
  }
});
