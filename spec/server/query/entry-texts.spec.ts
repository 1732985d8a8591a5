import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { encodeJson } from '../../../lib/json.ts';
import { encodeJsonBytes, type Rows, type Written } from '../../../lib/json-bytes.ts';
import type { Instance } from '../../../lib/model.ts';
import { keepAll } from '../../../server/query/catalog.ts';
import { type Entry, EntryTexts } from '../../../server/query/entry-texts.ts';
import { healthOfService } from '../../../server/query/health.ts';
import { Reader } from '../../../server/query/reader.ts';
import { startServer } from '../../support/servers/start-server.ts';

const narrowing = { key: '', tags: [], nodeMeta: [], keep: keepAll, near: '' };

describe('entries of health that were written before', () => {
  const entry = (n: number, output = 'ok'): Entry => ({
    instance: { ID: `web-${n}` } as unknown as Instance,
    Node: undefined,
    checks: { ofNode: [], own: [{ Output: output }] as unknown as Entry['checks']['own'] },
  });
  const show = ({ instance, checks }: Entry) => ({ instance, Checks: checks.own });

  it('are written again where one of their rows is another, and else as they were', () => {
    const texts = new EntryTexts();
    const one = entry(1);
    const first = texts.of(one, show);
    assert.equal(texts.of({ ...one }, show), first);
    const same = { ...one, checks: { ofNode: [], own: [...one.checks.own] } };
    assert.equal(texts.of(same, show), first, 'another list of the same rows');
    const [own] = entry(1, '<down>').checks.own;
    assert(own !== undefined);
    const changed = { ...one, checks: { ofNode: [], own: [own] } };
    assert.equal(texts.of(changed, show).text, encodeJson(show(changed)));
    const ofNode = { ...one, checks: { ofNode: [own], own: one.checks.own } };
    assert.notEqual(texts.of(ofNode, show), first);
    assert.equal(texts.size, 1);
  });

  it('make room for others, those first that were not asked for longest', () => {
    const texts = new EntryTexts(20_000);
    const [hot, ...others] = Array.from({ length: 100 }, (_, n) => entry(n));
    assert(hot !== undefined);
    const first = texts.of(hot, show);
    for (const other of others) {
      texts.of(other, show);
      assert.equal(texts.of(hot, show), first);
      assert(texts.size <= 40, `${texts.size}`);
    }
  });

  it('are not kept where they are long', () => {
    const texts = new EntryTexts();
    texts.of(entry(1, 'x'.repeat(20_000)), show);
    assert.equal(texts.size, 0);
  });

  it('are read as they would be if none was written before, in one line and in many', async () => {
    const { put, server } = await startServer();
    const ID = (n: number) => `web-${n}`;
    const register = (n: number, Output: string) =>
      put('/v1/catalog/register', {
        Node: `n${n % 3}`,
        Address: '10.0.0.1',
        NodeMeta: { '7': 'seven', a: '<&>' },
        Service: { ID: ID(n), Service: 'web', Meta: { '1': 'one' }, Tags: ['ü', '\u2028'] },
        Check: { CheckID: `c${n}`, Name: 'c', ServiceID: ID(n), Status: 'passing', Output },
      });
    for (let n = 0; n < 10; n++) await register(n, 'fine');
    for (let round = 0; round < 20; round++) {
      await register(round % 10, `round ${round} <&> \u2028`);
      for (const passing of [true, false]) {
        const query = healthOfService('web', narrowing, passing);
        const rows = query.run(new Reader(server.state, EVERYTHING)).json as Rows;
        const plain = rows.made(0, rows.size).map((row) => (row as Written).toJSON());
        assert.equal(plain.length, 10);
        for (const pretty of [false, true]) {
          assert.equal(
            String(encodeJsonBytes(rows, pretty)),
            String(encodeJsonBytes(plain, pretty)),
          );
        }
      }
    }
  });
});
