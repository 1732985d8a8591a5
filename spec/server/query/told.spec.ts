import assert from 'node:assert/strict';
import { Told } from '../../../server/query/told.ts';

describe('what was told of many rows', () => {
  const nameOf = ({ Name }: { Name: string }) => Name;
  const rows = (...names: readonly string[]) =>
    new Map(names.map((Name) => [Name.toLowerCase(), { Name }]));
  const marked = (told: Told, ...names: readonly string[]) =>
    told.note(rows(...names), nameOf).mark;
  const namesSince = (told: Told, mark: string) => {
    const since = told.since(mark);
    return since && [since.Changed.map(({ text }) => text), since.Gone];
  };

  it('tells who was given another spelling as one who came and one who went', () => {
    const told = new Told();
    const [first, second] = [marked(told, 'Pay'), marked(told, 'PAY')];
    assert.deepEqual(namesSince(told, first), [['{"Name":"PAY"}'], ['Pay']]);
    assert.deepEqual(namesSince(told, second), [[], []]);
  });

  it('says nothing of what was made anew and is as it was', () => {
    const told = new Told();
    const first = marked(told, 'pay');
    assert.equal(marked(told, 'pay'), first);
    assert.deepEqual(namesSince(told, first), [[], []]);
  });

  it('tells one who went and came back as changed', () => {
    const told = new Told();
    const [first, second] = [marked(told, 'pay'), marked(told)];
    marked(told, 'pay');
    assert.deepEqual(namesSince(told, first), [['{"Name":"pay"}'], ['pay']]);
    assert.deepEqual(namesSince(told, second), [['{"Name":"pay"}'], []]);
  });

  it('tells all to whoever comes from another, which may have told what this one never saw', () => {
    const row = (Status: string) => new Map([['pay', { Name: 'pay', Status }]]);
    const [here, there] = [new Told(), new Told()];
    const first = here.note(row('passing'), nameOf).mark;
    const seen = there.note(row('critical'), nameOf).mark;
    here.note(row('passing'), nameOf);
    assert.deepEqual(namesSince(here, first), [[], []]);
    assert.equal(here.since(seen), undefined);
  });

  it('tells all where the mark is none of its own', () => {
    const told = new Told();
    const mark = marked(told, 'pay');
    for (const other of ['', '7', 'x', `${mark}0`, mark.replace(/^./, 'g'), ` ${mark}`]) {
      assert.equal(told.since(other), undefined, other);
    }
  });

  it('tells all where something went too long ago', () => {
    const told = new Told();
    const first = marked(told, 'pay', ...guests(1001));
    const second = marked(told, 'pay', ...guests(1000));
    marked(told, 'pay');
    assert.equal(told.since(first), undefined);
    assert.equal(told.since(second)?.Gone.length, 1000);
    assert.deepEqual(
      told.all().map(({ text }) => text),
      ['{"Name":"pay"}'],
    );
  });

  const guests = (n: number) => Array.from({ length: n }, (_, i) => `guest-${i}`);
});
