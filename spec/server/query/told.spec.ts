import assert from 'node:assert/strict';
import { Told } from '../../../server/query/told.ts';

describe('what was told of many rows', () => {
  const nameOf = ({ Name }: { Name: string }) => Name;
  const rows = (...names: readonly string[]) =>
    new Map(names.map((Name) => [Name.toLowerCase(), { Name }]));
  const namesSince = (told: Told, index: number) => {
    const since = told.since(index);
    return since && [since.Changed.map(({ text }) => text), since.Gone];
  };

  it('tells who was given another spelling as one who came and one who went', () => {
    const told = new Told().note(3, rows('Pay'), nameOf).note(5, rows('PAY'), nameOf);
    assert.deepEqual(namesSince(told, 3), [['{"Name":"PAY"}'], ['Pay']]);
    assert.deepEqual(namesSince(told, 5), [[], []]);
  });

  it('says nothing of what was made anew and is as it was', () => {
    const told = new Told().note(3, rows('pay'), nameOf).note(5, rows('pay'), nameOf);
    assert.deepEqual(namesSince(told, 3), [[], []]);
  });

  it('tells one who went and came back as changed', () => {
    const told = new Told().note(3, rows('pay'), nameOf);
    told.note(4, rows(), nameOf).note(5, rows('pay'), nameOf);
    assert.deepEqual(namesSince(told, 3), [['{"Name":"pay"}'], ['pay']]);
    assert.deepEqual(namesSince(told, 4), [['{"Name":"pay"}'], []]);
  });

  it('knows of nothing before it was first asked, or went too long ago', () => {
    const told = new Told().note(3, rows('pay', ...guests(1001)), nameOf);
    assert.equal(told.since(2), undefined);
    told.note(4, rows('pay', ...guests(1000)), nameOf).note(5, rows('pay'), nameOf);
    assert.equal(told.since(3), undefined);
    assert.equal(told.since(4)?.Gone.length, 1000);
    assert.deepEqual(
      told.all().map(({ text }) => text),
      ['{"Name":"pay"}'],
    );
  });

  const guests = (n: number) => Array.from({ length: n }, (_, i) => `guest-${i}`);
});
