/** Rules from strangers: whatever they are, they are read or refused, and quickly. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileRights, ruleSet } from '../../../lib/acl/compile-rights.ts';
import { translateRules } from '../../../lib/acl/translate-rules.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { SEED } from '../../support/seed.ts';

const piece = fc.constantFrom(
  ...['key', 'key_prefix', 'service', 'acl', 'policy', 'intentions', '"a"', '""', '"\\u00e9"'],
  ...['=', '{', '}', '[', ']', ',', ':', '"read"', '"deny"', '"list"', '"', '\\', '\n', ' '],
  ...['7', '-1e9', 'true', 'null', '<<E\n', 'E\n', '#', '//', '/*', '*/', '${', '\0', '\ud800'],
);
const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(' '));
const tight = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
const json = text.map((inner) => `{${inner}`);

/** True where it was read; a throw of any other kind is a crash. */
function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    assert.ok(error instanceof ProconsulError && error.code === 'rejected', String(error));
    return false;
  }
}

/** What makes engines that try again and again take for ever. */
const HEAVY: readonly (readonly [string, string])[] = [
  ['quotes', '"'.repeat(200_000)],
  ['backslashes in a text', `a = "${'\\\\'.repeat(200_000)}`],
  ['backslashes in JSON', `{"a":"${'\\\\'.repeat(200_000)}`],
  ['comments', '/*'.repeat(200_000)],
  ['slashes', '/'.repeat(400_000)],
  ['spaces', ' '.repeat(800_000)],
  ['numbers', `a = ${'1'.repeat(400_000)}x`],
  ['words', `${'a'.repeat(800_000)}`],
  ['a heredoc without an end', `a = <<E\n${'x\n'.repeat(200_000)}`],
  ['a heredoc with an endless marker', `a = <<${'E'.repeat(200_000)}\n${'x\n'.repeat(200_000)}`],
  [
    'names that begin alike',
    Array.from({ length: 2000 }, (_, i) => rule('a'.repeat(i))).join('\n'),
  ],
];

function rule(name: string): string {
  return `key_prefix "${name}" { policy = "read" }`;
}

describe(`rules from strangers (seed ${SEED})`, function () {
  this.timeout(60_000);

  for (const [what, texts] of [
    ['words', text],
    ['words without gaps', tight],
    ['JSON', json],
  ] as const) {
    it(`are read or refused: ${what}`, () => {
      const property = fc.property(texts, (rules) => {
        for (const syntax of ['current', 'legacy'] as const) {
          isRead(() => compileRights([ruleSet(rules, syntax)], 'deny'));
        }
        isRead(() => translateRules(rules));
      });
      fc.assert(property, { seed: SEED, numRuns: 3000 });
    });
  }

  it('never give more for being broken off', () => {
    const whole = 'key "a" { policy = "deny" } key_prefix "" { policy = "read" }';
    for (let end = 0; end < whole.length; end++) {
      const read = isRead(() => compileRights([ruleSet(whole.slice(0, end))], 'deny'));
      if (!read) continue;
      const rights = compileRights([ruleSet(whole.slice(0, end))], 'deny');
      assert.equal(rights.may('key', 'read', 'a'), false);
    }
  });

  for (const [what, rules] of HEAVY) {
    it(`hold nobody up for long: ${what}`, () => {
      // Their time grows with their length; with its square, none of these would end in a minute.
      isRead(() => compileRights([ruleSet(rules)], 'deny'));
      isRead(() => translateRules(rules));
    });
  }
});
