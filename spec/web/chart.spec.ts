import assert from 'node:assert/strict';
import * as chart from '../../web/core/chart.ts';

const TIMES = [0, 10, 20, 30, 40];
const WHOLE = { from: 0, to: 40 };

describe('lines over time', () => {
  it('have gaps where nothing is known, and a dot for one that stands alone', () => {
    const at = { span: WHOLE, most: 10 };
    const path = chart.pathOf(TIMES, [10, 0, null, 5, null], at);
    assert.equal(path, 'M0.0 8.0h0.1L150.0 120.0M450.0 64.0h0.1');
    assert.equal(chart.pathOf([], [], at), '');
    assert.equal(chart.pathOf([7], [0], { span: { from: 7, to: 7 }, most: 0 }), 'M600.0 120.0h0.1');
  });

  it('are as high as the highest in sight', () => {
    const lines = [{ values: [9, 1, 2, null, 3] }, { values: [0, 4, 0, 0, 0] }];
    assert.equal(chart.mostOf(TIMES, lines, WHOLE), 9);
    assert.equal(chart.mostOf(TIMES, lines, { from: 10, to: 40 }), 4);
    assert.equal(chart.mostOf(TIMES, [{ values: [null, null] }], WHOLE), 0);
  });

  it('are looked at closer around a moment, within what there is', () => {
    assert.deepEqual(chart.zoomed(WHOLE, WHOLE, 0.5, 20), { from: 10, to: 30 });
    assert.deepEqual(chart.zoomed(WHOLE, WHOLE, 0.5, 40), { from: 30, to: 40 });
    assert.equal(chart.zoomed({ from: 10, to: 30 }, WHOLE, 2, 20), undefined);
    const small = { from: 20, to: 22 };
    assert.deepEqual(chart.zoomed(small, WHOLE, 0.5, 21), small);
  });

  it('are looked at where somebody drew over them, to either side', () => {
    assert.deepEqual(chart.within({ from: 30, to: 10 }, WHOLE), { from: 10, to: 30 });
    assert.equal(chart.within({ from: -10, to: 50 }, WHOLE), undefined);
    const before = { from: 0, to: 20 };
    assert.deepEqual(chart.within({ from: 10, to: 10.5 }, WHOLE, before), before);
  });

  it('are moved along no further than a moment comes into sight', () => {
    const span = { from: 10, to: 20 };
    for (const [time, from] of [
      [15, 10],
      [5, 5],
      [30, 20],
    ] as const)
      assert.deepEqual(chart.showing(span, time), { from, to: from + 10 });
  });

  it('go on being looked at closer as time goes, and their oldest with it', () => {
    assert.deepEqual(chart.still({ from: 0, to: 10 }, { from: 5, to: 45 }), { from: 5, to: 15 });
    assert.deepEqual(chart.still({ from: 10, to: 20 }, { from: 5, to: 45 }), { from: 10, to: 20 });
    assert.deepEqual(chart.still({ from: 0, to: 4 }, { from: 5, to: 45 }), { from: 5, to: 45 });
  });

  it('say which of their times is next to a moment', () => {
    const found = [-5, 4, 6, 39, 100].map((time) => chart.nearest(TIMES, time));
    assert.deepEqual(found, [0, 0, 1, 4, 4]);
    assert.deepEqual([chart.timeAt(0.5, WHOLE), chart.timeAt(-1, WHOLE)], [20, 0]);
  });
});
