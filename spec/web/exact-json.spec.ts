import assert from 'node:assert/strict';
import { writeMethod } from '../../web/core/access-methods.ts';
import { type ConfigEntryRow, changeEntry, shownTextOf } from '../../web/core/config-entries.ts';
import { readJson, writeJson } from '../../web/core/exact-json.ts';
import { shownOf } from '../../web/core/secrets.ts';

const LARGE = '9007199254740993';

describe('JSON that is read to be written again', () => {
  it('keeps integers digit by digit, wherever they stand, and all else as JSON.parse has it', () => {
    for (const text of [
      `{"n":${LARGE},"all":[-${LARGE},18446744073709551615,{"deep":12345678901234567890}]}`,
      `["${LARGE}",": ${LARGE},","\\"${LARGE}","\\\\",${LARGE}]`,
      `[0.1,1.5,-7,42,true,null,{},[],9007199254740991,1e+21,0.12345678901234568,-0]`,
      LARGE,
    ]) {
      assert.equal(writeJson(readJson(text)), text);
      assert.equal(writeJson(readJson(writeJson(readJson(text), 2))), text);
    }
    const plain = { a: [1, 'x', null, { b: '\u0000 1' }], ü: '键', 7: 1e21 };
    assert.deepEqual(readJson(JSON.stringify(plain)), plain);
    assert.equal(writeJson(plain, 2), JSON.stringify(plain, null, 2));
  });

  it('is no JSON where JSON.parse says so, in its words, nor with a number beyond all', () => {
    for (const text of ['', '{"a": 1', `[${LARGE}`, `[${LARGE},]`]) {
      const said = (read: (text: string) => unknown) => {
        try {
          return read(text);
        } catch (error) {
          return String(error);
        }
      };
      assert.equal(said(readJson), said(JSON.parse));
    }
    assert.throws(() => readJson('{"n": 1e400}'), /number 1e400 is out of range/);
    assert.throws(() => readJson('{"n": 1e400}'), SyntaxError);
    assert.deepEqual(readJson('["1e400", 1e300]'), ['1e400', 1e300]);
  });

  it('may say of a text what stands for nothing else', () => {
    const text = `[{"Key":"\\u0000abc","Flags":${LARGE}},{"Key":"\\"Flags\\":${LARGE}"}]`;
    assert.equal(writeJson(readJson(text)), text);
  });
});

describe('what is edited as JSON', () => {
  it('of a config entry keeps numbers that nobody has touched', () => {
    const text = `{"Kind":"proxy-defaults","Name":"global","Config":{"n":${LARGE},"Token":"t"},"ModifyIndex":7}`;
    const entry = readJson(text) as ConfigEntryRow;
    const shown = shownTextOf(entry);
    assert.ok(shown.includes(`"n": ${LARGE}`) && shown.includes('<hidden>'), shown);
    const action = changeEntry(shown.replace('"global"', '"global", "Mode": "x"'), entry);
    assert.ok(action);
    for (const kept of [`"n": ${LARGE}`, '"Token": "t"'])
      assert.ok(String(action.body).includes(kept), String(action.body));
  });

  it('of an auth method does so too, and in what is copied of it', () => {
    const config = `{"JWKSURL":"https://x","ClockSkewLeeway":${LARGE},"OIDCClientSecret":"s"}`;
    const fields = { displayName: '', description: '', ttl: '' };
    const action = writeMethod(undefined, { ...fields, name: 'm', type: 'jwt', config });
    assert.ok(action);
    const Config = readJson(config);
    assert.deepEqual(action.body, { Name: 'm', Type: 'jwt', Config });
    const { body = '', input } = shownOf(action);
    const hidden = `"ClockSkewLeeway":${LARGE},"OIDCClientSecret":"<hidden>"`;
    assert.ok(body.includes(hidden), body);
    assert.ok(input?.includes(hidden), input);
  });
});
