import assert from 'node:assert/strict';
import { dump, Restoring } from '../../../server/state/snapshot.ts';
import type { State } from '../../../server/state/state.ts';
import { History } from '../../support/experiments/history.ts';
import { checkNamed, serviceNamed } from '../../support/factories.ts';

/** A sidecar, or with '' an instance that needs none. */
const proxyOf = (DestinationServiceName: string, ID = `${DestinationServiceName}-proxy`) =>
  serviceNamed('p', { ID, Kind: 'connect-proxy', Proxy: { DestinationServiceName } });
const native = (name: string) => serviceNamed(name, { Connect: { Native: true } });

function start() {
  const history = new History();
  const register = (service: ReturnType<typeof serviceNamed>, node = 'a') =>
    history.register(node, { service });
  const remove = (serviceId: string, node = 'a') =>
    history.run({ type: 'deregister', node, serviceId });
  const addresses = (...services: string[]) =>
    services.map((each) => history.state.virtual.of(each));
  return { history, register, remove, addresses };
}

function restored(lines: Iterable<string>): State {
  const restoring = new Restoring();
  for (const line of lines) restoring.add(line);
  return restoring.finish();
}

describe('the virtual address of a service', () => {
  it('is allotted with the first that speaks for it in the mesh, whatever the case of its name', () => {
    const { register, addresses } = start();
    register(serviceNamed('plain'));
    register(proxyOf(''));
    register(proxyOf('web'));
    register(proxyOf('WEB', 'another'));
    register(native('api'));
    assert.deepEqual(addresses('plain', 'Web', 'api'), [undefined, '240.0.0.1', '240.0.0.2']);
  });

  it('stays while an instance of the service or a proxy for it is left, wherever it is', () => {
    const { register, remove, addresses } = start();
    register(proxyOf('web'));
    register(proxyOf('web'), 'b');
    remove('web-proxy');
    assert.deepEqual(addresses('web'), ['240.0.0.1']);
    register(serviceNamed('web'));
    remove('web-proxy', 'b');
    assert.deepEqual(addresses('web'), ['240.0.0.1']);
    remove('web');
    assert.deepEqual(addresses('web'), [undefined]);
  });

  it('is that of the next service once it is free, the lowest first, and never of two', () => {
    const { history, register, remove, addresses } = start();
    for (const name of ['a', 'b', 'c']) register(proxyOf(name));
    remove('b-proxy');
    remove('a-proxy');
    for (const name of ['d', 'e', 'f']) register(proxyOf(name));
    const expected = ['240.0.0.3', '240.0.0.1', '240.0.0.2', '240.0.0.4'];
    assert.deepEqual(addresses('c', 'd', 'e', 'f'), expected);
    // A node takes all with it.
    history.run({ type: 'deregister', node: 'a' });
    assert.deepEqual([...history.state.virtual.rows()], []);
  });

  it('goes with what stood in front of it, when that stands in front of another', () => {
    const { register, addresses } = start();
    register(proxyOf('web', 'p'));
    register(proxyOf('db', 'p'));
    assert.deepEqual(addresses('web', 'db'), [undefined, '240.0.0.2']);
    register(serviceNamed('p'));
    assert.deepEqual(addresses('web', 'db'), [undefined, undefined]);
  });

  it('is not taken by a registration that is refused', () => {
    const { history, addresses, register } = start();
    const over = { service: proxyOf('web'), checks: [checkNamed('')] };
    const { outcome } = history.register('a', over);
    assert.notEqual(outcome.refused, undefined);
    assert.deepEqual(addresses('web'), [undefined]);
    register(proxyOf('db'));
    assert.deepEqual(addresses('db'), ['240.0.0.1']);
  });

  it('touches what is told of it when it comes and when it goes, and at no other time', () => {
    const { register, remove } = start();
    const isTouched = ({ touched }: { touched: ReadonlySet<string> }) => touched.has('virtual:web');
    assert.ok(isTouched(register(proxyOf('web'))));
    assert.ok(!isTouched(register(proxyOf('web'), 'b')));
    assert.ok(!isTouched(remove('web-proxy')));
    assert.ok(isTouched(remove('web-proxy', 'b')));
  });

  it('is the same after a snapshot, and so is the next one', () => {
    const { history, register, remove } = start();
    for (const name of ['a', 'b', 'c']) register(proxyOf(name));
    remove('b-proxy');
    const again = restored(dump(history.state));
    assert.deepEqual([...again.virtual.rows()], [...history.state.virtual.rows()]);
    for (const state of [history.state, again]) state.virtual.allot('next');
    assert.deepEqual(again.virtual.of('next'), '240.0.0.2');
    assert.deepEqual(history.state.virtual.of('next'), '240.0.0.2');
  });

  it('is allotted by name where a snapshot is older than such addresses', () => {
    const { history, register } = start();
    for (const name of ['b', 'a']) register(proxyOf(name));
    const older = [...dump(history.state)]
      .filter((line) => !line.startsWith('{"virtualAddress"'))
      .map((line) => line.replace(',"virtualAddresses":true', ''));
    const state = restored(older);
    assert.deepEqual(
      ['a', 'b'].map((each) => state.virtual.of(each)),
      ['240.0.0.1', '240.0.0.2'],
    );
  });

  for (const onto of [false, true]) {
    it(`stays where an archive is restored${onto ? ' onto the state' : ''}, as far as its service is there`, () => {
      const { history, register, addresses } = start();
      for (const name of ['gone', 'stays']) register(proxyOf(name));
      const kept = history.state.catalog.instance('a', 'stays-proxy');
      const node = history.state.catalog.node('a');
      assert.ok(kept !== undefined && node !== undefined);
      const how = onto ? { onto: true as const } : {};
      history.run({ type: 'begin-restore', restore: 'r', index: history.state.index, ...how });
      const comes = { ...proxyOf('comes'), Node: 'a', CreateIndex: 1, ModifyIndex: 1 };
      const rows = [{ node }, { instance: kept }, { instance: comes }];
      history.run({ type: 'stage-rows', restore: 'r', part: 0, rows });
      history.run({ type: 'end-restore', restore: 'r', parts: 1 });
      const expected = [undefined, '240.0.0.2', '240.0.0.1'];
      assert.deepEqual(addresses('gone', 'stays', 'comes'), expected);
    });
  }
});
