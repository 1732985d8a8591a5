import assert from 'node:assert/strict';
import { translateRules } from '../../../lib/acl/translate-rules.ts';

const TRANSLATED: readonly (readonly [string, string])[] = [
  ['', ''],
  ['key "x" { policy = "read" }', 'key_prefix "x" {\n  policy = "read"\n}'],
  ['"key" "x" { "policy" = "read" }', 'key_prefix "x" {\n  policy = "read"\n}'],
  ['operator = "read" keyring = "write"', 'operator = "read"\n\nkeyring = "write"'],
  ['key_prefix "x" { policy = "read" }', 'key_prefix "x" {\n  policy = "read"\n}'],
  ['key "x" { } key "y" { policy = 7 }', 'key_prefix "x" {}\n\nkey_prefix "y" {\n  policy = 7\n}'],
  ['key "a\\"b" { policy = "read" }', 'key_prefix "a\\"b" {\n  policy = "read"\n}'],
  [
    'key "x" { policy = "read" sentinel { code = "foo" } }',
    'key_prefix "x" {\n  policy = "read"\n\n  sentinel {\n    code = "foo"\n  }\n}',
  ],
  ['bar = [1, 2, {x = 1}]', 'bar = [\n  1,\n  2,\n  {\n    x = 1\n  },\n]'],
  [
    '{"key":{"a/":{"policy":"write"}},"operator":"read"}',
    'key_prefix "a/" {\n  policy = "write"\n}\n\n"operator" = "read"',
  ],
  [
    '{"key":[{"a/":{"policy":"write"}},{"b/":{"policy":"read"}}]}',
    'key_prefix "a/" {\n  policy = "write"\n}\n\nkey_prefix "b/" {\n  policy = "read"\n}',
  ],
];

describe('translating rules of before Consul 1.4', () => {
  for (const [before, after] of TRANSLATED) {
    it(`makes beginnings of all names: ${before}`, () => {
      assert.equal(translateRules(before), after);
    });
  }

  it('gives rules that come to the same again', () => {
    for (const [, after] of TRANSLATED) {
      if (!after.includes('"operator"')) assert.equal(translateRules(after), after);
    }
  });
});
