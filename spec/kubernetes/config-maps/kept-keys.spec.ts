/** The keys of one prefix, as whoever keeps them in step reads them anew. */
import assert from 'node:assert/strict';
import { KeptKeys } from '../../../kubernetes/config-maps/kept-keys.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('keys that are read anew', () => {
  it('are looked at where they are otherwise, and not where they are the same', async () => {
    const { signal } = new AbortController();
    let json: unknown = [{ Key: 'app/a', Value: 'MQ==', ModifyIndex: 5 }];
    const catalog = {
      ask: async ({ path }: { readonly path: string }) =>
        path === '/v1/kv/app/'
          ? { status: 200, index: '9', text: '', json }
          : { status: 404, index: '9', text: '', json: undefined },
    };
    const rule = {
      prefix: 'app/',
      namespace: 'default',
      name: 'app',
      direction: 'from-kv',
      owner: 'o',
      agreedKey: 'agreed',
    } as const;
    let looks = 0;
    const on = { changed: () => looks++, lost: () => undefined };
    const deps = { catalog, clock: new FakeClock(), random: { next: () => 0 } };
    const keys = new KeptKeys(deps, rule, on);
    for (let i = 0; i < 3; i++) await keys.readAnew(signal);
    assert.equal(looks, 1);
    json = [{ Key: 'app/a', Value: 'Mg==', ModifyIndex: 6 }];
    await keys.readAnew(signal);
    assert.deepEqual([looks, keys.now?.contents.get('a')], [2, 'Mg==']);
  });
});
