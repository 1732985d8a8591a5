import assert from 'node:assert/strict';
import { type FilterField, isExpression, offersFor } from '../../web/ui/completion.ts';

const FIELDS: readonly FilterField[] = [
  { name: 'Service.Tags', kind: 'list', values: () => ['blue', 'green'] },
  { name: 'Service.Meta', kind: 'map' },
  { name: 'Node.Node', kind: 'text', values: () => ['m1', 'm "2"'] },
];

describe('what a filter may go on with', () => {
  const offered = (text: string) => offersFor(text, FIELDS).map((offer) => offer.text);

  it('is a field, also by its last part', () => {
    assert.deepEqual(offered(''), ['Service.Tags', 'Service.Meta', 'Node.Node', 'not']);
    assert.deepEqual(offered('Serv'), ['Service.Tags', 'Service.Meta']);
    assert.deepEqual(offered('tag'), ['Service.Tags']);
    assert.deepEqual(offersFor('not (ta', FIELDS)[0], { text: 'Service.Tags', from: 5 });
  });

  it('is an operator that the field takes', () => {
    assert.deepEqual(offered('Service.Tags '), [
      'contains',
      'not contains',
      'is empty',
      'is not empty',
    ]);
    assert.ok(offered('Node.Node ').includes('=='));
    assert.ok(offered('Service.Meta.rack ').includes('=='));
    assert.ok(!offered('Service.Meta ').includes('=='));
    assert.deepEqual(offered('Service.Tags is '), ['empty', 'not empty']);
  });

  it('is a value that there is, quoted', () => {
    assert.deepEqual(offered('Service.Tags contains '), ['"blue"', '"green"']);
    assert.deepEqual(offered('Service.Tags not contains g'), ['"green"']);
    assert.deepEqual(offered('Node.Node == m'), ['"m1"', '"m \\u00222\\u0022"']);
    assert.deepEqual(offered('Service.Meta.rack == '), []);
  });

  it('is what joins the next part, after which there are fields again', () => {
    assert.deepEqual(offered('Node.Node == "m1" '), ['and', 'or']);
    assert.deepEqual(offered('Service.Tags is not empty '), ['and', 'or']);
    assert.deepEqual(offered('Node.Node == "a and b" and tags'), ['Service.Tags']);
    assert.deepEqual(offered('(Node.Node == m1) '), ['and', 'or']);
  });

  it('is a list or a map behind a value that stands first', () => {
    assert.deepEqual(offered('"blue" '), ['in', 'not in']);
    assert.deepEqual(offered('"blue" not in '), ['Service.Tags', 'Service.Meta']);
  });

  it('knows words from expressions', () => {
    for (const text of ['pay', 'pay shop', 'or', 'in-house', 'island']) {
      assert.equal(isExpression(text), false, text);
    }
    for (const text of ['a == b', 'a!=b', '"x" in Tags', 'Tags contains x', 'not Meta is empty']) {
      assert.equal(isExpression(text), true, text);
    }
  });
});
