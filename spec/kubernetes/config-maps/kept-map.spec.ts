/** One ConfigMap as it is known, whatever is told of it while it is being written. */
import assert from 'node:assert/strict';
import type { ApiRequest } from '../../../kubernetes/api/api-server.ts';
import type { Said } from '../../../kubernetes/api/shapes.ts';
import { KeptMap } from '../../../kubernetes/config-maps/kept-map.ts';
import type { MapRule } from '../../../kubernetes/config-maps/rules.ts';

const RULE: MapRule = {
  direction: 'both',
  prefix: 'app/web/',
  namespace: 'default',
  name: 'web',
  owner: 'k8s-sync',
  agreedKey: 'x',
};

const version = (resourceVersion: string, a: string): Said => ({
  kind: 'ConfigMap',
  metadata: { uid: 'u', resourceVersion },
  data: { a },
});

function started(answers: (request: ApiRequest) => Said) {
  const asked: ApiRequest[] = [];
  const ask = async (request: ApiRequest) => {
    asked.push(request);
    return { status: 200, json: answers(request) };
  };
  const map = new KeptMap({ ask }, RULE);
  const { changed } = map.mirrored(() => undefined);
  const tell = (object: Said) => changed('default/web', object, undefined);
  const gone = () => changed('default/web', undefined, undefined);
  const { signal } = new AbortController();
  const value = (text: string) => new Map([['a', Buffer.from(text).toString('base64')]]);
  const write = (seen = map.now) => map.write(seen, value('wanted'), 7, signal);
  return { map, asked, tell, gone, write, signal };
}

describe('a ConfigMap as it is known', () => {
  it('is written as it was when that was wanted, though another has written it since', async () => {
    const { map, asked, tell, write } = started(() => version('3', 'wanted'));
    tell(version('1', 'old'));
    const seen = map.now;
    tell(version('2', 'of somebody'));
    await write(seen);
    const [{ body } = {}] = asked as readonly { readonly body?: Said }[];
    const metadata = { uid: 'u', resourceVersion: '1', annotations: { 'proconsul-agreed': '7' } };
    assert.deepEqual(body?.['metadata'], metadata);
  });

  it('is what another wrote after it, though the answer to its own write comes later', async () => {
    const { map, tell, write } = started(() => {
      tell(version('2', 'wanted'));
      tell(version('3', 'of somebody'));
      return version('2', 'wanted');
    });
    tell(version('1', 'old'));
    await write();
    assert.equal(map.now.object?.['data'] && Object(map.now.object['data']).a, 'of somebody');
  });

  it('is looked at again where it is told to be older: the watch is behind, or the cluster was restored', async () => {
    const restored = version('2', 'restored');
    const { map, tell, signal } = started(() => ({ kind: 'ConfigMapList', items: [restored] }));
    tell(version('9', 'known'));
    tell(restored);
    assert.deepEqual([map.now.object, map.isDoubtful], [version('9', 'known'), true]);
    await map.readAnew(signal);
    assert.deepEqual([map.now.object, map.isDoubtful], [restored, false]);
  });

  it('is looked at again where something was told while it was read: the answer may be of before', async () => {
    const { map, tell, signal } = started(() => {
      tell(version('11', 'newer'));
      return { kind: 'ConfigMapList', items: [version('10', 'old')] };
    });
    await map.readAnew(signal);
    assert.equal(map.isDoubtful, true);
  });

  it('is looked at again where it went while it was written', async () => {
    const { map, tell, gone, write } = started(() => {
      tell(version('2', 'wanted'));
      gone();
      return version('2', 'wanted');
    });
    tell(version('1', 'old'));
    await write();
    assert.deepEqual([map.now.object, map.isDoubtful], [undefined, true]);
  });

  it('is known where nothing was told meanwhile but what was written', async () => {
    const { map, tell, write } = started(() => {
      tell(version('2', 'wanted'));
      return version('2', 'wanted');
    });
    tell(version('1', 'old'));
    await write();
    assert.equal(map.isDoubtful, false);
  });
});
