import assert from 'node:assert/strict';
import type { KeyValue } from '../../lib/model.ts';
import { readJson } from '../../web/core/exact-json.ts';
import { restoreKey, writeKey } from '../../web/core/keys-and-values.ts';

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
});
