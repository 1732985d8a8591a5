import assert from 'node:assert/strict';
import { NO_BALLOT } from '../../../../../server/log/redis/repair/ballot-file.ts';
import {
  ballotFor,
  describeWait,
  type Holdings,
  type PlanLimits,
  planEpoch,
} from '../../../../../server/log/redis/repair/epoch-plan.ts';
import type { EpochStart } from '../../../../../server/log/redis/repair/epochs.ts';
import type { Candidate, View } from '../../../../../server/log/redis/repair/view.ts';

const GAP = 2 ** 20;

/** A Redis that was promoted at index 100 of epoch 3, as this server sees it right away. */
function promoted(view: Partial<View> = {}): View {
  return {
    run: 'new',
    epochRun: 'old',
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
    users: [],
    epochs: [],
    ...view,
  };
}

function candidate(server: string, index: number, more: Partial<Candidate> = {}): Candidate {
  return { server, epoch: 3, index, hash: `h${index}`, warm: true, ballot: 0, start: 0, ...more };
}

/** A server that holds all up to an index, and remembers from 50 on. */
function holding(index: number, more: Partial<Holdings> = {}): Holdings {
  return {
    server: 'me',
    epoch: 3,
    epochs: [began(3, 40, 'ours')],
    position: { index, epoch: 3, hash: `h${index}`, t: 1 },
    baseIndex: 50,
    warm: true,
    ballot: NO_BALLOT,
    hashAt: (at) => (at >= 50 && at <= index ? `h${at}` : undefined),
    peers: [],
    ...more,
  };
}

function began(epoch: number, index: number, mark = `${epoch}`): EpochStart {
  return { epoch, index, mark };
}

const LIMITS = { settleMs: 1000, quorumOf: undefined };

function plan(view: Partial<View>, me: Holdings, limits: PlanLimits = LIMITS) {
  const mine = candidate(me.server, me.position.index, { epoch: me.epoch, warm: me.warm });
  return planEpoch(promoted({ candidates: [mine], ...view }), me, limits);
}

describe('planEpoch', () => {
  it('adopts a Redis in its epoch that ends where we do, or goes on from there', () => {
    assert.deepEqual(plan({ epochRun: 'new' }, holding(100)), { kind: 'adopt' });
    const ahead = { epochRun: 'new', hashAtMine: 'h90' };
    assert.deepEqual(plan(ahead, holding(90)), { kind: 'adopt' });
  });

  it('begins at once, without a gap, when all that live are there and nothing is lost', () => {
    const begin = { kind: 'begin', first: 'keep', epoch: 4, next: 101 };
    assert.deepEqual(plan({}, holding(100)), begin);
  });

  it('puts back what it holds more', () => {
    const begin = { kind: 'begin', first: 'repair', epoch: 4, next: 131 };
    assert.deepEqual(plan({}, holding(130)), begin);
  });

  it('waits for a server that lived, and no longer than the settle time', () => {
    assert.deepEqual(plan({ live: ['me', 'other'] }, holding(130)), { kind: 'wait' });
    assert.deepEqual(plan({}, holding(130, { peers: ['other'] })), { kind: 'wait' });
    const late = plan({ live: ['me', 'other'], sinceMs: 1000 }, holding(130));
    // What the other acknowledged alone may be lost: its indexes must not come again.
    assert.deepEqual(late, { kind: 'begin', first: 'repair', epoch: 4, next: 130 + GAP });
  });

  it('waits as long where Redis has forgotten who lived, whoever it knows itself', () => {
    for (const live of [[], ['other']]) {
      assert.deepEqual(plan({ live }, holding(130)), { kind: 'wait' });
      const late = plan({ live, sinceMs: 1000 }, holding(130));
      assert.deepEqual(late, { kind: 'begin', first: 'repair', epoch: 4, next: 130 + GAP });
    }
  });

  it('gives no index again where there was an epoch of which nobody here has an entry', () => {
    const flushed = { index: 0, epoch: 0, hash: '', next: 1, firstIndex: 0, length: 0, live: [] };
    const away = holding(0, {
      epoch: 1,
      baseIndex: 0,
      position: { index: 0, epoch: 1, hash: '', t: 0 },
    });
    const begin = { kind: 'begin', first: 'keep', epoch: 2, next: GAP };
    assert.deepEqual(plan({ ...flushed, sinceMs: 1000 }, away), begin);
  });

  it('leaves it to the one that holds more, for as long as that one is there', () => {
    const candidates = [candidate('me', 130), candidate('other', 140)];
    assert.deepEqual(plan({ candidates }, holding(130)), { kind: 'wait' });
    assert.deepEqual(plan({ candidates, sinceMs: 60_000 }, holding(130)), { kind: 'wait' });
  });

  it('overtakes one that holds the same and does nothing', () => {
    const candidates = [candidate('me', 130), candidate('a', 130)];
    assert.deepEqual(plan({ candidates, sinceMs: 2499 }, holding(130)), { kind: 'wait' });
    const overtaken = plan({ candidates, sinceMs: 2500 }, holding(130));
    assert.deepEqual(overtaken, { kind: 'begin', first: 'repair', epoch: 4, next: 131 });
  });

  it('leaves it to the later epoch, however short', () => {
    const candidates = [candidate('me', 130), candidate('other', 101, { epoch: 4 })];
    assert.deepEqual(plan({ candidates }, holding(130)), { kind: 'wait' });
  });

  it('lets the smaller name decide among equals', () => {
    const candidates = [candidate('me', 130), candidate('a', 130), candidate('z', 130)];
    assert.deepEqual(plan({ candidates }, holding(130)), { kind: 'wait' });
    const rest = candidates.filter(({ server }) => server !== 'a');
    assert.equal(plan({ candidates: rest }, holding(130)).kind, 'begin');
  });

  it('does not hurry when it remembers nothing itself', () => {
    const cold = holding(0, { epoch: 0, warm: false, baseIndex: 0, hashAt: () => undefined });
    const view = { hashAtMine: '', firstIndex: 1 };
    assert.deepEqual(plan(view, cold), { kind: 'wait' });
    const begin = { kind: 'begin', first: 'keep', epoch: 4, next: 100 + GAP };
    assert.deepEqual(plan({ ...view, sinceMs: 1000 }, cold), begin);
  });

  it('begins with epoch 1 and index 1 where there was never anything', () => {
    const nothing = { index: 0, epoch: 0, hash: '', next: 1, firstIndex: 0, length: 0 };
    const cold = holding(0, {
      epoch: 0,
      warm: false,
      position: { index: 0, epoch: 1, hash: '', t: 0 },
    });
    const view = { ...nothing, epochRun: '', live: [], sinceMs: 1000 };
    const begin = { kind: 'begin', first: 'keep', epoch: 1, next: 1 };
    assert.deepEqual(plan(view, cold), begin);
  });

  it('replaces what ends in another way, or not where it says, by its own history', () => {
    const damaged = plan({ epochRun: 'new', consistent: false }, holding(100));
    assert.deepEqual(damaged, { kind: 'begin', first: 'replace', epoch: 4, next: 101 });
    const fork = plan({ index: 120, hash: 'x', epoch: 2, hashAtMine: 'x' }, holding(110));
    assert.deepEqual(fork, { kind: 'begin', first: 'replace', epoch: 4, next: 120 + GAP });
    const older = plan({ index: 20, hash: 'h20' }, holding(110));
    assert.deepEqual(older, { kind: 'begin', first: 'replace', epoch: 4, next: 110 + GAP });
  });

  it('gives in where others have begun a later epoch of another history', () => {
    const view = { epochRun: 'new', epoch: 4, index: 105, hash: 'x' };
    const fork = plan({ ...view, hashAtMine: 'y' }, holding(103));
    assert.deepEqual(fork, { kind: 'yield', fork: true });
    const epochs = [began(3, 40, 'ours'), began(4, 60)];
    const trimmed = plan({ ...view, firstIndex: 104, epochs }, holding(60));
    assert.deepEqual(trimmed, { kind: 'yield', fork: false });
  });

  it('still contributes where others have begun without it and written nothing', () => {
    const view = { epochRun: 'new', epoch: 4, next: 101, candidates: [] };
    const begin = { kind: 'begin', first: 'repair', epoch: 5, next: 131 };
    assert.deepEqual(plan(view, holding(130)), begin);
  });

  it('reports what was lost before the entries that are left, as far as the epochs tell', () => {
    const view = { epochRun: 'new', epoch: 5, index: 900, hash: 'x', firstIndex: 800 };
    const fork = (...epochs: readonly EpochStart[]) => {
      const found = plan({ ...view, epochs }, holding(100));
      return found.kind === 'yield' ? found.fork : found.kind;
    };
    assert.equal(fork(began(3, 40, 'ours'), began(4, 90)), true);
    assert.equal(fork(began(3, 40, 'ours'), began(4, 100)), false);
    assert.equal(fork(began(3, 40, 'ours')), false);
  });

  it('takes no epoch for another that has its number: each server that knows of none counts on', () => {
    const view = { epochRun: 'new', epoch: 5, index: 900, hash: 'x', firstIndex: 800 };
    for (const epochs of [[began(3, 40, 'its'), began(4, 500)], [began(4, 500)], []]) {
      assert.deepEqual(plan({ ...view, epochs }, holding(100)), { kind: 'yield', fork: true });
    }
  });

  it('gives in to one in the same epoch that others are content with', () => {
    // Two masters may have begun the same epoch. It waited for ever.
    const view = { epochRun: 'new', index: 90, hash: 'x', users: ['other'] };
    assert.deepEqual(plan(view, holding(100)), { kind: 'wait' });
    assert.deepEqual(plan({ ...view, sinceMs: 1000 }, holding(100)), { kind: 'yield', fork: true });
    const allFindItOld = { ...view, candidates: [candidate('me', 100), candidate('other', 99)] };
    assert.equal(plan(allFindItOld, holding(100)).kind, 'begin');
  });
});

describe('planEpoch after all have lost their power', () => {
  const forgot = (start: number) =>
    holding(0, {
      ...{ epoch: 0, warm: false, baseIndex: 0, hashAt: () => undefined },
      ballot: { ...NO_BALLOT, start },
    });
  const others = (start: number) => [candidate('z', 0, { epoch: 0, hash: '', warm: false, start })];

  it('gives no index again of an epoch that Redis has forgotten, and a disk has not', () => {
    const began = { candidates: others(2 * GAP), sinceMs: 1000 };
    const { next } = plan(began, forgot(0)) as { next: number };
    assert.equal(next, 3 * GAP);
  });

  it('neither where Redis is as empty as before the first', () => {
    const empty = { epochRun: '', epoch: 0, index: 0, hash: '', next: 1, firstIndex: 0, length: 0 };
    const again = plan({ ...empty, candidates: others(1), sinceMs: 1000 }, forgot(0));
    assert.deepEqual(again, { kind: 'begin', first: 'keep', epoch: 2, next: 1 + GAP });
    const ever = plan({ ...empty, candidates: others(0), sinceMs: 1000 }, forgot(0));
    assert.deepEqual(ever, { kind: 'begin', first: 'keep', epoch: 1, next: 1 });
  });

  it('nor a number of an epoch that nobody remembers, in which somebody may be who is away', () => {
    const empty = { epochRun: '', epoch: 0, index: 0, hash: '', next: 1, firstIndex: 0, length: 0 };
    const begun = (start: number, more: Partial<View> = {}) =>
      plan({ ...empty, candidates: others(start), sinceMs: 1000, ...more }, forgot(0));
    const again = { kind: 'begin', first: 'keep', epoch: GAP + 1, next: 2 * GAP };
    assert.deepEqual(begun(GAP), again);
    // Older files: two epochs are known there, and the disks know of more.
    const older = { epoch: 2, index: 9, hash: 'h9', next: 10, firstIndex: 1, length: 9 };
    assert.deepEqual(begun(GAP, older), again);
  });

  it('keeps where an epoch begins, and promises nothing that it need not', () => {
    const view = { ...NO_BALLOT, run: 'new', epoch: 9, next: 101 } as unknown as View;
    const kept = ballotFor(view, { ...NO_BALLOT, start: 5 }, LIMITS);
    assert.deepEqual(kept, { ...NO_BALLOT, start: 101 });
    assert.equal(ballotFor(view, { ...NO_BALLOT, start: 500 }, LIMITS).start, 500);
  });
});

describe('planEpoch where a majority acknowledges', () => {
  const limits = { settleMs: 1000, quorumOf: 3 };
  const ballot = { run: 'new', epoch: 4, elsewhere: 0, start: 0 };
  const me = (index: number, more: Partial<Holdings> = {}) => holding(index, { ballot, ...more });
  const shown = (server: string, index: number, more: Partial<Candidate> = {}) =>
    candidate(server, index, { ballot: 4, ...more });
  const cold = { epoch: 0, hash: '', warm: false };

  it('promises first, and as much as the others have', () => {
    const first = plan({}, holding(100), limits);
    assert.deepEqual(first, { kind: 'wait', promise: ballot });
    const candidates = [shown('me', 100), shown('z', 100, { ballot: 9 })];
    const more = plan({ candidates }, me(100), limits);
    assert.deepEqual(more, { kind: 'wait', promise: { ...ballot, epoch: 9 } });
  });

  it('promises no epoch to two Redises', () => {
    const other = { run: 'third', epoch: 7, elsewhere: 2, start: 0 };
    const next = plan({}, holding(100, { ballot: other }), limits);
    assert.deepEqual(next, {
      kind: 'wait',
      promise: { run: 'new', epoch: 8, elsewhere: 7, start: 0 },
    });
  });

  it('does not use a Redis whose epoch is older than what it promised to another', () => {
    const other = { run: 'third', epoch: 4, elsewhere: 0, start: 0 };
    const old = plan({ epochRun: 'new' }, holding(100, { ballot: other }), limits);
    assert.equal(old.kind, 'wait');
    const newer = plan({ epochRun: 'new', epoch: 4 }, holding(100, { ballot: other }), limits);
    assert.deepEqual(newer, { kind: 'adopt' });
  });

  it('counts only servers that have promised, and remember', () => {
    const begins = (candidates: Candidate[]) =>
      plan({ candidates, sinceMs: 60_000 }, me(130), limits).kind === 'begin';
    assert.equal(begins([shown('me', 130)]), false);
    assert.equal(begins([shown('me', 130), shown('z', 120)]), true);
    assert.equal(begins([shown('me', 130), shown('z', 120, { ballot: 3 })]), false);
    assert.equal(begins([shown('me', 130), shown('z', 0, cold)]), false);
  });

  it('gives no index again that one may be shown elsewhere which nobody has seen for long', () => {
    const both = [shown('me', 100), shown('y', 100)];
    const two = plan({ candidates: both, live: ['me', 'y'] }, me(100), limits);
    assert.deepEqual(two, { kind: 'begin', first: 'keep', epoch: 4, next: 100 + GAP });
    const all = [...both, shown('z', 100)];
    const three = plan({ candidates: all, live: ['me', 'y', 'z'] }, me(100), limits);
    assert.deepEqual(three, { kind: 'begin', first: 'keep', epoch: 4, next: 101 });
  });

  it('gives no index again of an epoch of which nothing but the promise is left', () => {
    // Epochs 4 and 5 began, each with a gap; then the power of all was gone, and Redis came back as of epoch 3.
    const ballot = { run: 'new', epoch: 6, elsewhere: 5, start: 0 };
    const none = ['me', 'y', 'z'].map((server) => shown(server, 0, { ...cold, ballot: 6 }));
    const forgot = me(0, { epoch: 0, warm: false, baseIndex: 0, hashAt: () => undefined, ballot });
    const third = plan({ candidates: none, sinceMs: 1000 }, forgot, limits);
    assert.deepEqual(third, { kind: 'begin', first: 'keep', epoch: 6, next: 100 + 3 * GAP });
    // And as empty as before the first.
    const empty = { epochRun: '', epoch: 0, index: 0, hash: '', next: 1, firstIndex: 0, length: 0 };
    const first = plan({ ...empty, candidates: none, sinceMs: 1000 }, forgot, limits);
    assert.deepEqual(first, { kind: 'begin', first: 'keep', epoch: 6, next: 6 * GAP });
  });

  it('counts those that remember nothing where every server is there', () => {
    const candidates = [shown('me', 130), shown('y', 0, cold), shown('z', 0, cold)];
    const begin = plan({ candidates, sinceMs: 1000 }, me(130), limits);
    assert.equal(begin.kind, 'begin');
    const replaced = { candidates, live: ['me', 'y', 'gone'], sinceMs: 1000 };
    assert.equal(
      plan(replaced, me(130), limits).kind,
      'begin',
      'z in the place of one that is gone',
    );
  });

  it('counts a majority of all it knows, where those are more than were announced', () => {
    const candidates = [shown('me', 130), shown('z', 120)];
    const five = { candidates, live: ['me', 'z', 'v', 'w', 'x'], sinceMs: 60_000 };
    assert.equal(plan(five, me(130), limits).kind, 'wait');
    assert.equal(
      plan({ ...five, candidates: [...candidates, shown('v', 1)] }, me(130), limits).kind,
      'begin',
    );
  });

  it('says who is there, and who must be', () => {
    const view = promoted({ candidates: [shown('me', 130), shown('z', 0, cold)] });
    assert.equal(
      describeWait(view, 3),
      'in no epoch yet, no write is taken: here are me (up to index 130), z (restarted: remembers ' +
        'nothing); a majority of 3 that remember must be here, or all 3',
    );
  });
});
