import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { ProconsulError } from '../../../lib/errors.ts';
import { compileFilter } from '../../../lib/filter/compile-filter.ts';
import * as schemas from '../../../lib/filter/fields.ts';
import { MAX_FILTER_BYTES, MAX_FILTER_DEPTH } from '../../../lib/filter/parse.ts';
import { MAX_PATTERN_INSTRUCTIONS } from '../../../lib/regexp.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import type { Recording, Verdict } from './recording.ts';

const { healthInstanceFields, instanceFields, nodeFields } = schemas;
const SEED = 41;

const file = new URL('consul-verdicts.json', import.meta.url);
const recording = JSON.parse(readFileSync(file, 'utf8')) as Recording;
const fieldsByName = new Map(Object.entries(schemas));

/** Where Proconsul goes another way, and each has a spec of its own below. */
const OTHERWISE: ReadonlySet<string> = new Set([
  'Service.Service matches "(?<n>w)"',
  'Service.Service matches "(?<!a)b"',
  'Service.Service matches `(?<!a)b`',
  'Service.Service matches `(?P<n>a)(?P<n>b)`',
  'Service.Service matches `x{1000}`',
  'Service.Service matches `(a{100}){100}`',
  // Of /v1/agent/checks, which alone looks at the fields only when there is an item.
  'Nope == 1',
]);

function verdict(filter: string, fields: schemas.StructSchema, items: readonly unknown[]): Verdict {
  try {
    const matches = compileFilter(filter, fields);
    return items.flatMap((item, place) => (matches(item) ? [place] : []));
  } catch (error) {
    assert.ok(error instanceof ProconsulError, `${filter}: ${error}`);
    assert.equal(error.code, 'rejected');
    return error.message;
  }
}

function refusal(filter: string, fields = nodeFields): string {
  const text = verdict(filter, fields, []);
  assert.equal(typeof text, 'string', `${filter} is accepted`);
  return String(text);
}

describe('compileFilter, beside a real Consul', () => {
  for (const { path, fields, items, verdicts } of recording.answers) {
    it(`lets the same items of ${path} pass, and refuses in the same words`, () => {
      const schema = fieldsByName.get(fields);
      assert.ok(schema);
      const theirs = verdicts.filter(([filter]) => !OTHERWISE.has(filter));
      const ours = theirs.map(([filter]) => [filter, verdict(filter, schema, items)]);
      assert.deepEqual(ours, theirs);
    });
  }
});

describe('compileFilter', () => {
  it('lets everything pass when the filter is empty', () => {
    assert.equal(compileFilter('', nodeFields)({}), true);
  });

  it('can be used again and again', () => {
    const matches = compileFilter('Node matches "^(a|b)+$"', nodeFields);
    const names = ['ab', 'c', 'ab', 'b', ''];
    assert.deepEqual(
      names.map((Node) => matches({ Node })),
      [true, false, true, true, false],
    );
  });

  it('takes a missing or null field for its zero value', () => {
    const filter =
      'Kind == "" and Port == 0 and EnableTagOverride == false and Tags is empty and ' +
      'Meta is empty and Weights.Passing == 0 and Proxy.Upstreams is empty and ' +
      'Proxy.MeshGateway.Mode == "" and "x" not in Tags and not Connect.Native == true';
    const nulls = { Kind: null, Port: null, Tags: null, Meta: null, Weights: null, Proxy: null };
    for (const item of [{}, nulls, null]) {
      assert.equal(compileFilter(filter, instanceFields)(item), true);
    }
  });

  it('compares an integer that no number can hold', () => {
    const matches = compileFilter('Port == "9223372036854775807"', instanceFields);
    assert.equal(matches({ Port: 9223372036854775807n }), true);
    assert.equal(matches({ Port: 9223372036854775806n }), false);
  });

  it('takes the names of Object.prototype for keys like any other', () => {
    const plain = { Meta: { a: '1' } };
    const named = JSON.parse('{"Meta":{"__proto__":"1","constructor":"2"}}');
    const pass = (filter: string, item: unknown) => compileFilter(filter, nodeFields)(item);
    assert.equal(pass('Meta["__proto__"] == 1', named), true);
    assert.equal(pass('Meta.constructor == 2', named), true);
    assert.equal(pass('"__proto__" in Meta and constructor in Meta', named), true);
    assert.equal(pass('"__proto__" in Meta or constructor in Meta', plain), false);
    assert.equal(pass('Meta.toString == x or Meta["__proto__"] == x', plain), false);
  });

  it('knows no field that only Object.prototype has', () => {
    assert.match(refusal('constructor == 1'), /Selector "constructor" is not valid/);
    assert.match(refusal('toString is empty'), /Selector "toString" is not valid/);
    const name = '["__proto__"].x == 1';
    assert.match(refusal(`Service${name}`, healthInstanceFields), /"Service.__proto__" is not/);
  });
});

describe('compileFilter, matches', () => {
  it('takes Go of today at its word about names of groups', () => {
    const matches = compileFilter('Node matches `(?<n>w)`', nodeFields);
    assert.equal(matches({ Node: 'web' }), true);
    assert.match(refusal('Node matches `(?P<n>a)(?P<n>b)`'), /duplicate capture group name/);
  });

  it('refuses what looks behind', () => {
    assert.match(refusal('Node matches `(?<!a)b`'), /error parsing regexp/);
  });

  it('looks through 10,000 items for a pattern on which backtracking never ends', () => {
    const items = Array.from({ length: 10_000 }, (_, i) => ({ Node: `${'a'.repeat(40)}!${i}` }));
    for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(a|a?)+$', '(a*)*b', '(.*a){12}!x']) {
      const matches = compileFilter(`Node matches \`${pattern}\``, nodeFields);
      assert.equal(items.filter(matches).length, 0);
    }
  });

  it('says the same of a text, however many other texts it has seen', () => {
    const random = seededRandom(SEED);
    const items = Array.from({ length: 3000 }, () => ({ Node: random.uuid() }));
    for (const pattern of ['[0-7].{20}[a-c]', '(.*[0-7].{7}){3}-', '([0-7]|a).{1,12}b$']) {
      const filter = `Node matches \`${pattern}\``;
      const native = new RegExp(pattern);
      assert.deepEqual(
        items.filter(compileFilter(filter, nodeFields)),
        items.filter(({ Node }) => native.test(Node)),
      );
    }
  });

  it('refuses a pattern that would take long, before it takes long', () => {
    const large = ['x{1000}', '(a{100}){100}', 'x{1000}'.repeat(500), '(((a{9}){9}){9}){9}'];
    for (const pattern of large) {
      assert.match(refusal(`Node matches \`${pattern}\``), /need more than 128 instructions$/);
    }
  });

  it('limits all the patterns of a filter together', () => {
    const one = `Node matches \`[ab]{${Math.floor(MAX_PATTERN_INSTRUCTIONS * 0.6)}}\``;
    assert.deepEqual(verdict(one, nodeFields, []), []);
    assert.match(refusal(`${one} or ${one}`), /need more than/);
  });
});

describe('compileFilter, limits', () => {
  it('refuses a filter that is too long', () => {
    const longest = `Node == "${'ä'.repeat((MAX_FILTER_BYTES - 10) / 2)}"`;
    assert.deepEqual(verdict(longest, nodeFields, []), []);
    assert.match(refusal(`${longest} `), /longer than 4096 bytes/);
  });

  it('refuses one that is nested too deeply', () => {
    const nested = (open: string, close: string, depth: number) =>
      `${open.repeat(depth)}Node == a${close.repeat(depth)}`;
    assert.deepEqual(verdict(nested('(', ')', MAX_FILTER_DEPTH), nodeFields, []), []);
    assert.match(refusal(nested('(', ')', MAX_FILTER_DEPTH + 1)), /nested deeper/);
    assert.match(refusal(nested('(', '', 4000)), /nested deeper/);
    assert.match(refusal(nested('not ', '', 1000)), /nested deeper/);
  });

  it('reads a long filter that is not deep', () => {
    const filter = Array.from({ length: 400 }, () => 'ID == a').join(' or ');
    assert.deepEqual(
      verdict(filter.slice(0, 4000 - (4000 % 11) - 4), nodeFields, [{ ID: 'a' }]),
      [0],
    );
  });
});

describe(`compileFilter, any input (seed ${SEED})`, () => {
  const words = fc.constantFrom(
    ...['Node', 'Meta', 'Tags', '.', '[', ']', '"', '`', '==', '!=', 'not', 'in', 'is', 'empty'],
    ...['contains', 'matches', 'and', 'or', '(', ')', ' ', '\n', '80', '-', '0', 'a', '\\', '(?'],
    ...['__proto__', 'constructor', '"a"', '`(`', 'é', '\ud800', 'Node == a', '"\\x', '{9}', '*'],
  );
  const soup = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(''));

  it('throws a ProconsulError and nothing else', () => {
    const input = fc.oneof(soup, fc.string({ unit: 'binary' }), fc.string());
    fc.assert(
      fc.property(input, fc.jsonValue({ maxDepth: 2 }), (filter, item) => {
        verdict(filter, nodeFields, [item]);
        verdict(`Node matches ${JSON.stringify(filter)}`, nodeFields, [{ Node: filter }]);
        verdict(`Node matches \`${filter}\``, nodeFields, [{ Node: filter }]);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('judges any item without throwing', () => {
    const filters = recording.answers.flatMap(({ path, verdicts }) =>
      path === '/v1/health/service/web'
        ? verdicts.filter(([, theirs]) => typeof theirs !== 'string').map(([filter]) => filter)
        : [],
    );
    const predicates = filters
      .filter((filter) => !OTHERWISE.has(filter))
      .map((filter) => compileFilter(filter, healthInstanceFields));
    const part = fc.record(
      { Meta: fc.jsonValue(), Tags: fc.jsonValue(), Port: fc.jsonValue(), Proxy: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const item = fc.record({ Node: part, Service: part, Checks: fc.array(fc.jsonValue()) });
    fc.assert(
      fc.property(item, (each) => predicates.every((test) => typeof test(each) === 'boolean')),
      { seed: SEED },
    );
  });

  it('binds `not` before `and` before `or`', () => {
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.record({ port: fc.nat(3) }),
        fc.record({ not: tie('tree') }),
        fc.record({ and: fc.tuple(tie('tree'), tie('tree')) }),
        fc.record({ or: fc.tuple(tie('tree'), tie('tree')) }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.nat(3), (expression, Port) => {
        const matches = compileFilter(print(expression), instanceFields);
        assert.equal(matches({ Port }), judge(expression, Port));
      }),
      { seed: SEED },
    );
  });
});

type Tree = { port: number } | { not: Tree } | { and: [Tree, Tree] } | { or: [Tree, Tree] };

/** With no more parentheses than it needs. */
function print(tree: Tree, binds = 0): string {
  const within = (text: string, level: number) => (level < binds ? `(${text})` : text);
  if ('or' in tree) return within(tree.or.map((each) => print(each, 1)).join(' or '), 1);
  if ('and' in tree) return within(tree.and.map((each) => print(each, 2)).join(' and '), 2);
  return 'not' in tree ? `not ${print(tree.not, 3)}` : `Port==${tree.port}`;
}

function judge(tree: Tree, port: number): boolean {
  if ('or' in tree) return tree.or.some((each) => judge(each, port));
  if ('and' in tree) return tree.and.every((each) => judge(each, port));
  return 'not' in tree ? !judge(tree.not, port) : tree.port === port;
}
