import assert from 'node:assert/strict';
import type { KeyValue } from '../../lib/model.ts';
import { readKeyRows } from '../../web/core/key-rows.ts';
import { restoreKey, writeKey } from '../../web/core/keys-and-values.ts';

describe('rows of keys', () => {
  const rowsOf = (text: string) => readKeyRows(text) as readonly KeyValue[];

  it('keep flags beyond 2^53 digit by digit, and all else as it is', () => {
    const rows = rowsOf(`[
      {"Key":"\\"Flags\\":3304740253564472344","Flags":3304740253564472344,"ModifyIndex":7},
      {"Key":"a","Flags":18446744073709551615},
      {"Key":"b","Flags":9007199254740991},
      {"Key":"c","Flags":42}
    ]`);
    assert.deepEqual(
      rows.map(({ Flags }) => Flags),
      [3304740253564472344n, 18446744073709551615n, 9007199254740991, 42],
    );
    assert.equal(rows[0]?.Key, '"Flags":3304740253564472344');
    assert.equal(rows[0]?.ModifyIndex, 7);
    assert.equal(readKeyRows('true'), true);
  });

  it('are written and restored with the flags that they have', () => {
    const [row] = rowsOf('[{"Key":"lock","Flags":3304740253564472344,"Value":"","ModifyIndex":7}]');
    assert.ok(row);
    const save = writeKey('lock', 'x', row);
    assert.equal(save.path, '/v1/kv/lock?cas=7&flags=3304740253564472344');
    assert.ok(save.command?.words.includes('-flags=3304740253564472344'));
    assert.equal(restoreKey('lock', row, '').path, '/v1/kv/lock?cas=0&flags=3304740253564472344');
  });
});
