/** Prefixes of keys and ConfigMaps: in step, over nothing of others, and never half. */
import assert from 'node:assert/strict';
import type { KubeObject } from '../../support/kubernetes/objects.ts';
import { startPairWorld } from '../../support/kubernetes/pair-world.ts';
import { until } from '../../support/until.ts';

describe('a ConfigMap that holds what keys hold', () => {
  it('is made once there is a key, and follows them, to the last', async () => {
    const { set, drop, map, untilData, cluster } = await startPairWorld('from-kv');
    assert.equal(map(), undefined);
    await set('color', 'blue');
    await untilData({ color: 'blue' });
    assert.deepEqual(map()?.metadata.labels, {
      consul: 'true',
      'app.kubernetes.io/managed-by': 'proconsul',
      'app.kubernetes.io/instance': 'k8s-sync',
    });
    await set('color', 'red');
    await set('size', '7');
    await untilData({ color: 'red', size: '7' });
    await drop('color');
    await drop('size');
    await untilData({});
    assert.ok(cluster.requests.some((each) => each.includes('fieldSelector=metadata.name%3Dweb')));
  });

  it('has what is no text as binaryData', async () => {
    const { set, map, untilData } = await startPairWorld('from-kv');
    await set('key', Buffer.from([0xff, 0x00, 0xfe]));
    await set('text', 'grün');
    await untilData({ text: 'grün' });
    assert.deepEqual(map()?.['binaryData'], {
      key: Buffer.from([0xff, 0x00, 0xfe]).toString('base64'),
    });
  });

  it('is written when something changes, and not otherwise', async () => {
    const { set, untilData, cluster } = await startPairWorld('from-kv');
    await set('a', '1');
    await untilData({ a: '1' });
    const { writes } = cluster;
    await set('a', '1');
    cluster.endWatches();
    await set('b', '2');
    await untilData({ a: '1', b: '2' });
    assert.equal(cluster.writes, writes + 1);
  });

  it('is put back where somebody changes or deletes it, with what others wrote on it', async () => {
    const { set, untilData, objects, make, map } = await startPairWorld('from-kv');
    await set('a', '1');
    await untilData({ a: '1' });
    make({ a: '2', b: '3' });
    await untilData({ a: '1' });
    const there = map() as KubeObject;
    const annotations = { team: 'blue' };
    objects.set('configmaps', { ...there, data: {}, metadata: { ...there.metadata, annotations } });
    await untilData({ a: '1' });
    assert.deepEqual(map()?.metadata.annotations, annotations);
    objects.delete('configmaps', 'default', 'web');
    await untilData({ a: '1' });
  });

  it("is left alone where somebody else made it, until it is labelled as this sync's", async () => {
    const { set, objects, said, data, untilData, map } = await startPairWorld('from-kv');
    const metadata = { name: 'web', namespace: 'default', labels: { app: 'x' } };
    objects.create('configmaps', { metadata, data: { a: '0' } });
    await set('a', '1');
    await said(/"web" of namespace "default" is left alone/);
    assert.deepEqual(data(), { a: '0' });
    const labels = {
      app: 'x',
      'app.kubernetes.io/managed-by': 'proconsul',
      'app.kubernetes.io/instance': 'k8s-sync',
    };
    objects.set('configmaps', { metadata: { ...metadata, labels }, data: { a: '0' } });
    await untilData({ a: '1' });
    assert.equal(map()?.metadata.labels?.['app'], 'x');
  });

  it('leaves out keys that no map can have, and says so once', async () => {
    const { set, said, untilData } = await startPairWorld('from-kv');
    await set('sub/key', 'x');
    await set('a%20b', 'x');
    await set('ok', '1');
    await untilData({ ok: '1' });
    await said(/no ConfigMap can have \d of its keys/);
  });

  it('is not written where it would be too large, and is once it fits', async () => {
    const { set, drop, said, untilData, data } = await startPairWorld('from-kv');
    await set('a', '1');
    await untilData({ a: '1' });
    for (const name of ['x', 'y', 'z']) await set(name, 'v'.repeat(400_000));
    await said(/stays as it is: 12\d{5} bytes are more/);
    assert.equal(data()?.['z'], undefined);
    await drop('z');
    await until(() => data()?.['y'] !== undefined);
  });
});

describe('keys that hold what a ConfigMap holds', () => {
  it('follow it, and go with what it has no more', async () => {
    const { make, untilKeys, map } = await startPairWorld('to-kv');
    make({ color: 'blue', size: '7' }, { binaryData: { bin: 'AAE=' } });
    await untilKeys({ bin: '\u0000\u0001', color: 'blue', size: '7' });
    make({ color: 'red' });
    await untilKeys({ color: 'red' });
    assert.deepEqual(map()?.metadata.labels, {});
  });

  it('keep what others wrote there, and are put back where others change them', async () => {
    const { make, set, untilKeys, said } = await startPairWorld('to-kv');
    await set('mine', 'x');
    await set('both', 'x');
    make({ both: 'y', own: '1' });
    await untilKeys({ mine: 'x', both: 'x', own: '1' });
    await said(/app\/web\/both and what ConfigMap "web" .* differ/);
    await set('own', '2');
    await untilKeys({ mine: 'x', both: 'x', own: '1' });
    make({});
    await untilKeys({ mine: 'x', both: 'x' });
  });

  it('stay where the map is deleted, and go with the next one that does not have them', async () => {
    const { make, untilKeys, objects, first, next, keys } = await startPairWorld('to-kv');
    make({ a: '1', b: '2' });
    await untilKeys({ a: '1', b: '2' });
    objects.delete('configmaps', 'default', 'web');
    await first.stop();
    const second = next('b');
    await until(() => second.isActive);
    assert.deepEqual(await keys(), { a: '1', b: '2' });
    make({ a: '1', c: '3' });
    await untilKeys({ a: '1', c: '3' });
  });

  it('are written in one entry, and not at all where nothing changes', async () => {
    const { make, untilKeys, position } = await startPairWorld('to-kv');
    make({ a: '1', b: '2' });
    await untilKeys({ a: '1', b: '2' });
    make({ a: '1', b: '2' }, { immutable: false });
    const before = position();
    make({ a: '1', b: '3' });
    await untilKeys({ a: '1', b: '3' });
    // With what is agreed by it; beats are not in the log.
    assert.equal(position(), before + 1);
  });

  it('keep the flags that they have', async () => {
    const { make, put, get, untilKeys } = await startPairWorld('to-kv');
    make({ a: '1' });
    await untilKeys({ a: '1' });
    await put('/v1/kv/app/web/a?flags=42', '2');
    await untilKeys({ a: '1' });
    const [pair] = (await get('/v1/kv/app/web/a')).json as readonly { Flags: number }[];
    assert.equal(pair?.Flags, 42);
  });
});

describe('keys and a ConfigMap that are both changed', () => {
  it('bring each change to the other side, deletions too', async () => {
    const { set, drop, make, untilData, untilKeys } = await startPairWorld('both');
    await set('a', '1');
    await set('b', '2');
    await untilData({ a: '1', b: '2' });
    make({ a: '1', b: '3', c: '4' });
    await untilKeys({ a: '1', b: '3', c: '4' });
    await drop('a');
    await untilData({ b: '3', c: '4' });
    make({ b: '3' });
    await untilKeys({ b: '3' });
  });

  it('are as they were told while nobody ran, by whatever changed since they agreed', async () => {
    const { set, make, untilData, untilKeys, first, next, said } = await startPairWorld('both');
    await set('a', '1');
    await set('b', '1');
    await set('c', '1');
    await untilData({ a: '1', b: '1', c: '1' });
    await first.stop();
    await set('a', '2');
    await set('c', 'key');
    make({ a: '1', b: '3', c: 'map' });
    next('b');
    await untilKeys({ a: '2', b: '3', c: 'key' });
    await untilData({ a: '2', b: '3', c: 'key' });
    await said(/app\/web\/c .* were both changed: the key counts/);
  });
});
