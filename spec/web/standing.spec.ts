import assert from 'node:assert/strict';
import type { ClusterState, RingState } from '../../lib/answers.ts';
import type { Check } from '../../lib/model.ts';
import { numbersOf, serverRows } from '../../web/core/cluster.ts';
import { bothOf, byInstance, standingOf } from '../../web/core/standing.ts';

const check = (Status: string, ServiceID = '', CheckID = 'c') =>
  ({ Status, ServiceID, CheckID }) as Check;

describe('how an instance stands', () => {
  it('comes to the same from parts as from all of its checks', () => {
    const kinds = [
      [],
      [check('passing')],
      [check('warning')],
      [check('critical')],
      [check('critical', '', '_node_maintenance')],
    ];
    for (const a of kinds)
      for (const b of kinds)
        assert.equal(bothOf(standingOf(a), standingOf(b)), standingOf([...a, ...b]));
  });

  it('is of its own checks and its node’s', () => {
    const by = byInstance([check('passing'), check('critical', 'web'), check('warning', 'web')]);
    assert.deepEqual(
      [...by].map(([id, of]) => [id, of.length]),
      [
        ['', 1],
        ['web', 2],
      ],
    );
  });
});

describe('servers as the page numbers them', () => {
  const cluster = {
    Leader: 'b',
    Servers: { b: { ID: 'b', Name: 's2', LastIndex: 7 }, c: { ID: 'c', Name: 's3', LastIndex: 9 } },
  } as unknown as ClusterState;
  const ring = {
    Servers: [
      { ID: 'a', Node: 's1', Share: 0.5 },
      { ID: 'b', Node: 's2', Share: 0.5 },
    ],
  } as unknown as RingState;

  it('have one number in the list and on the ring, also where one of the two lacks some', () => {
    assert.deepEqual(
      [...numbersOf(cluster, ring)],
      [
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ],
    );
    const rows = serverRows(cluster, ring).map(({ ID, number, share }) => [ID, number, share]);
    assert.deepEqual(rows, [
      ['b', 2, 0.5],
      ['c', 3, undefined],
    ]);
  });
});
