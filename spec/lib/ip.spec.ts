import assert from 'node:assert/strict';
import { hostPort } from '../../lib/ip.ts';

describe('hostPort', () => {
  for (const [address, text] of [
    ['10.0.0.1', '10.0.0.1:8300'],
    ['::1', '[::1]:8300'],
    ['server-1', 'server-1:8300'],
  ] as const) {
    it(`writes ${text}, as Go does`, () => assert.equal(hostPort(address, 8300), text));
  }
});
