import assert from 'node:assert/strict';
import fc from 'fast-check';
import { diffLines, hunks } from '../../cli/line-diff.ts';
import { SEED } from '../support/seed.ts';

const shown = (before: string, after: string) =>
  diffLines(before, after).map(({ op, text }) => op + text);

describe('diffLines', () => {
  it('keeps the lines that both have, and shows what goes before what comes', () => {
    assert.deepEqual(shown('a\nb\nc\n', 'a\nx\nc\ny\n'), [' a', '-b', '+x', ' c', '+y']);
    assert.deepEqual(shown('', 'a\n'), ['+a']);
    assert.deepEqual(shown('a\n', ''), ['-a']);
    assert.deepEqual(shown('a\n', 'a\n'), [' a']);
  });

  it('shows that an end of line came or went', () => {
    assert.deepEqual(shown('a', 'a\n'), ['-a\\ no newline at the end', '+a']);
  });

  it(`holds both texts, whatever they are (seed ${SEED})`, () => {
    const text = fc.array(fc.constantFrom('a\n', 'b\n', '\n'), { maxLength: 12 });
    const property = fc.property(text, text, (before, after) => {
      const lines = diffLines(before.join(''), after.join(''));
      const side = (other: string) =>
        lines.filter(({ op }) => op !== other).map((line) => `${line.text}\n`);
      assert.deepEqual(side('+'), before);
      assert.deepEqual(side('-'), after);
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  it('takes texts of very many lines', () => {
    const many = (word: string) => `${word}\n`.repeat(100_000);
    assert.equal(diffLines(many('a'), many('b')).length, 200_000);
  });
});

describe('hunks', () => {
  it('shows three lines around what changed, and where that is', () => {
    const lines = [...'abcdefghijklmnop'];
    const before = lines.map((line) => `${line}\n`).join('');
    const after = before.replace('e\n', 'E\n').replace('o\n', '');
    assert.deepEqual(
      hunks(diffLines(before, after)).map((hunk) => [
        hunk.from,
        hunk.to,
        hunk.lines.map(({ op, text }) => op + text).join(','),
      ]),
      [
        [2, 2, ' b, c, d,-e,+E, f, g, h'],
        [12, 12, ' l, m, n,-o, p'],
      ],
    );
  });

  it('has none of what is the same', () => {
    assert.deepEqual(hunks(diffLines('a\n', 'a\n')), []);
  });
});
