/** What the catalog ought to have, made a part at a time. */
import assert from 'node:assert/strict';
import { Wanted } from '../../../kubernetes/to-catalog/wanted.ts';
import { kubeService, kubeSlice } from '../../support/kubernetes/cluster.ts';
import { SYNC_RULES } from '../../support/kubernetes/sync-rules.ts';

const PODS = 300;

function withServices(count: number, isWhole = true) {
  const wanted = new Wanted(
    { ...SYNC_RULES, node: 'n' },
    {
      now: () => 0,
      changed: () => undefined,
      nodesWanted: () => undefined,
      areNodesKnown: () => true,
      judged: () => undefined,
    },
  );
  const told = (name: string, from: number) => {
    const { services, slices } = wanted;
    services.changed(`default/${name}`, services.keep({ ...kubeService(name) }), undefined);
    const ips = Array.from({ length: PODS }, (_, i) => ({ ip: `10.${from}.${i >> 8}.${i & 255}` }));
    const slice = slices.keep({ ...kubeSlice(name, ips) });
    slices.changed(`default/${name}-x1`, slice, undefined);
  };
  for (let i = 0; i < count; i++) told(`web-${i}`, i);
  if (isWhole) wanted.whole();
  return { wanted, told };
}

describe('what the catalog ought to have', () => {
  it('is made for some Services at a time, and for all before long', () => {
    const { wanted } = withServices(20);
    const parts: number[] = [];
    do parts.push(wanted.drain().length);
    while (wanted.isBehind);
    assert.equal(
      parts.reduce((sum, each) => sum + each),
      20 * PODS,
    );
    assert.ok(parts.length > 3, `${parts}`);
    assert.equal([...wanted.ids()].length, 20 * PODS);
  });

  it('is not known of an instance while something of its Service, or any that may want it, was not looked at', () => {
    const { wanted, told } = withServices(1);
    const [first] = wanted.drain();
    const id = first?.[0] ?? '';
    assert.deepEqual([wanted.isBehindOn(id), wanted.isBehindOn('x')], [false, false]);
    told('other', 1);
    assert.deepEqual([wanted.isBehindOn(id), wanted.isBehindOn('x')], [false, true]);
    told('web-0', 0);
    assert.equal(wanted.isBehindOn(id), true);
    wanted.drain();
    assert.deepEqual([wanted.isBehindOn(id), wanted.isBehindOn('x')], [false, false]);
  });

  it('is known at a start of what was looked at, though some change and others come without end', () => {
    const { wanted, told } = withServices(20);
    for (let i = 0; i < 20; i++) {
      wanted.drain();
      for (let j = 1; j < 6; j++) told(`web-${j}`, j);
      told(`new-${i}`, 20 + i);
    }
    const id = [...wanted.ids()].find((each) => each.startsWith('web-0-')) ?? '';
    assert.deepEqual([wanted.isBehind, wanted.isBehindOn(id)], [true, false]);
  });

  it('is made anew of a Service that did not come meanwhile, of which nothing is kept', () => {
    const { wanted } = withServices(0);
    const { services, slices } = wanted;
    const [service, slice] = [
      services.keep({ ...kubeService('web') }),
      slices.keep({ ...kubeSlice('web', [{ ip: '10.1.0.1' }]) }),
    ];
    slices.changed('default/web-x1', slice, undefined);
    const shown = [service, undefined, service].map((now) => {
      services.changed('default/web', now, undefined);
      wanted.drain();
      const [id = ''] = wanted.ids();
      return wanted.get(id);
    });
    assert.deepEqual([shown[1], shown[2]], [undefined, shown[0]]);
    assert.notEqual(shown[2], shown[0]);
  });

  it('is not known before both lists are, whatever was looked at', () => {
    const { wanted, told } = withServices(1, false);
    wanted.drain();
    told('other', 1);
    const [id = ''] = wanted.ids();
    assert.equal(wanted.isBehindOn(id), true);
    wanted.whole();
    assert.equal(wanted.isBehindOn(id), true);
    wanted.drain();
    assert.equal(wanted.isBehindOn(id), false);
  });
});
