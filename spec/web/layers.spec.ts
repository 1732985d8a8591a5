import assert from 'node:assert/strict';
import { type Line, layersOf } from '../../web/core/layers.ts';

/** `a>b b>c` */
const linesIn = (text: string): readonly Line[] =>
  text.split(' ').map((each) => {
    const [from = '', to = ''] = each.split('>');
    return { from, to };
  });

const namesIn = (lines: readonly Line[]) => [
  ...new Set(lines.flatMap(({ from, to }) => [from, to])),
];

/** `a | b (a>d) c | d`: in brackets what leads past. */
function drawn(text: string): string {
  const lines = linesIn(text);
  const { slots } = layersOf(namesIn(lines), lines);
  const inWords = slots.map((layer) =>
    layer.map((slot) => ('name' in slot ? slot.name : `(${slot.line.from}>${slot.line.to})`)),
  );
  return inWords.map((layer) => layer.join(' ')).join(' | ');
}

describe('layers', () => {
  it('stand behind all that lead to them, with a place for what leads past', () => {
    assert.equal(drawn('web>cart cart>db web>db db>disk'), 'web | cart (web>db) | db | disk');
  });

  it('cut what leads in a circle where it comes back, which has a place in each layer on its way', () => {
    assert.equal(drawn('web>a a>b b>a b>db'), 'web | a (b>a) | b (b>a) | db');
    assert.equal(drawn('a>a a>b'), 'a (a>a) | b');
  });

  it('stand so that lines do not cross where they need not', () => {
    assert.equal(drawn('a>y b>x a>z'), 'a b | y z x');
  });

  it('are one for each of a thousand in a row, and hold a thousand side by side', () => {
    const chain = Array.from({ length: 1000 }, (_, i) => ({ from: `s${i}`, to: `s${i + 1}` }));
    assert.equal(layersOf(namesIn(chain), chain).slots.length, 1001);
    const star = Array.from({ length: 1000 }, (_, i) => ({ from: 'web', to: `s${i}` }));
    assert.equal(layersOf(namesIn(star), star).slots[1]?.length, 1000);
  });

  it('give no places to lines where those would be too many, and say so', () => {
    const chain = Array.from({ length: 200 }, (_, i) => ({ from: `s${i}`, to: `s${i + 1}` }));
    const far = chain.map(({ from }) => ({ from, to: 's200' }));
    const { slots, isStraight } = layersOf(namesIn(chain), [...chain, ...far]);
    assert.equal(isStraight, true);
    assert.ok(slots.every((layer) => layer.length === 1));
  });

  it('leave out lines to what is not there', () => {
    assert.deepEqual(layersOf(['a'], [{ from: 'a', to: 'b' }]).slots, [[{ name: 'a' }]]);
  });
});
