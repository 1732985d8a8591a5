import assert from 'node:assert/strict';
import { DEFAULT_HISTORY, type HistoryLimits } from '../../../lib/history.ts';
import type { Command } from '../../../server/commands.ts';
import type { Past } from '../../../server/state/history/past.ts';
import { History } from '../../support/experiments/history.ts';
import { restored } from '../../support/experiments/state-hash.ts';
import { checkNamed, serviceNamed } from '../../support/factories.ts';

const web = serviceNamed('web');
const check = (Status: string, Output = '') =>
  checkNamed('c', { Status, Output, ServiceID: 'web' });

function began(): History {
  const history = new History();
  history.register('a', { service: web, checks: [check('critical')] }, 1_700_000_000_000);
  return history;
}

function said(history: History, past: Past | undefined, id?: string): string[] {
  const track = id === undefined ? past : past?.check(id);
  if (track === undefined) return [];
  return [...history.state.history.changesOf(track)].map(({ from, to }) => `${from} ${to}`);
}

const live = ({ state }: History, id = 'web') => state.history.live('a', id);
const gone = ({ state }: History, service = 'web') => [...state.history.goneOf(service)];
const limits = (over: Partial<HistoryLimits>): Command => ({
  type: 'set-history',
  limits: { ...DEFAULT_HISTORY, ...over },
});

describe('the history', () => {
  it('tells when what came, changed and went', () => {
    const history = began();
    history.register('a', { checks: [check('passing', 'ok')] }, 60_000);
    history.register('a', { checks: [check('passing', 'still ok')] }, 30_000);
    history.run({ type: 'deregister', node: 'a', serviceId: 'web' }, 30_000);
    const [past] = gone(history);
    assert.deepEqual(said(history, past), ['absent registered', 'registered absent']);
    const expected = ['absent critical', 'critical passing', 'passing absent'];
    assert.deepEqual(said(history, past, 'c'), expected);
    assert.equal(live(history), undefined);
  });

  it('goes on where an instance comes back', () => {
    const history = began();
    history.run({ type: 'deregister', node: 'a' });
    history.register('A', { service: web });
    const expected = ['absent registered', 'registered absent', 'absent registered'];
    assert.deepEqual(said(history, live(history)), expected);
    assert.deepEqual(gone(history), []);
  });

  it('knows nothing of what came to nothing', () => {
    const history = began();
    const set = { verb: 'set', node: 'a', check: check('passing'), index: 0 };
    const bad = { verb: 'nonsense', node: 'a', check: check('passing'), index: 0 };
    history.run({ type: 'txn', ops: [{ check: set }, { check: bad }] });
    assert.deepEqual(said(history, live(history), 'c'), ['absent critical']);
  });

  it('sees what happens within one entry as one', () => {
    const history = began();
    const op = (Status: string) => ({
      check: { verb: 'set', node: 'a', check: check(Status), index: 0 },
    });
    history.run({ type: 'txn', ops: [op('passing'), op('warning'), op('critical')] });
    assert.deepEqual(said(history, live(history), 'c'), ['absent critical']);
  });

  it('tells two services of one id apart, and leaves the checks with the one that is there', () => {
    const history = began();
    history.register('a', { service: { ...web, Service: 'other' } });
    const [past] = gone(history);
    assert.deepEqual(said(history, past, 'c'), ['absent critical', 'critical absent']);
    assert.equal(live(history)?.service, 'other');
    assert.deepEqual(said(history, live(history), 'c'), ['absent critical']);
  });

  it('keeps so many changes of a check, the newest', () => {
    const history = began();
    history.run(limits({ perCheck: 3 }));
    for (const status of ['passing', 'warning', 'passing', 'warning', 'critical']) {
      history.register('a', { checks: [check(status)] });
    }
    const expected = ['warning passing', 'passing warning', 'warning critical'];
    assert.deepEqual(said(history, live(history), 'c'), expected);
  });

  it('keeps what is too old only where it says what was since', () => {
    const history = began();
    history.run(limits({ ageMs: 60_000 }));
    history.register('a', { checks: [check('passing')] }, 100_000);
    assert.deepEqual(said(history, live(history), 'c'), ['absent critical', 'critical passing']);
    history.register('a', { checks: [check('warning')] }, 70_000);
    assert.deepEqual(said(history, live(history), 'c'), ['critical passing', 'passing warning']);
  });

  it('makes room where there is none in all, first of what is gone', () => {
    const history = began();
    history.run(limits({ inAll: 5 }));
    history.run({ type: 'deregister', node: 'a', serviceId: 'web' });
    assert.equal(gone(history).length, 1);
    history.register('a', { service: serviceNamed('db') });
    assert.deepEqual(gone(history), []);
    assert(history.state.history.size.changes <= 5);
  });

  it('forgets of one service that comes and goes without end, and not of another', () => {
    const history = began();
    history.run({ type: 'deregister', node: 'a', serviceId: 'web' });
    for (let i = 0; i < 1100; i++) {
      history.register('a', { service: serviceNamed('busy', { ID: `b${i}` }) });
      history.run({ type: 'deregister', node: 'a', serviceId: `b${i}` });
    }
    assert.equal(gone(history, 'busy').length, 1000);
    assert.equal(gone(history).length, 1);
    assert.notEqual(history.state.history.forgotten.get('busy'), undefined);
  });

  it('bounds the checks that come and go on an instance that stays', () => {
    const history = began();
    for (let i = 0; i < 100; i++) {
      history.register('a', { checks: [checkNamed(`x${i}`, { ServiceID: 'web' })] });
      history.run({ type: 'deregister', node: 'a', checkId: `x${i}` });
    }
    assert.equal(live(history)?.checks.length, 17);
    assert.notEqual(live(history)?.since, 0);
  });

  it('keeps an output once, cut, and lets it go with its last change', () => {
    const history = began();
    const output = 'x'.repeat(5000);
    history.run(limits({ perCheck: 2 }));
    for (const status of ['passing', 'critical']) {
      history.register('a', { checks: [check(status, output)] });
    }
    assert.equal(history.state.history.size.characters, 200);
    for (const status of ['passing', 'critical']) {
      history.register('a', { checks: [check(status)] });
    }
    assert.equal(history.state.history.size.characters, 0);
  });

  it('takes a pause in which nobody could write for a gap, and no shorter one', () => {
    const history = began();
    history.run({ type: 'mark-time' }, 60_000);
    history.run({ type: 'mark-time' }, 140_000);
    const [from] = history.state.history.gaps.all;
    assert.equal(history.state.history.gaps.all.length, 1);
    assert.equal((from?.[1] ?? 0) - (from?.[0] ?? 0), 140_000);
  });

  it('keeps nothing where it is told so, and begins anew where it is told otherwise', () => {
    const history = began();
    history.run(limits({ perCheck: 0 }));
    history.register('a', { checks: [check('passing')] });
    assert.deepEqual(history.state.history.size, { changes: 0, characters: 0, tracks: 0 });
    history.run(limits({}));
    assert.deepEqual(said(history, live(history), 'c'), ['unknown passing']);
    assert.equal(history.state.history.gaps.since, history.state.t);
  });

  it('takes nothing from a restore that comes again, once another has begun', () => {
    const history = began();
    const index = 0;
    history.run({ type: 'begin-restore', restore: 'r1', index }, 0, 're/1');
    history.run({ type: 'end-restore', restore: 'r1', parts: 0 }, 0, 're/2');
    history.register('a', { service: web });
    history.run({ type: 'begin-restore', restore: 'r2', index }, 0, 're/3');
    history.run({ type: 'end-restore', restore: 'r1', parts: 0 }, 0, 're/2');
    assert.notEqual(history.state.catalog.node('a'), undefined);
  });

  it('is what happened, of a thousand flips with restarts from snapshots in between', () => {
    const history = began();
    history.run(limits({ perCheck: 2000 }));
    const schedule: [number, string][] = [[history.state.t, 'critical']];
    for (let i = 0; i < 1000; i++) {
      const status = i % 2 === 0 ? 'passing' : 'critical';
      history.register(
        'a',
        { checks: [check(status, `${status} ${i}`)] },
        ((i * 7919) % 60_000) + 1,
      );
      schedule.push([history.state.t, status]);
      if (i % 37 === 0) history.state = restored(history.state);
    }
    const track = live(history)?.check('c') ?? assert.fail();
    const told = [...history.state.history.changesOf(track)].map(({ t, to }) => [t, to]);
    assert.deepEqual(told, schedule);
    assert.deepEqual(history.state.history.gaps.all, []);
  });

  it('of a snapshot is the same, and goes on the same', () => {
    const history = began();
    history.register('a', { checks: [check('passing', 'ok')] });
    const state = restored(history.state);
    const past = state.history.live('a', 'web');
    assert.deepEqual(
      [...state.history.changesOf(past?.check('c') ?? assert.fail())].map(({ to }) => to),
      ['critical', 'passing'],
    );
  });
});
