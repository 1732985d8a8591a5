import assert from 'node:assert/strict';
import { History } from '../../support/experiments/history.ts';
import { checkNamed, serviceNamed } from '../../support/factories.ts';

const S1 = '00000000-0000-4000-a000-000000000001';
const S2 = '00000000-0000-4000-a000-000000000002';
const S = 1e9;

/** Node a with serfHealth and an instance's check, and a session on both that holds k. */
function locked(over: object = {}): History {
  const history = new History();
  history.register('a', { checks: [checkNamed('serfHealth')], service: serviceNamed('web') });
  history.register('a', { checks: [checkNamed('c', { ServiceID: 'web' })] });
  const rests = { NodeChecks: ['serfHealth'], ServiceChecks: [{ ID: 'c', Namespace: '' }] };
  history.session(S1, { ...rests, ...over });
  assert.equal(history.kv('lock', 'k', { session: S1 }).outcome.applied, true);
  return history;
}

describe('a session', () => {
  const ENDS: readonly (readonly [string, (history: History) => unknown])[] = [
    ['is destroyed', (h) => h.run({ type: 'destroy-session', id: S1 })],
    ['is not renewed', (h) => h.run({ type: 'expire-sessions', term: 0, ids: [S1] })],
    ["its node's check turns critical", (h) => h.register('a', failing('serfHealth'))],
    [
      "its node's check turns critical, by a name in other letters",
      (h) => h.register('A', failing('SERFHealth')),
    ],
    ["its service's check turns critical", (h) => h.register('a', failing('c', 'web'))],
    [
      "its node's check goes",
      (h) => h.run({ type: 'deregister', node: 'a', checkId: 'serfHealth' }),
    ],
    ["its service's check goes", (h) => h.run({ type: 'deregister', node: 'a', checkId: 'c' })],
    ['its service goes', (h) => h.run({ type: 'deregister', node: 'a', serviceId: 'web' })],
    ['its node goes', (h) => h.run({ type: 'deregister', node: 'a' })],
  ];
  function failing(id: string, ServiceID = '') {
    return { checks: [checkNamed(id, { Status: 'critical', ServiceID })] };
  }

  for (const [why, end] of ENDS) {
    it(`ends when ${why}, and lets go of its key in the same entry`, () => {
      const history = locked();
      end(history);
      const { sessions, kv, index } = history.state;
      assert.equal(sessions.get(S1), undefined);
      const row = kv.get('k');
      assert.deepEqual([row?.Session, row?.LockIndex, row?.ModifyIndex], [undefined, 1, index]);
    });
  }

  it('with the behaviour delete takes its keys with it', () => {
    const history = locked({ Behavior: 'delete' });
    history.run({ type: 'destroy-session', id: S1 });
    assert.equal(history.state.kv.get('k'), undefined);
  });

  it('lives on when a check that it does not rest on turns critical', () => {
    const history = locked({ ServiceChecks: null });
    history.register('a', failing('c', 'web'));
    assert.notEqual(history.state.sessions.get(S1), undefined);
  });

  it('lives on when a leader of an older term says that it expired', () => {
    const history = locked();
    history.run({ type: 'claim-leadership', server: 's', replaces: 0 });
    const { outcome } = history.run({ type: 'expire-sessions', term: 0, ids: [S1] });
    assert.equal(outcome.applied, false);
    assert.notEqual(history.state.sessions.get(S1), undefined);
  });

  it('is not looked at for the checks that it does not rest on', () => {
    const history = locked();
    let looked = 0;
    const { sessions } = history.state;
    const on = sessions.on.bind(sessions);
    sessions.on = (node) => {
      looked++;
      return on(node);
    };
    const many = Array.from({ length: 40 }, (_, i) => checkNamed(`x${i}`, { Status: 'critical' }));
    history.register('a', { checks: many });
    assert.equal(looked, 0);
    assert.notEqual(sessions.get(S1), undefined);
  });

  it('is refused on a node that is not there, a check that is not, and one that is critical', () => {
    const history = new History();
    assert.match(String(history.session(S1).outcome.refused), /Missing node registration/);
    history.register('a');
    const rests = { NodeChecks: ['serfHealth'] };
    assert.match(String(history.session(S1, rests).outcome.refused), /Missing check 'serfHealth'/);
    history.register('a', failing('serfHealth'));
    assert.match(String(history.session(S1, rests).outcome.refused), /is in critical state/);
  });

  it('touches itself, its node and the list, when it comes and when it goes', () => {
    const history = new History();
    history.register('a');
    const expected = ['node-sessions:a', `session:${S1}`, 'sessions'];
    assert.deepEqual([...history.session(S1).touched], expected);
    assert.deepEqual([...history.run({ type: 'destroy-session', id: S1 }).touched], expected);
  });
});

describe('a lock-delay', () => {
  function released(LockDelay: number): History {
    const history = locked({ LockDelay });
    history.register('a', {});
    history.session(S2);
    history.run({ type: 'destroy-session', id: S1 });
    return history;
  }
  const lock = (history: History, ms: number) =>
    history.kv('lock', 'k', { session: S2 }, ms).outcome.applied;

  it('keeps a key from others for its time by the log, to the millisecond', () => {
    const history = released(15 * S);
    assert.equal(lock(history, 14_999), false);
    assert.equal(lock(history, 1), true);
  });

  it('keeps nobody for longer than a minute, however long it is said to be', () => {
    const history = released(3000 * 3600 * S);
    assert.equal(lock(history, 59_999), false);
    assert.equal(lock(history, 1), true);
  });

  it('of 0 keeps nobody', () => {
    assert.equal(lock(released(0), 0), true);
  });

  it('does not follow a lock that its owner let go of', () => {
    const history = locked({ LockDelay: 15 * S });
    history.session(S2);
    history.kv('unlock', 'k', { session: S1 });
    assert.equal(lock(history, 0), true);
  });

  it('ends a transaction that locks, with a text', () => {
    const history = released(15 * S);
    const kv = { verb: 'lock', key: 'k', value: null, flags: 0, index: 0, session: S2 };
    const { outcome } = history.run({ type: 'txn', ops: [{ kv }] });
    assert.match(String(outcome.errors?.[0]?.What), /due to lock delay/);
  });

  it('that is over is still known when the entry that dropped it is taken back', () => {
    const history = released(15 * S);
    const before = history.state.sessions.delays();
    const node = { verb: 'delete', node: nodeOf('a'), index: 0 };
    const bad = { kv: { verb: 'get', key: 'none', value: null, flags: 0, index: 0, session: '' } };
    const { outcome } = history.run({ type: 'txn', ops: [{ node }, bad] }, 20_000);
    assert.equal(outcome.applied, false);
    assert.deepEqual(history.state.sessions.delays(), before);
  });
});

function nodeOf(Node: string) {
  return { ID: '', Node, Address: 'x', Datacenter: 'dc1', TaggedAddresses: null, Meta: null };
}
