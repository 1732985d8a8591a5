/** How all names of the catalog are read, however many those are. */
import assert from 'node:assert/strict';
import type { CatalogRequest } from '../../../kubernetes/catalog.ts';
import { namesFrom } from '../../../kubernetes/to-cluster/names.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { backRules } from '../../support/kubernetes/sync-rules.ts';

const PATH = '/v1/catalog/services';

function started(text: string | ProconsulError, maxBytes?: number) {
  const [clock, asked] = [new FakeClock(), [] as CatalogRequest[]];
  const catalog = {
    ask: async (request: CatalogRequest) => {
      asked.push(request);
      if (text instanceof ProconsulError) throw text;
      return { status: 200, index: '7', text, json: undefined };
    },
  };
  const rules = { ...backRules('headless'), deny: ['internal-*'] };
  const names = namesFrom({ catalog, clock }, rules, maxBytes);
  const { signal } = new AbortController();
  return { clock, asked, ask: () => names({ path: PATH, query: [['index', '7']] }, signal) };
}

describe('the names of all services', () => {
  it('have a bound of their own, and so more time than other answers', async () => {
    const { ask, asked } = started('{"web":[]}');
    assert.deepEqual(await ask(), { index: '7', json: new Map([['web', false]]) });
    assert.ok((asked[0]?.maxBytes ?? 0) > 0);
  });

  it('are said to be too many where they are', async () => {
    const { ask } = started(new ProconsulError('too-large', 'the answer is too long'), 1000);
    await assert.rejects(ask(), { message: 'the names of all services are over 1000 bytes' });
  });

  it('are asked for less often where they are very many', async () => {
    const { ask, asked, clock } = started(JSON.stringify({ web: ['x'.repeat(5_000_000)] }));
    await ask();
    const next = ask();
    await clock.advance(499);
    assert.equal(asked.length, 1);
    await clock.advance(10);
    await next;
    assert.equal(asked.length, 2);
  });

  it('are those that may be brought, each with whether it has the tag', async () => {
    const said = { consul: [], web: ['v1', 'k8s'], db: ['v1'], 'internal-x': [] };
    const { json } = await started(JSON.stringify(said)).ask();
    assert.deepEqual([...json], Object.entries({ web: true, db: false }));
    for (const none of ['hello', '[]', '{"web":"v1"}'])
      await assert.rejects(started(none).ask(), { code: 'unavailable' });
  });

  it('are looked at some at a time: beats have to go out meanwhile', async () => {
    const many = Array.from({ length: 50_000 }, (_, i) => [`s${i}`, []]);
    const { ask } = started(JSON.stringify(Object.fromEntries(many)));
    let [turns, isOver] = [0, false];
    const count = () => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    const asked = ask();
    setImmediate(count);
    assert.equal((await asked).json.size, 50_000);
    isOver = true;
    assert.ok(turns >= 2, `${turns}`);
  });
});
