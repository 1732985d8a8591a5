/** What one stream costs others by what it says that it has. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { Account } from '../../xds/accounts.ts';
import { type Kind, Resource, TYPE_URLS } from '../../xds/resource.ts';
import { DeltaSubscription } from '../../xds/serving/delta-subscription.ts';
import { type Has, type Holding, Order } from '../../xds/serving/order.ts';
import { Wire } from '../../xds/serving/wire.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { ADS, startXds, XdsClient } from '../support/servers/xds-clients.ts';
import { startProxy } from '../support/servers/xds-proxy.ts';

/** Says how often somebody went through all that is in it. */
class Watched extends Map<string, Has> {
  looks = 0;

  override values() {
    this.looks++;
    return super.values();
  }

  override [Symbol.iterator]() {
    this.looks++;
    return super[Symbol.iterator]();
  }
}

const MANY = Array.from({ length: 500 }, (_, i) => `c${i}`);

function orderOf(told: Partial<Record<Kind, Map<string, Has>>>, isUsedAlone = true): Order {
  const of = (kind: Kind): Holding | undefined => {
    const has = told[kind];
    return has && { told: has, wantsAll: true, isTaken: true, all: [] };
  };
  return new Order({
    of,
    isUsedAlone: () => isUsedAlone,
    clock: new FakeClock(),
    wake: () => undefined,
  });
}

describe('the order in which a stream is told', () => {
  it('is found by one look at what it has, however much of that is gone', () => {
    const listeners = new Watched(
      MANY.map((name) => [name, new Resource('listeners', name, { cluster: name })]),
    );
    const clusters = new Watched(
      MANY.map((name) => [name, new Resource('clusters', name, { name }, [name])]),
    );
    const endpoints = new Watched(MANY.map((name) => [name, 'v1']));
    const order = orderOf({ clusters, endpoints, listeners });
    assert.equal(order.shown('clusters', new Map()).held.size, MANY.length);
    assert.equal(order.shown('endpoints', new Map()).held.size, MANY.length);
    for (const each of [clusters, endpoints, listeners])
      assert.ok(each.looks <= 3, `${each.looks}`);
    order.stop();
  });

  it('is of endpoints once a client has their cluster, which would not ask for them again', () => {
    const clusters = new Map<string, Has>();
    const order = orderOf({ clusters, endpoints: new Map() });
    const db = new Resource('endpoints', 'db', {});
    const shown = () => order.shown('endpoints', new Map([['db', db]]));
    assert.deepEqual([[...shown().held], [...shown().all]], [['db'], []]);
    clusters.set('db', new Resource('clusters', 'db', {}, ['db']));
    assert.deepEqual([[...shown().held], [...shown().all]], [[], [['db', db]]]);
    order.stop();
  });

  it('holds up no endpoints that may be those of a cluster that it has of another stream, or that need none', () => {
    const known = new Map([['db', new Resource('endpoints', 'db', {})]]);
    const clusters = new Map<string, Has>([['other', 'v1']]);
    for (const order of [
      orderOf({ clusters, endpoints: new Map() }),
      orderOf({ clusters: new Map(), endpoints: new Map() }, false),
    ]) {
      assert.equal(order.shown('endpoints', new Map(known)).held.size, 0);
      order.stop();
    }
  });

  it('is of what a stream says that it has only as far as it asks for it, and that counts for its address', async () => {
    const { member, views } = await startProxy(['db']);
    const form = new DeltaSubscription({
      ...{ kind: 'clusters', wire: new Wire(), nextNonce: () => 1, onDropped: () => undefined },
      subscribe: () => ({ current: [], cancel: () => undefined }),
      account: () => member.account,
      order: orderOf({}),
    });
    const said = (names: readonly string[], subscribe: readonly string[]) => ({
      resource_names_subscribe: subscribe,
      resource_names_unsubscribe: [],
      initial_resource_versions: Object.fromEntries(names.map((name) => [name, 'v'.repeat(900)])),
    });
    for (const _ of { [Symbol.iterator]: () => form.take(said(MANY, ['c1', 'none'])) });
    assert.deepEqual([...form.told], [['c1', '']]);
    views.stop();
    const few = new Account({ followed: 1, subscribed: 100 });
    const other = new DeltaSubscription({
      ...{ kind: 'clusters', wire: new Wire(), nextNonce: () => 1, onDropped: () => undefined },
      subscribe: () => ({ current: [], cancel: () => undefined }),
      ...{ account: () => few, order: orderOf({}) },
    });
    assert.throws(() => other.take(said(MANY, ['*'])).next(), /have 100 subscriptions already/);
    for (const _ of other.end());
    for (let i = 0; i < 100; i++) few.subscribe();
  });

  it('is of ten thousand names at most that a stream says it has', async () => {
    const xds = await startXds();
    const stream = new XdsClient(xds.port).stream(ADS, 'DeltaAggregatedResources');
    const versions = Array.from({ length: 10_001 }, (_, i) => [`c${i}`, ''] as const);
    stream.send({
      node: { id: 'x' },
      type_url: TYPE_URLS.clusters,
      resource_names_subscribe: ['*'],
      initial_resource_versions: Object.fromEntries(versions),
    });
    assert.equal(await stream.ended(), status.RESOURCE_EXHAUSTED);
  });
});
