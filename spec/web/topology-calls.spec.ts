import assert from 'node:assert/strict';
import type { IntentionRow } from '../../web/core/mesh.ts';
import { callsAround, callsOf } from '../../web/core/topology.ts';

describe('the calls of a topology', () => {
  const says = (SourceName: string, DestinationName: string, Action = 'allow') =>
    ({ SourceName, DestinationName, Action }) as IntentionRow;

  it('are decided by the intention that counts first', () => {
    const intentions = [
      says('web', 'db', 'deny'),
      says('*', 'db'),
      says('web', '*'),
      says('*', '*', 'deny'),
    ];
    const upstreams = [
      { Name: 'web', Upstreams: ['db', 'pay'] },
      { Name: 'cart', Upstreams: ['db', 'pay'] },
    ];
    const by = callsOf(upstreams, intentions).map(({ from, to, by: row }) => {
      return `${from} ${to}: ${row?.SourceName} ${row?.DestinationName}`;
    });
    const found = ['cart db: * db', 'cart pay: * *', 'web db: web db', 'web pay: web *'];
    assert.deepEqual(by, found);
  });

  it('are chosen around some', () => {
    const upstreams = [
      { Name: 'a', Upstreams: ['b'] },
      { Name: 'b', Upstreams: ['c'] },
      { Name: 'c', Upstreams: ['d'] },
    ];
    const { calls, seen } = callsAround(callsOf(upstreams, []), ['b', 'x']);
    assert.deepEqual(
      calls.map(({ from, to }) => from + to),
      ['ab', 'bc'],
    );
    assert.deepEqual([...seen].sort(), ['a', 'b', 'c', 'x']);
  });

  it('look at each intention and each call some times, not once a pair', () => {
    let looks = 0;
    const names = Array.from({ length: 300 }, (_, i) => `s${i}`);
    const intentions = names.map((SourceName) => ({
      ...says(SourceName, 'db'),
      get SourceName() {
        looks++;
        return SourceName;
      },
    }));
    const upstreams = names.map((Name) => ({ Name, Upstreams: ['db'] }));
    assert.equal(callsOf(upstreams, intentions).length, 300);
    assert.ok(looks <= 10 * names.length, String(looks));
  });
});
