import assert from 'node:assert/strict';
import { parseRules, type Rule, type Syntax } from '../../../lib/acl/rules.ts';

const rule = (resource: string, name: string, level: string, isPrefix = false) =>
  ({ resource, name, isPrefix, level }) as Rule;

const NAMED = ['agent', 'key', 'node', 'service', 'session', 'event', 'query'];
const NAMELESS = ['acl', 'keyring', 'operator', 'mesh', 'peering'];

/** What it is called, the text, and what it comes to. */
const READ: readonly [string, string, readonly Rule[]][] = [
  ['nothing', '', []],
  ['comments', '# a\n// b\n/* c\n*/ key "a" { policy = "read" # d\n}', [rule('key', 'a', 'read')]],
  ['quoted words', '"key" "a b" { "policy" = "read" }', [rule('key', 'a b', 'read')]],
  ['a level in capitals', 'key "a" { policy = "DENY" }', [rule('key', 'a', 'deny')]],
  ['a resource in capitals', 'KEY "a" { POLICY = "read" }', [rule('key', 'a', 'read')]],
  ['the list of keys', 'key_prefix "a" { policy = "list" }', [rule('key', 'a', 'list', true)]],
  [
    'one name twice',
    'key "a" { policy = "read" } key "a" { policy = "deny" }',
    [rule('key', 'a', 'read'), rule('key', 'a', 'deny')],
  ],
  [
    'intentions of a service',
    'service "a" { policy = "write" intentions = "deny" }',
    [rule('service', 'a', 'write'), rule('intention', 'a', 'deny')],
  ],
  ['what nobody knows', 'volcano "x" { policy = "read" } crater = 7', []],
  ['a field that nobody knows', 'key "x" { policy = "read" c = 1 }', [rule('key', 'x', 'read')]],
  [
    'a sentinel block',
    'key "x" { policy = "write" sentinel { code = "main = rule { true }" } }',
    [rule('key', 'x', 'write')],
  ],
  [
    'the last of two, where there are no names',
    'acl = "read" acl = "deny"',
    [rule('acl', '', 'deny')],
  ],
  ['nothing said of a resource without names', 'acl = ""', []],
  ['an object of names', 'key = { "a" = { policy = "read" } }', [rule('key', 'a', 'read')]],
  [
    'JSON',
    '{"key_prefix":{"":{"policy":"list"}},"operator":"write","acl":"read"}',
    [rule('acl', '', 'read'), rule('key', '', 'list', true), rule('operator', '', 'write')],
  ],
  [
    'a list in JSON',
    '{"node":[{"a":{"policy":"read"}},{"b":[{"policy":"deny"}]}]}',
    [rule('node', 'a', 'read'), rule('node', 'b', 'deny')],
  ],
  [
    'a name that stands twice in JSON',
    '{"node":{"a":{"policy":"deny"}},"node":{"b":{"policy":"read"}}}',
    [rule('node', 'a', 'deny'), rule('node', 'b', 'read')],
  ],
  [
    'names that objects have by themselves',
    '{"key":{"__proto__":{"policy":"deny"},"constructor":{"policy":"read"}}}',
    [rule('key', '__proto__', 'deny'), rule('key', 'constructor', 'read')],
  ],
  [
    'JSON that is cut off',
    '{"node":{"a":{"policy":"deny"}},"node":{"b":',
    [rule('node', 'a', 'deny')],
  ],
  ['what follows JSON', '{"node":{"a":{"policy":"deny"}}} x', [rule('node', 'a', 'deny')]],
];

const REFUSED: readonly [string, string][] = [
  ['nonsense', "At 1:9: key 'nonsense' expected start of object ('{') or assignment ('=')"],
  ['key "x" {', 'At 1:11: object expected closing RBRACE got: EOF'],
  ['key = 7', 'At 1:7: unknown slice type: *ast.LiteralType'],
  ['key "x" = 7', 'At 1:9: nested object expected: LBRACE got: ASSIGN'],
  [
    'key "a" { policy = ["read"] }',
    'At 1:20: root.key[0].Policy: unknown type for string *ast.ListType',
  ],
  [
    'key "a" { policy = { x = 1 } }',
    'At 1:22: root.key[0].Policy: unknown type for string *ast.ObjectList',
  ],
  [
    'key "a" { policy = true }',
    'At 1:20: root.key[0].Policy: unknown type for string *ast.LiteralType',
  ],
  ['acl = ["read"]', 'At 1:7: root.acl: unknown type for string *ast.ListType'],
  ['acl { policy = "read" }', 'At 1:7: root.acl: unknown type for string *ast.ObjectList'],
  ['{"key":7}', 'At -: unknown slice type: *ast.LiteralType'],
  ['[]', 'At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: LBRACK'],
];

const INVALID: readonly [string, string][] = [
  ['agent "n1" { policy = "list" }', 'agent policy: &acl.AgentRule{Node:"n1", Policy:"list"}'],
  ['event "n1" { policy = "list" }', 'event policy: &acl.EventRule{Event:"n1", Policy:"list"}'],
  [
    'key "a\\nb" { policy = "no\\"pe" }',
    'key policy: &acl.KeyRule{Prefix:"a\\nb", Policy:"no\\"pe", EnterpriseRule:acl.EnterpriseRule{}}',
  ],
  [
    'node_prefix "n" { policy = "list" }',
    'node_prefix policy: &acl.NodeRule{Name:"n", Policy:"list", EnterpriseRule:acl.EnterpriseRule{}}',
  ],
  [
    'service "a" { intentions = "read" }',
    'service policy: &acl.ServiceRule{Name:"a", Policy:"", Intentions:"read", EnterpriseRule:acl.EnterpriseRule{}}',
  ],
  [
    'service "a" { policy = "read" intentions = "list" }',
    'service intentions policy: &acl.ServiceRule{Name:"a", Policy:"read", Intentions:"list", EnterpriseRule:acl.EnterpriseRule{}}',
  ],
  [
    'session "n1" { policy = "list" }',
    'session policy: &acl.SessionRule{Node:"n1", Policy:"list"}',
  ],
  ['query "n1" { policy = "" }', 'query policy: &acl.PreparedQueryRule{Prefix:"n1", Policy:""}'],
  [
    'key "a" { policy = 7 }',
    'key policy: &acl.KeyRule{Prefix:"a", Policy:"7", EnterpriseRule:acl.EnterpriseRule{}}',
  ],
  [
    'key "a" "b" { policy = "read" }',
    'key policy: &acl.KeyRule{Prefix:"a", Policy:"", EnterpriseRule:acl.EnterpriseRule{}}',
  ],
  [
    'key "b" { policy = "nope" } key "a" { policy = "nope" }',
    'key policy: &acl.KeyRule{Prefix:"b", Policy:"nope", EnterpriseRule:acl.EnterpriseRule{}}',
  ],
  ['operator = "nope" keyring = "nope"', 'keyring policy: "nope"'],
  ['keyring = "x" acl = "list" agent "x" { policy = "x" }', 'acl policy: "list"'],
  ['peering = "nope"', 'peering policy: "nope"'],
];

function refuses(text: string, message: string, syntax: Syntax = 'current'): void {
  assert.throws(() => parseRules(text, syntax), { code: 'rejected', message });
}

describe('the rules of a policy', () => {
  for (const [what, text, rules] of READ) {
    it(`are read: ${what}`, () => assert.deepEqual(parseRules(text), rules));
  }

  for (const resource of NAMED) {
    it(`are about ${resource}, by name and by beginning`, () => {
      const text = `${resource} "a" { policy = "read" } ${resource}_prefix "b" { policy = "write" }`;
      const expected = [rule(resource, 'a', 'read'), rule(resource, 'b', 'write', true)];
      assert.deepEqual(parseRules(text), expected);
    });
  }

  for (const resource of NAMELESS) {
    it(`are about ${resource}, which has no names`, () => {
      assert.deepEqual(parseRules(`${resource} = "write"`), [rule(resource, '', 'write')]);
    });
  }

  for (const [text, why] of REFUSED) {
    it(`are refused as Consul does: ${text}`, () =>
      refuses(text, `Failed to parse ACL rules: ${why}`));
  }

  for (const [text, why] of INVALID) {
    it(`are refused by the rule that is wrong: ${text}`, () => refuses(text, `Invalid ${why}`));
  }

  it('refuse a name that is none, instead of taking it for one', () => {
    refuses(
      'key_prefix { policy = "read" }',
      'Invalid key_prefix policy: &acl.KeyRule{Prefix:"policy", Policy:"", EnterpriseRule:acl.EnterpriseRule{}}',
    );
  });

  it('are about all names that begin so, in the language before Consul 1.4', () => {
    const text =
      'key "a" { policy = "read" } key_prefix "b" { policy = "write" } operator = "read"';
    const expected = [rule('key', 'a', 'read', true), rule('operator', '', 'read')];
    assert.deepEqual(parseRules(text, 'legacy'), expected);
  });

  it('are bounded in depth, in either language', () => {
    const deep = 100_000;
    const tooDeep = { code: 'rejected', message: /nested too deeply$/ };
    assert.throws(() => parseRules('a = '.concat('['.repeat(deep))), tooDeep);
    assert.throws(() => parseRules('a '.repeat(deep)), tooDeep);
    assert.throws(() => parseRules('{"a":'.repeat(deep)), tooDeep);
    assert.throws(() => parseRules(`{"a":${'['.repeat(deep)}`), tooDeep);
  });
});
