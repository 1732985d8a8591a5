import assert from 'node:assert/strict';
import { type Holdings, planSeal } from '../../../../../server/log/redis/repair/seal-plan.ts';
import type { Candidate, View } from '../../../../../server/log/redis/repair/view.ts';

const GAP = 2 ** 20;

/** A Redis that was promoted at index 100 of epoch 3, as this server sees it right away. */
function promoted(view: Partial<View> = {}): View {
  return {
    run: 'new',
    sealedRun: 'old',
    epoch: 3,
    index: 100,
    hash: 'h100',
    t: 1,
    next: 101,
    floor: 0,
    floorHash: '',
    length: 100,
    firstIndex: 1,
    hashAtMine: '',
    consistent: true,
    sinceMs: 0,
    state: '',
    candidates: [candidate('me', 100)],
    live: ['me'],
    ...view,
  };
}

function candidate(server: string, index: number, more: Partial<Candidate> = {}): Candidate {
  return { server, epoch: 3, index, hash: `h${index}`, warm: true, ...more };
}

/** A server that holds all up to an index, and remembers from 50 on. */
function holding(index: number, more: Partial<Holdings> = {}): Holdings {
  return {
    server: 'me',
    epoch: 3,
    position: { index, epoch: 3, hash: `h${index}`, t: 1 },
    baseIndex: 50,
    warm: true,
    hashAt: (at) => (at >= 50 && at <= index ? `h${at}` : undefined),
    peers: [],
    ...more,
  };
}

const LIMITS = { settleMs: 1000, quorum: 1 };

function plan(view: Partial<View>, me: Holdings, limits = LIMITS) {
  const mine = candidate(me.server, me.position.index, { epoch: me.epoch, warm: me.warm });
  return planSeal(promoted({ candidates: [mine], ...view }), me, limits);
}

describe('planSeal', () => {
  it('adopts a sealed Redis that ends where we do, or goes on from there', () => {
    assert.deepEqual(plan({ sealedRun: 'new' }, holding(100)), { kind: 'adopt' });
    const ahead = { sealedRun: 'new', hashAtMine: 'h90' };
    assert.deepEqual(plan(ahead, holding(90)), { kind: 'adopt' });
  });

  it('seals at once, without a gap, when all that live are there and nothing is lost', () => {
    const seal = { kind: 'seal', first: 'keep', epoch: 4, next: 101 };
    assert.deepEqual(plan({}, holding(100)), seal);
  });

  it('puts back what it holds more', () => {
    const seal = { kind: 'seal', first: 'repair', epoch: 4, next: 131 };
    assert.deepEqual(plan({}, holding(130)), seal);
  });

  it('waits for a server that lived, and no longer than the settle time', () => {
    assert.deepEqual(plan({ live: ['me', 'other'] }, holding(130)), { kind: 'wait' });
    assert.deepEqual(plan({}, holding(130, { peers: ['other'] })), { kind: 'wait' });
    const late = plan({ live: ['me', 'other'], sinceMs: 1000 }, holding(130));
    // What the other acknowledged alone may be lost: its indexes must not come again.
    assert.deepEqual(late, { kind: 'seal', first: 'repair', epoch: 4, next: 130 + GAP });
  });

  it('leaves it to the one that holds most, and overtakes it when it does nothing', () => {
    const candidates = [candidate('me', 130), candidate('other', 140)];
    assert.deepEqual(plan({ candidates }, holding(130)), { kind: 'wait' });
    assert.deepEqual(plan({ candidates, sinceMs: 2499 }, holding(130)), { kind: 'wait' });
    const overtaken = plan({ candidates, sinceMs: 2500 }, holding(130));
    assert.deepEqual(overtaken, { kind: 'seal', first: 'repair', epoch: 4, next: 140 + GAP });
  });

  it('leaves it to the later epoch, however short', () => {
    const candidates = [candidate('me', 130), candidate('other', 101, { epoch: 4 })];
    assert.deepEqual(plan({ candidates }, holding(130)), { kind: 'wait' });
  });

  it('lets the smaller name decide among equals', () => {
    const candidates = [candidate('me', 130), candidate('a', 130), candidate('z', 130)];
    assert.deepEqual(plan({ candidates }, holding(130)), { kind: 'wait' });
    const rest = candidates.filter(({ server }) => server !== 'a');
    assert.equal(plan({ candidates: rest }, holding(130)).kind, 'seal');
  });

  it('does not hurry when it remembers nothing itself', () => {
    const cold = holding(0, { epoch: 0, warm: false, baseIndex: 0, hashAt: () => undefined });
    const view = { hashAtMine: '', firstIndex: 1 };
    assert.deepEqual(plan(view, cold), { kind: 'wait' });
    const seal = { kind: 'seal', first: 'keep', epoch: 4, next: 100 + GAP };
    assert.deepEqual(plan({ ...view, sinceMs: 1000 }, cold), seal);
  });

  it('begins with epoch 1 and index 1 where there was never anything', () => {
    const nothing = { index: 0, epoch: 0, hash: '', next: 1, firstIndex: 0, length: 0 };
    const cold = holding(0, {
      epoch: 0,
      warm: false,
      position: { index: 0, epoch: 1, hash: '', t: 0 },
    });
    const view = { ...nothing, sealedRun: '', live: [], sinceMs: 1000 };
    const seal = { kind: 'seal', first: 'keep', epoch: 1, next: 1 };
    assert.deepEqual(plan(view, cold), seal);
  });

  it('replaces what ends in another way, or not where it says, by its own history', () => {
    const damaged = plan({ sealedRun: 'new', consistent: false }, holding(100));
    assert.deepEqual(damaged, { kind: 'seal', first: 'replace', epoch: 4, next: 101 });
    const fork = plan({ index: 120, hash: 'x', epoch: 2, hashAtMine: 'x' }, holding(110));
    assert.deepEqual(fork, { kind: 'seal', first: 'replace', epoch: 4, next: 120 + GAP });
    const older = plan({ index: 20, hash: 'h20' }, holding(110));
    assert.deepEqual(older, { kind: 'seal', first: 'replace', epoch: 4, next: 110 + GAP });
  });

  it('gives in where others have sealed another history in a later epoch', () => {
    const view = { sealedRun: 'new', epoch: 4, index: 105, hash: 'x' };
    const fork = plan({ ...view, hashAtMine: 'y' }, holding(103));
    assert.deepEqual(fork, { kind: 'yield', fork: true });
    const trimmed = plan({ ...view, firstIndex: 104 }, holding(60));
    assert.deepEqual(trimmed, { kind: 'yield', fork: false });
  });

  it('still contributes where others have sealed without it and written nothing', () => {
    const view = { sealedRun: 'new', epoch: 4, next: 101, candidates: [] };
    const seal = { kind: 'seal', first: 'repair', epoch: 5, next: 131 };
    assert.deepEqual(plan(view, holding(130)), seal);
  });

  it('never seals with less than a majority where one is asked for', () => {
    const limits = { settleMs: 1000, quorum: 2 };
    assert.deepEqual(plan({ sinceMs: 60_000 }, holding(130), limits), { kind: 'wait' });
    const candidates = [candidate('me', 130), candidate('z', 120)];
    assert.equal(plan({ candidates }, holding(130), limits).kind, 'seal');
  });
});
