/** Messages of clients of xDS that wait to be read. */
import assert from 'node:assert/strict';
import { type Reading, Readings } from '../../xds/serving/readings.ts';

const [SMALL, LARGE] = [Buffer.alloc(1000), Buffer.alloc(1_000_000)];

function setUp() {
  const readings = new Readings();
  const begun: { readonly name: string; readonly reading: Reading }[] = [];
  const enter = (from: string, name: string, bytes = LARGE) =>
    readings.enter(from, bytes, (reading) => begun.push({ name, reading }));
  const names = () => begun.map(({ name }) => name);
  const over = (name: string) => begun.find((each) => each.name === name)?.reading.over();
  return { readings, enter, names, over };
}

describe('messages of clients of xDS', () => {
  it('are read one after the other where they are large and of one address, and small ones beside them', () => {
    const { enter, names, over } = setUp();
    for (const name of ['a', 'b', 'c']) enter('10.0.0.1', name);
    enter('::ffff:10.0.0.1', 'small', SMALL);
    enter('10.0.0.2', 'other');
    assert.deepEqual(names(), ['a', 'small', 'other']);
    over('a');
    over('a');
    assert.deepEqual(names().slice(3), ['b']);
    over('b');
    assert.deepEqual(names().slice(4), ['c']);
  });

  it('are some at a time where they are small, of one address too', () => {
    const { enter, names, over } = setUp();
    for (let i = 0; i < 5000; i++) enter('10.0.0.1', `${i}`, SMALL);
    const { length } = names();
    assert.ok(length > 500 && length < 1500, `${length}`);
    enter('10.0.0.2', 'other', SMALL);
    assert.equal(names().at(-1), 'other');
    over('0');
    assert.equal(names().at(-1), `${length}`);
  });

  it('are one at least of each address where they are small, however much of others has begun', () => {
    const { enter, names, over } = setUp();
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 2000; j++) enter(`10.0.0.${i}`, `${i} ${j}`, SMALL);
    }
    const { length } = names();
    for (const name of ['first', 'second']) enter('10.0.1.1', name, SMALL);
    assert.deepEqual(names().slice(length), ['first']);
    over('first');
    assert.deepEqual(names().slice(length), ['first', 'second']);
  });

  it('are a few large ones of all addresses, of each its next in turn', () => {
    const { enter, names, over } = setUp();
    const from = Array.from({ length: 6 }, (_, i) => `10.0.0.${i + 1}`);
    for (const address of from) for (const time of [1, 2]) enter(address, `${address} ${time}`);
    assert.equal(names().length, 4);
    // Whoever comes again keeps his place.
    enter(from[4] ?? '', 'more');
    const begun = () => names().at(-1);
    for (const address of from.slice(0, 4)) {
      over(`${address} 1`);
      if (address === from[0]) assert.equal(begun(), `${from[4]} 1`);
      if (address === from[1]) assert.equal(begun(), `${from[5]} 1`);
    }
    assert.deepEqual(names().slice(6), [`${from[0]} 2`, `${from[1]} 2`]);
  });

  it('are not kept where nobody waits for them, and begin in the place of those', () => {
    const { enter, names } = setUp();
    const [first, second] = ['a', 'b', 'c'].map((name) => enter('10.0.0.1', name));
    second?.over();
    assert.equal(second?.take(), undefined);
    first?.over();
    assert.equal(first?.take(), undefined);
    assert.deepEqual(names(), ['a', 'c']);
  });

  it('may be over as soon as they begin, however many there are', () => {
    const readings = new Readings();
    const held = readings.enter('10.0.0.1', LARGE, () => undefined);
    let begun = 0;
    for (let i = 0; i < 10_000; i++) {
      readings.enter('10.0.0.1', LARGE, (mine) => {
        begun++;
        assert.equal(mine.take(), LARGE);
        assert.equal(mine.take(), undefined);
        mine.over();
      });
    }
    assert.equal(begun, 0);
    held.over();
    assert.equal(begun, 10_000);
  });
});
