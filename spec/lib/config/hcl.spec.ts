import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseHcl } from '../../../lib/config/hcl.ts';
import { ProconsulError } from '../../../lib/errors.ts';

/** Consul 1.8.7 says the same, at the same place unless a comment says otherwise. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['a = [1 2]', 'At 1:8: error parsing list, expected comma or list end, got: NUMBER'],
  ['a = ["b"', 'At 1:9: error parsing list, expected comma or list end, got: EOF'],
  ['a = "abc', 'At 1:9: literal not terminated'],
  // Consul notices at the end of the next line.
  ['a = "a\nb"', 'At 1:7: literal not terminated'],
  // Consul points at the letter.
  ['a = "b\\q"', 'At 1:7: illegal char escape'],
  ['a = abc', 'At 1:5: Unknown token: 1:5 IDENT abc'],
  ["a = 'b'", 'At 1:5: illegal char'],
  // Consul points behind the key.
  ['a b', "At 1:4: key 'a b' expected start of object ('{') or assignment ('=')"],
  ['a b = 1', 'At 1:5: nested object expected: LBRACE got: ASSIGN'],
  ['a { b = "1"', 'At 1:13: object expected closing RBRACE got: EOF'],
  ['\n }', 'At 2:2: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE'],
  ['5 = 1', 'At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: NUMBER'],
  ['= 5', 'At 1:1: no object keys found!'],
  ['a: 1', 'At 1:2: illegal char'],
  ['a = - 1', 'At 1:5: Unknown token: 1:5 SUB -'],
  ['a = 089', 'At 1:5: illegal octal number'],
  ['a = <<EOF\nb\n', 'At 3:1: heredoc not terminated'],
  ['a = <<EOF \nb\nEOF\n', 'At 1:5: invalid characters in heredoc anchor'],
  ['a = "\uFFFD"', 'At 1:6: illegal UTF-8 encoding'],
  ['/* a', 'At 1:5: comment not terminated'],
];

/** Consul 1.8.7 shows the same after reading it. */
const READ: readonly (readonly [string, string, unknown])[] = [
  ['a block as a list', 'a { b = 1 }', { a: [{ b: 1 }] }],
  ['an object as a block', 'a = { b = 1, c = 2, }', { a: [{ b: 1, c: 2 }] }],
  ['repeated blocks as one list', 'a { b = 1 }\na { b = 2 }', { a: [{ b: 1 }, { b: 2 }] }],
  [
    'labels as levels',
    'service "web" "x" { p = "r" }',
    { service: [{ web: [{ x: [{ p: 'r' }] }] }] },
  ],
  ['a repeated list as one', 'a = ["b"]\na = ["c", "d",]', { a: ['b', 'c', 'd'] }],
  ['the last of repeated values', 'a = "x"\na = "y"', { a: 'y' }],
  ['lists with commas to spare', 'a = ["b",,"c",]', { a: ['b', 'c'] }],
  ['objects in lists', 'a = [{ b = 1 }, { b = 2 }]', { a: [{ b: 1 }, { b: 2 }] }],
  ['numbers', 'a = [0x10, 1e2, 0755, -5, 1.5, 0]', { a: [16, 100, 493, -5, 1.5, 0] }],
  ['escapes', 'a = "\\t\\x41\\u00e9\\101\\"\\\\\\U0001F600"', { a: '\tAéA"\\😀' }],
  ['no half of a character', 'a = "\\ud83d\\ude00\\U0000dfff"', { a: '\ufffd\ufffd\ufffd' }],
  ['an interpolation as it stands', `a = "\${b("c")} d"`, { a: `\${b("c")} d` }],
  ['comments of three kinds', '# x\na = 1 // y\n/* z\n */ b = 2', { a: 1, b: 2 }],
  ['quoted keys', '"a b" = 1\n"*" = 2', { 'a b': 1, '*': 2 }],
  ['keys with dots and dashes', 'a.b-c = 1', { 'a.b-c': 1 }],
  ['a heredoc', 'a = <<EOF\n  b\n   c\nEOF\n', { a: '  b\n   c\n' }],
  ['a heredoc without its indent', 'a = <<-EOF\n  b\n    c\n  EOF\n', { a: 'b\n  c\n' }],
  ['a heredoc with less indent', 'a = <<-EOF\n  b\n    EOF\n', { a: '  b\n' }],
  [
    'a heredoc of a file from Windows',
    'a = <<-EOF\r\n  b\r\n\r\n   c\r\n  EOF\r\n',
    { a: 'b\n\n c\n' },
  ],
  ['a heredoc up to an indented marker', 'a = <<EOF\n  b\n  EOF\n', { a: '  b\n' }],
  ['JSON', '{"a": [{"b": 1}]}', { a: [{ b: 1 }] }],
  ['nothing', '', {}],
];

describe('parseHcl', () => {
  for (const [what, text, value] of READ) {
    it(`reads ${what}`, () => assert.deepEqual(parseHcl(text), value));
  }

  for (const [text, message] of REFUSED) {
    it(`refuses ${JSON.stringify(text)}, saying where`, () => {
      assert.throws(() => parseHcl(text), { name: 'ProconsulError', code: 'invalid', message });
    });
  }

  it('takes __proto__ for a key like any other', () => {
    const tree = parseHcl('__proto__ { a = 1 }');
    assert.deepEqual(Object.keys(tree), ['__proto__']);
    assert.equal(Object.getPrototypeOf(tree), Object.prototype);
  });

  it('refuses what is nested too deeply, rather than running out of stack', () => {
    assert.throws(() => parseHcl(`a = ${'['.repeat(100_000)}`), /nested too deeply/);
    assert.throws(() => parseHcl('a {'.repeat(100_000)), /nested too deeply/);
    assert.throws(
      () => parseHcl(`${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`),
      /nested too deeply/,
    );
    assert.throws(() => parseHcl(`${'a '.repeat(100)}{}`), /nested too deeply/);
  });

  it('reads long files in one breath', () => {
    const comments = '# a comment\n'.repeat(50_000);
    assert.deepEqual(parseHcl(`${comments}a = 1${' '.repeat(500_000)}`), { a: 1 });
  });

  const token = fc.constantFrom(
    ...['a', 'b', '"c"', '=', '{', '}', '[', ']', ',', '1', '-', 'true', '\n', '#', '//', '/*'],
    ...['*/', '<<E\n', '<<-E\n', 'E\n', '"', '\\', '${', ' ', '0x', '1e', '.', '\0', 'é', '\uD800'],
  );
  const text = fc.oneof(
    fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join('')),
    fc.string({ unit: 'binary' }),
  );

  it('reads any text or refuses it as invalid (seed 1)', () => {
    const refusesAtMost = (input: string) => {
      try {
        parseHcl(input);
      } catch (error) {
        assert.ok(error instanceof ProconsulError, String(error));
        assert.equal(error.code, 'invalid');
      }
    };
    fc.assert(fc.property(text, refusesAtMost), { seed: 1, numRuns: 3000 });
  });

  it('reads back any string and any number that is written in it (seed 2)', () => {
    const word = fc
      .string({ unit: 'binary' })
      .map((each) => each.replace(/\$\{|[\uD800-\uDFFF]/g, ''));
    const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const readsBack = (s: string, n: number) => {
      const positive = Object.is(n, -0) ? 0 : n;
      const quoted = JSON.stringify(s).replace(/\\\//g, '/');
      assert.deepEqual(parseHcl(`a = ${quoted}\nb = ${positive}`), { a: s, b: positive });
    };
    fc.assert(fc.property(word, number, readsBack), { seed: 2, numRuns: 2000 });
  });
});
