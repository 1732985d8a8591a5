import assert from 'node:assert/strict';
import { silentLogger } from '../../../lib/logger.ts';
import { AclWarden } from '../../../server/cluster/acl-warden.ts';
import type { Command } from '../../../server/commands.ts';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { tokenNamed } from '../../support/acl-factories.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

function start(initialManagement = '') {
  const state = new State();
  const clock = new FakeClock();
  const proposed: string[] = [];
  const propose = (command: Command) => {
    proposed.push(command.type);
    const index = state.index + 1;
    const entry = { index, epoch: 1, t: clock.now(), id: '', hash: 'h', size: 1, command };
    return Promise.resolve(apply(state, entry).outcome);
  };
  const deps = { propose, clock, random: seededRandom(1), logger: silentLogger };
  const warden = (secret = initialManagement) =>
    new AclWarden({ ...deps, state: () => state, initialManagement: secret });
  return { state, clock, proposed, propose, warden };
}

describe("a leader's duty to access control", () => {
  it('puts in what is always there, once', async () => {
    const { state, proposed, warden } = start('first');
    await warden().begin();
    await warden().begin();
    assert.deepEqual(proposed, ['begin-acl']);
    assert.deepEqual(
      [...state.acl.tokens.values()].map(({ SecretID }) => SecretID),
      ['anonymous', 'first'],
    );
    assert.notEqual(state.acl.bootstrapIndex, 0);
  });

  it('adds the first token of a configuration that names another one by now', async () => {
    const { state, warden } = start('first');
    await warden().begin();
    const { bootstrapIndex } = state.acl;
    await warden('second').begin();
    assert.ok(state.acl.tokens.get('second'));
    assert.equal(state.acl.bootstrapIndex, bootstrapIndex);
  });

  it('leaves the anonymous token as somebody has made it', async () => {
    const { state, propose, warden } = start();
    await warden().begin();
    const token = tokenNamed('', { ...state.acl.tokens.get('anonymous'), Description: 'ours' });
    await propose({ type: 'set-acl-token', token, expiry: { atMs: 0, ttlMs: 0 }, update: true });
    await warden('first').begin();
    assert.equal(state.acl.tokens.get('anonymous')?.Description, 'ours');
  });

  it('asks for nothing until a token has expired', async () => {
    const { state, clock, propose, proposed, warden } = start();
    const watching = warden();
    const expiry = { atMs: 0, ttlMs: 60_000 };
    await propose({ type: 'set-acl-token', token: tokenNamed('s'), expiry, update: false });
    await watching.tick();
    await clock.advance(59_000);
    await watching.tick();
    assert.deepEqual(proposed, ['set-acl-token']);
    await clock.advance(1000);
    await watching.tick();
    assert.equal(state.acl.tokens.size, 0);
  });
});
