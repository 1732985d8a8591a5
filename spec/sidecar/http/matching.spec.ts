import assert from 'node:assert/strict';
import { testOf } from '../../../sidecar/http/matching.ts';

const asked = (path: string) => ({ method: 'GET', path, authority: 'x', fields: [] });

describe('whether a request is meant', () => {
  it('goes by what is said of the connection too: who may not open a WebSocket does not', () => {
    const socket = testOf({ Header: [{ Name: 'Upgrade', Exact: 'websocket', IgnoreCase: true }] });
    const length = testOf({ Header: [{ Name: 'Content-Length', Present: true }] });
    const opening = { ...asked('/'), upgrade: 'websocket', length: 0 };
    const sending = { ...asked('/'), upgrade: '', length: 7 };
    assert.deepEqual([socket(opening), socket(sending)], [true, false]);
    assert.deepEqual([length(opening), length(sending)], [false, true]);
  });

  it('goes in any case by exact paths and prefixes where that is said, and not by patterns', () => {
    const CaseInsensitive = true;
    const exact = testOf({ PathExact: '/Admin', CaseInsensitive });
    const prefix = testOf({ PathPrefix: '/Admin', CaseInsensitive });
    const pattern = testOf({ PathRegex: '/Admin[A-Z]', CaseInsensitive });
    assert.deepEqual(
      [exact, prefix, pattern].map((test) => test(asked('/ADMIN'))),
      [true, true, false],
    );
    assert.deepEqual([pattern(asked('/AdminX?y')), pattern(asked('/adminx'))], [true, false]);
  });
});
