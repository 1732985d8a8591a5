/** Keys and ConfigMaps: what nothing that goes wrong may do to them. */
import assert from 'node:assert/strict';
import type { CatalogRequest } from '../../../kubernetes/catalog.ts';
import { agreedText, intended } from '../../../kubernetes/config-maps/agreed.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { startApiServer } from '../../support/kubernetes/api-server.ts';
import { accessTo } from '../../support/kubernetes/cluster.ts';
import type { KubeObject } from '../../support/kubernetes/objects.ts';
import { AGREED, type Plain, startPairWorld } from '../../support/kubernetes/pair-world.ts';
import { startSyncWorld } from '../../support/kubernetes/syncs.ts';
import { until } from '../../support/until.ts';

const isOfKeys = ({ path }: CatalogRequest) => path === '/v1/kv/app/web/';

/** So many names that no transaction takes all of them. */
const many = (value: string): Plain =>
  Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`n${i}`, `${value}${i}`]));

describe('a ConfigMap, where the catalog says nothing of its keys', () => {
  const pages = {
    'a 404 of somebody between': { status: 404, index: '', text: '', json: undefined },
    'a 200 that is no list': { status: 200, index: '7', text: '{}', json: {} },
    'a 200 that is no JSON': { status: 200, index: '7', text: 'hello', json: undefined },
  };
  for (const [what, page] of Object.entries(pages)) {
    it(`stays as it is, as with ${what}`, async () => {
      const { set, untilData, first, next, said, data } = await startPairWorld('from-kv');
      await set('a', '1');
      await untilData({ a: '1' });
      await first.stop();
      const second = next('b', 'from-kv', (request) => (isOfKeys(request) ? page : undefined));
      await said(/cannot read the keys of app\/web\//);
      assert.deepEqual([data(), second.isActive], [{ a: '1' }, false]);
      second.instead = () => undefined;
      await set('a', '2');
      await untilData({ a: '2' });
    });
  }
});

describe('keys that are more than may be read', () => {
  it('leave their map as it is, hold up no other pair, and come once they are fewer', async () => {
    const { sync, objects, put, ...world } = await startSyncWorld();
    const app = { isLarge: true };
    const flags = { 'to-consul': 'false', 'config-map-from-kv': 'app/web/=default/web' };
    const data = () => objects.get('configmaps', 'default', 'web')?.['data'] as Plain | undefined;
    const before = sync('a', flags);
    await put('/v1/kv/app/web/a', '1');
    await until(() => data()?.['a'] === '1');
    // What it waits at would bring what is put now, however large.
    await before.stop();
    await put('/v1/kv/app/web/a', '2');
    const other = { ...flags, 'config-map-to-kv': 'app/db/=default/db' };
    const made = sync('b', other, '', undefined, (request) => {
      if (isOfKeys(request) && app.isLarge) throw new ProconsulError('too-large', 'too long');
      return undefined;
    });
    const told = () => made.logger.lines.join('\n');
    await until(() => /cannot read the keys of app\/web\/: too long/.test(told()), told);
    const metadata = { name: 'db', namespace: 'default' };
    objects.set('configmaps', { metadata, data: { b: '1' } } as KubeObject);
    await until(async () => (await world.get('/v1/kv/app/db/b?raw')).text === '1', told);
    assert.deepEqual(data(), { a: '1' });
    app.isLarge = false;
    await until(() => data()?.['a'] === '2', told);
  });
});

describe('keys that take more than one transaction', () => {
  it('are as the map was told, though only some of them were taken before the process died', async () => {
    const { set, make, untilKeys, untilData, untilAgreed, first, next, keys } =
      await startPairWorld('both');
    await set('mine', '1');
    await untilData({ mine: '1' });
    make(many('a'));
    await untilKeys(many('a'));
    await untilAgreed();
    let sent = 0;
    const refused = { status: 500, index: '', text: 'away', json: undefined };
    first.instead = ({ path }) => (path === '/v1/txn' && sent++ > 0 ? refused : undefined);
    make({ ...many('b'), mine: '1' });
    await until(() => sent > 2);
    const half = Object.values(await keys()).filter((value) => value.startsWith('b'));
    assert.ok(half.length > 0 && half.length < 150, `${half.length}`);
    await first.stop();
    next('b');
    await untilKeys({ ...many('b'), mine: '1' });
    await untilData({ ...many('b'), mine: '1' });
  });

  it('are as the map has them where that alone counts: what was brought halfway is its own', async () => {
    const { make, untilKeys, first, next } = await startPairWorld('to-kv');
    let sent = 0;
    const refused = { status: 500, index: '', text: 'away', json: undefined };
    first.instead = ({ path }) => (path === '/v1/txn' && sent++ > 0 ? refused : undefined);
    make(many('a'));
    await until(() => sent > 2);
    await first.stop();
    make(many('b'));
    next('b');
    await untilKeys(many('b'));
  });

  it('stay as they are where one of them is more than a server takes', async () => {
    const { make, untilKeys, said, keys } = await startPairWorld('to-kv');
    make({ a: '1' });
    await untilKeys({ a: '1' });
    make({ ...many('a'), large: 'v'.repeat(600_000) });
    await said(/app\/web\/: .*(413|too large|larger)/i);
    assert.deepEqual(await keys(), { a: '1' });
    make(many('a'));
    await untilKeys(many('a'));
  });

  it('are agreed on in one value, however long their names are', () => {
    const value = (side: string) =>
      new Map(
        Array.from({ length: 2000 }, (_, i) => [`${i}`.padEnd(253, 'n'), `${side}${i}`] as const),
      );
    let agreed = { serial: 1, names: new Map() as ReturnType<typeof intended> };
    for (const side of ['a', 'b', 'c', 'd', 'e']) {
      const keys = value(side);
      const sides = { keys, map: value('map') };
      const names = intended(agreed, sides, { keys, map: keys }, () => true);
      agreed = { serial: agreed.serial + 1, names };
    }
    const { length } = agreedText(agreed, 'app/web/');
    assert.ok(length < 256 * 1024, `${length}`);
  });
});

describe('what keys and a ConfigMap agreed on', () => {
  it('is less than was known where a snapshot was restored: the keys count, on both sides', async () => {
    const { set, make, untilData, untilKeys, untilAgreed, put, next, first, said } =
      await startPairWorld('both');
    await set('a', '1');
    await set('gone', '1');
    await untilData({ a: '1', gone: '1' });
    const before = await untilAgreed();
    await set('a', '2');
    await untilData({ a: '2', gone: '1' });
    make({ a: '2', later: '1' });
    await untilKeys({ a: '2', later: '1' });
    const op = (Key: string, text: string) => ({
      KV: { Verb: 'set', Key, Value: Buffer.from(text).toString('base64') },
    });
    const gone = { KV: { Verb: 'delete', Key: 'app/web/later' } };
    const restored = [op(AGREED, before), op('app/web/a', '1'), op('app/web/gone', '1'), gone];
    await first.stop();
    assert.equal((await put('/v1/txn', restored)).status, 200);
    next('b');
    await untilData({ a: '1', gone: '1' });
    await untilKeys({ a: '1', gone: '1' });
    await said(/the store was restored, and the keys count/);
    make({ a: '3', gone: '1' });
    await untilKeys({ a: '3', gone: '1' });
  });

  it('is forgotten where keys alone said what is so meanwhile', async () => {
    const { set, make, untilData, untilKeys, get, next, first } = await startPairWorld('both');
    await set('a', 'old');
    await untilData({ a: 'old' });
    await first.stop();
    const second = next('b', 'from-kv');
    await until(async () => (await get(`/v1/kv/${AGREED}`)).status === 404);
    await set('a', 'new');
    await untilData({ a: 'new' });
    await second.stop();
    await set('b', '1');
    const third = next('c', 'both');
    await untilData({ a: 'new', b: '1' });
    make({ a: 'old', b: '1' });
    await untilKeys({ a: 'old', b: '1' });
    await third.stop();
  });
});

describe('a key that is changed while its ConfigMap cannot be written', () => {
  it('counts, and the log says so, where the map was changed too', async () => {
    const { set, make, untilData, untilKeys, untilAgreed, said, cluster } =
      await startPairWorld('both');
    await set('a', '1');
    await untilData({ a: '1' });
    await untilAgreed();
    cluster.tokens.set('t1', { configmaps: ['list', 'watch'] });
    await set('a', '2');
    await said(/configmaps is forbidden: cannot update/);
    make({ a: '3' });
    cluster.tokens.set('t1', 'all');
    await untilData({ a: '2' });
    await untilKeys({ a: '2' });
    await said(/were both changed: the key counts/);
  });
});

describe('a ConfigMap that a webhook changes each time', () => {
  it('is written a few times, and then less and less', async () => {
    const { set, said, cluster, map, untilData } = await startPairWorld('from-kv');
    let count = 0;
    cluster.changes = (object) => ({ ...object, data: { a: `webhook ${count++}` } });
    await set('a', '1');
    await said(/somebody changes it each time it is written/);
    assert.deepEqual([cluster.writes, map()?.['data']], [4, { a: 'webhook 3' }]);
    cluster.changes = undefined;
    await untilData({ a: '1' });
  });
});

describe('a store that was restored to before a pair agreed', () => {
  it('has the key count where both differ, and loses nothing of the map', async () => {
    const { set, make, untilData, untilKeys, untilAgreed, first, next, put, get } =
      await startPairWorld('both');
    await set('a', '1');
    await untilData({ a: '1' });
    make({ a: '2', b: '1' });
    await untilKeys({ a: '2', b: '1' });
    await untilAgreed();
    await first.stop();
    const old = { Verb: 'set', Key: 'app/web/a', Value: Buffer.from('0').toString('base64') };
    const gone = [AGREED, 'app/web/b'].map((Key) => ({ KV: { Verb: 'delete', Key } }));
    assert.equal((await put('/v1/txn', [{ KV: old }, ...gone])).status, 200);
    next('b');
    await untilData({ a: '0', b: '1' });
    await untilKeys({ a: '0', b: '1' });
    assert.match((await get(`/v1/kv/${AGREED}?raw`)).text, /"Serial":/);
  });
});

describe('a ConfigMap whose annotation counts further than anybody has', () => {
  it('is not believed', async () => {
    const { set, make, untilData, untilKeys, first, next, untilAgreed } =
      await startPairWorld('both');
    await set('a', '1');
    await untilData({ a: '1' });
    await untilAgreed();
    await first.stop();
    const annotations = { 'proconsul-agreed': String(2 ** 53 - 1) };
    const labels = {
      consul: 'true',
      'app.kubernetes.io/managed-by': 'proconsul',
      'app.kubernetes.io/instance': 'k8s-sync',
    };
    make({ a: '2' }, { metadata: { name: 'web', namespace: 'default', labels, annotations } });
    next('b');
    await untilKeys({ a: '2' });
    assert.match(await untilAgreed(), /"Serial":\d{1,3},/);
  });
});

describe('a ConfigMap of a cluster that was restored', () => {
  it('is written on, though its versions are smaller than they were', async () => {
    const { set, make, untilData, objects } = await startPairWorld('from-kv');
    await set('a', '1');
    await untilData({ a: '1' });
    objects.version = 10;
    make({ a: 'restored' });
    await untilData({ a: '1' });
    await set('b', '2');
    await untilData({ a: '1', b: '2' });
  });
});

describe('a sync of ConfigMaps alone', () => {
  it('takes no turn before it has read any of them', async () => {
    const { sync, objects } = await startSyncWorld();
    const away = await startApiServer();
    const access = accessTo(away);
    await away.stop();
    const flags = { 'to-consul': 'false', 'config-map-to-kv': 'app/web/=default/web' };
    const first = sync('a', flags, '', access);
    await until(() => first.sync.waitsFor.join() === 'all of config-maps');
    const metadata = { name: 'web', namespace: 'default' };
    objects.create('configmaps', { metadata, data: { a: '1' } });
    const second = sync('b', flags);
    await until(() => second.isActive);
    assert.equal(first.isActive, false);
  });
});
