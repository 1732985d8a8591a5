import assert from 'node:assert/strict';
import { type Line, placesOf } from '../../web/core/layers.ts';

/** `a>b b>c` */
const linesIn = (text: string): readonly Line[] =>
  text.split(' ').map((each) => {
    const [from = '', to = ''] = each.split('>');
    return { from, to };
  });

const namesIn = (lines: readonly Line[]) => [
  ...new Set(lines.flatMap(({ from, to }) => [from, to])),
];

/** `a | b c | d` */
function drawn(text: string): string {
  const lines = linesIn(text);
  const layers: string[][] = [];
  for (const { name, layer, row } of placesOf(namesIn(lines), lines)) {
    layers[layer] ??= [];
    (layers[layer] ?? [])[row] = name;
  }
  return layers.map((layer) => layer.join(' ')).join(' | ');
}

describe('places in layers', () => {
  it('stand behind all that lead to them', () => {
    assert.equal(drawn('web>cart cart>db web>db db>disk'), 'web | cart | db | disk');
  });

  it('cut what leads in a circle where it comes back', () => {
    assert.equal(drawn('web>a a>b b>a b>db'), 'web | a | b | db');
    assert.equal(drawn('a>b b>a'), 'a | b');
    assert.equal(drawn('a>a a>b'), 'a | b');
  });

  it('stand so that lines do not cross where they need not', () => {
    assert.equal(drawn('a>y b>x a>z'), 'a b | y z x');
  });

  it('are one for each of a thousand in a row, and of a thousand side by side', () => {
    const chain = Array.from({ length: 1000 }, (_, i) => ({ from: `s${i}`, to: `s${i + 1}` }));
    const long = placesOf(namesIn(chain), chain);
    assert.equal(long.length, 1001);
    assert.equal(Math.max(...long.map(({ layer }) => layer)), 1000);
    const star = Array.from({ length: 1000 }, (_, i) => ({ from: 'web', to: `s${i}` }));
    const wide = placesOf(namesIn(star), star);
    assert.deepEqual(
      new Set(wide.filter(({ layer }) => layer === 1).map(({ row }) => row)).size,
      1000,
    );
  });

  it('leave out lines to what is not there', () => {
    assert.deepEqual(placesOf(['a'], [{ from: 'a', to: 'b' }]), [{ name: 'a', layer: 0, row: 0 }]);
  });
});
