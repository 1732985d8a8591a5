import assert from 'node:assert/strict';
import { Shares } from '../../../sidecar/mesh/shares.ts';

/** As many as there are for him, and what gives them back. */
function all(shares: Shares, who: string) {
  const taken: (() => void)[] = [];
  for (let give = shares.take(who); give !== undefined; give = shares.take(who)) taken.push(give);
  return taken;
}

describe('places that callers share', () => {
  it('are all but an eighth for one alone, who leaves that to those who have less', () => {
    const shares = new Shares(80);
    assert.equal(all(shares, 'greedy').length, 70);
    assert.equal(all(shares, 'other').length, 10);
    assert.equal(shares.take('third'), undefined);
  });

  it('are there again for anybody who may have them, each once', () => {
    const shares = new Shares(16);
    const [first] = all(shares, 'greedy');
    first?.();
    first?.();
    assert.equal(all(shares, 'greedy').length, 1);
    const other = all(shares, 'other');
    assert.equal(other.length, 2);
    for (const give of other) give();
    assert.equal(all(shares, 'third').length, 2);
  });

  it('are kept back for nobody where there are few', () => {
    assert.equal(all(new Shares(7), 'greedy').length, 7);
    assert.equal(all(new Shares(0), 'greedy').length, 0);
  });
});
