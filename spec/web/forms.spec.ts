import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { faultIn } from '../../web/core/faults.ts';
import { type Form, formOf } from '../../web/core/forms.ts';
import { linesIn } from '../../web/core/highlight.ts';

const YAML = '# limits\norders:\n  per-minute: 6\nlist: [a, "b"]\n';
const HCL = 'service {\n  name = "web" # one\n  port = 80\n}\n';

describe('what the value of a key is taken for', () => {
  it('goes by its name, and else by how it begins', () => {
    const cases: readonly [key: string, text: string, form: Form][] = [
      ['a.yaml', 'x', 'yaml'],
      ['a.YML', '', 'yaml'],
      ['a/b.hcl', '{}', 'hcl'],
      ['a.toString', 'x', 'text'],
      ['a', ' {"a": 1}', 'json'],
      ['a', '[1]', 'json'],
      ['a', YAML, 'yaml'],
      ['a', '---\n- 1\n', 'yaml'],
      ['a', HCL, 'hcl'],
      ['a', 'a = 1\nb = 2', 'hcl'],
      ['a', 'http://host:80', 'text'],
      ['a', 'name: web', 'text'],
      ['a', 'first line\nsecond: line', 'text'],
      ['a', '', 'text'],
    ];
    for (const [key, text, form] of cases) assert.equal(formOf(key, text), form, `${key} ${text}`);
  });
});

describe('the first fault in a text', () => {
  const where = async (form: Form, text: string) => {
    const fault = await faultIn(form, text);
    return fault && [fault.line, fault.column];
  };

  it('is none where it is what it is taken for', async () => {
    for (const [form, text] of [
      ['json', '{"a": [1, 2]}'],
      ['yaml', YAML],
      ['yaml', 'a: 1\n---\nb: 2\n'],
      ['yaml', ''],
      ['yaml', 'a: &a {b: !Ref x}\nc: !Sub [*a, y]\nd: !!of {? [z] : 1}\n<<: *a\n'],
      ['hcl', HCL],
      ['hcl', 'x = <<EOT\na = {\nEOT\n'],
      ['text', '{'],
    ] as const) {
      assert.equal(await where(form, text), undefined, text);
    }
  });

  it('has a line and a column', async () => {
    assert.deepEqual(await where('json', '{\n  "a": 1,\n  b\n}'), [3, 3]);
    assert.deepEqual(await where('json', '{"a": 1'), [1, 8]);
    assert.deepEqual(await where('yaml', 'a: 1\nb: [1, 2\nc: 3\n'), [3, 1]);
    assert.deepEqual(await where('yaml', 'a: 1\na: 2\n'), [2, 1]);
    assert.deepEqual(await where('yaml', 'a: 1\n---\nb: "x\n'), [4, 1]);
    assert.deepEqual(await where('hcl', 'a = 1\nb = = 2\n'), [2, 5]);
  });

  it('is said in words, without the text and the place', async () => {
    assert.doesNotMatch(
      (await faultIn('json', '{\n  b\n}'))?.says ?? '',
      /position|line|is not valid/,
    );
    assert.match((await faultIn('hcl', 'a = = 2'))?.says ?? '', /^Unknown token/);
    assert.match((await faultIn('yaml', 'a: [1'))?.says ?? '', /^unexpected end/);
  });

  it('is not looked for in what is very long', async () => {
    assert.equal(await faultIn('json', '{'.repeat(200_001)), undefined);
  });
});

describe('a text in colours', () => {
  const kinds = (form: Form, text: string) =>
    linesIn(form, text).map((line) =>
      line.filter(({ is }) => is !== 'plain').map(({ is, text: part }) => `${is} ${part}`),
    );

  it('is the same text, whatever it is', () => {
    const odd = ['', '\n', '\n\n', 'a\r\nb', '"', "'\n'", '<<EOT\nx', '# \\', '键: "值"\n'];
    const own = readFileSync(new URL(import.meta.url), 'utf8');
    for (const form of ['text', 'json', 'yaml', 'hcl'] as const) {
      for (const text of [...odd, YAML, HCL, own]) {
        const joined = linesIn(form, text).map((line) => line.map((piece) => piece.text).join(''));
        assert.equal(joined.join('\n'), text);
      }
    }
  });

  it('tells names, strings, numbers, words and what is said aside', () => {
    assert.deepEqual(kinds('json', '{"a": "b", "c": [1, true]}'), [
      ['key "a"', 'string "b"', 'key "c"', 'number 1', 'word true'],
    ]);
    assert.deepEqual(kinds('yaml', 'a:\n  - b: "c" # d\n    e: 1\n    f: yes no\n    g: true'), [
      ['key a'],
      ['key b', 'string "c"', 'comment # d'],
      ['key e', 'number 1'],
      ['key f'],
      ['key g', 'word true'],
    ]);
    assert.deepEqual(kinds('hcl', 'a "b" {\n  c = 1 // d\n  e = false\n}'), [
      ['key a', 'string "b"'],
      ['key c', 'number 1', 'comment // d'],
      ['key e', 'word false'],
      [],
    ]);
  });

  it('goes on over lines where HCL does', () => {
    assert.deepEqual(kinds('hcl', 'a = <<EOT\nb = {\nEOT\n/* c\nd = 1 */\ne = 1'), [
      ['key a', 'string <<EOT'],
      ['string b = {'],
      ['string EOT'],
      ['comment /* c'],
      ['comment d = 1 */'],
      ['key e', 'number 1'],
    ]);
  });

  it('takes a moment for a long one, however it is made', () => {
    for (const form of ['json', 'yaml', 'hcl'] as const) {
      for (const unit of ['"', '- ', ' ', 'a', "'", '#', '<<a\n', '\\"', 'a: ', '/*']) {
        // As many lines as long as they may be.
        const text = `${unit.repeat(990 / unit.length)}\n`.repeat(60);
        assert.ok(linesIn(form, text).length > 60);
      }
      assert.deepEqual(linesIn(form, '"'.repeat(60_000)).length, 1);
    }
  });
});
