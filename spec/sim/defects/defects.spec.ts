import assert from 'node:assert/strict';
import { DEFECTS } from './defects.ts';
import { places } from './plant.ts';

describe('the defects that the simulator has to find', () => {
  for (const { name, edits } of DEFECTS) {
    it(`has a place in the sources for ${name}`, () => {
      assert(edits.length > 0);
      for (const edit of edits) assert.equal(places(edit), 1, `${edit.file}: ${edit.from}`);
    });
  }
});
