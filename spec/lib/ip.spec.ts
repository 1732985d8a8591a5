import assert from 'node:assert/strict';
import { hostPort, isLoopback } from '../../lib/ip.ts';

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
