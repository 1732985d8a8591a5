import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import type { Defect } from './defect.ts';
import { DEFECTS } from './defects.ts';
import { hunt } from './hunt.ts';
import { places, plant } from './plant.ts';

/** Which nearly every seed finds, each by another verdict: all of them are for `bin/sim --defects`. */
const PLAIN = [
  'a lock with two holders',
  'waits that end early, with nothing new',
  'an answer that changes and keeps its index: a check that changes touches its node alone',
];
const SEEDS = Array.from({ length: 16 }, (_, i) => i + 1);

describe('the defects that the simulator has to find', () => {
  for (const { name, edits } of DEFECTS) {
    it(`has a place in the sources for ${name}`, () => {
      assert(edits.length > 0);
      for (const edit of edits) assert.equal(places(edit), 1, `${edit.file}: ${edit.from}`);
    });
  }

  describe('with the code as it is beside them', () => {
    let whole: string;

    before(async () => {
      whole = await plant([]);
    });

    after(() => rmSync(whole, { recursive: true }));

    for (const name of PLAIN) {
      it(`are found, such as ${name}`, async () => {
        const defect = DEFECTS.find((each) => each.name === name) as Defect;
        const said: string[] = [];
        const say = (text: string) => void said.push(text);
        const found = await hunt(defect, { seeds: SEEDS, whole, say });
        assert(found !== undefined, said.join('\n'));
      }).timeout(0);
    }
  });
});
