import assert from 'node:assert/strict';
import type { Rows } from '../../lib/json-bytes.ts';
import type { KeyValue } from '../../lib/model.ts';
import { firstOfTree } from '../../server/query/kv.ts';
import { readJson } from '../../web/core/exact-json.ts';
import { firstNames, firstRows, pathOfNames, pathOfRows } from '../../web/core/key-rows.ts';
import { restoreKey, writeKey } from '../../web/core/keys-and-values.ts';

describe('names of keys', () => {
  it('are known to be the first alone where one more has come than is shown', () => {
    const asked = new URL(pathOfNames('app/'), 'http://x').searchParams;
    const limit = Number(asked.get('limit'));
    const of = (length: number) => Array.from({ length }, (_, i) => `app/${i}`);
    assert.deepEqual(firstNames(of(limit - 1)), { names: of(limit - 1), hasMore: false });
    assert.deepEqual(firstNames(of(limit)), { names: of(limit - 1), hasMore: true });
  });
});

describe('rows of keys', () => {
  it('are written and restored with the flags that they have', () => {
    const text = '[{"Key":"lock","Flags":3304740253564472344,"Value":"","ModifyIndex":7}]';
    const [row] = readJson(text) as readonly KeyValue[];
    assert.ok(row);
    const save = writeKey('lock', 'x', row);
    assert.equal(save.path, '/v1/kv/lock?cas=7&flags=3304740253564472344');
    assert.ok(save.command?.words.includes('-flags=3304740253564472344'));
    assert.equal(restoreKey('lock', row, '').path, '/v1/kv/lock?cas=0&flags=3304740253564472344');
  });

  it('are known to be the first alone exactly where the server counts them so', () => {
    const asked = new URL(pathOfRows('app/'), 'http://x').searchParams;
    const limit = { rows: Number(asked.get('limit')), bytes: Number(asked.get('limit-bytes')) };
    const endOf = (all: readonly KeyValue[]) => {
      const under = () => ({ length: all.length, slice: all.slice.bind(all) });
      const content = firstOfTree('', limit).run({ keys: { under } } as never);
      const { json } = content as { readonly json: Rows };
      const { rows, end } = firstRows(json.made(0, json.size) as readonly KeyValue[]);
      return [rows.length, end];
    };
    const row = (bytes: number) => ({ Key: 'k', Value: 'x'.repeat(bytes - 128) }) as KeyValue;
    const rows = (count: number, bytes: number) => Array.from({ length: count }, () => row(bytes));
    const half = limit.bytes / 2;
    assert.deepEqual(endOf(rows(1000, 128)), [1000, undefined]);
    assert.deepEqual(endOf(rows(1001, 128)), [1000, 'many']);
    assert.deepEqual(endOf([row(half), row(half - 1)]), [2, undefined]);
    assert.deepEqual(endOf([row(half), row(half - 1), row(128), row(128)]), [3, 'large']);
    assert.deepEqual(endOf(rows(3, half)), [2, 'large']);
  });
});
