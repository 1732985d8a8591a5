import assert from 'node:assert/strict';
import { MANAGEMENT_POLICY_ID } from '../../../lib/acl/model.ts';
import type { Command } from '../../../server/commands.ts';
import { type Applied, apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { RIGHTS } from '../../../server/state/topic-names.ts';
import { policyNamed, roleNamed, tokenNamed } from '../../support/acl-factories.ts';

const NEVER = { atMs: 0, ttlMs: 0 };
const T = 1_700_000_000_000;

class Log {
  readonly state = new State();

  run(command: Command, t = T): Applied {
    const index = this.state.index + 1;
    return apply(this.state, { index, epoch: 1, t, id: '', hash: 'h', size: 1, command });
  }

  token(secret: string, over = {}, update = false, expiry = NEVER): Applied {
    return this.run({ type: 'set-acl-token', token: tokenNamed(secret, over), expiry, update });
  }

  policy(name: string, over = {}, update = false): Applied {
    return this.run({ type: 'set-acl-policy', policy: policyNamed(name, over), update });
  }

  role(name: string, over = {}, update = false): Applied {
    return this.run({ type: 'set-acl-role', role: roleNamed(name, over), update });
  }
}

const touchesRights = ({ touched }: Applied) => touched.has(RIGHTS);

describe('commands of access control', () => {
  it('wake whoever stands on rights only where some may have changed', () => {
    const log = new Log();
    assert.equal(touchesRights(log.policy('p')), false);
    assert.equal(touchesRights(log.role('r', { Policies: ['policy-p'] })), false);
    assert.equal(touchesRights(log.token('s', { Roles: ['role-r'] })), false);
    assert.equal(touchesRights(log.policy('p', { Rules: 'acl = "read"' }, true)), true);
    assert.equal(touchesRights(log.role('r', { Policies: [] }, true)), true);
    assert.equal(touchesRights(log.token('s', { Roles: [] }, true)), true);
  });

  it('touch nothing where nothing changes', () => {
    const log = new Log();
    log.policy('p');
    log.role('r');
    log.token('s');
    for (const { touched } of [
      log.policy('p', {}, true),
      log.role('r', {}, true),
      log.token('s', {}, true),
    ]) {
      assert.deepEqual([...touched], []);
    }
  });

  it('change no secret, no end and no place of a token', () => {
    const log = new Log();
    log.token('s', {}, false, { atMs: 0, ttlMs: 60_000 });
    const changed = (over: object, expiry = NEVER) =>
      log.token('s', { AccessorID: 'accessor-s', ...over }, true, expiry).outcome.refused;
    assert.equal(changed({ SecretID: 'x' }), 'Changing a tokens SecretID is not permitted');
    assert.equal(changed({ Local: true }), 'cannot toggle local mode of accessor-s');
    assert.equal(changed({ AuthMethod: 'm' }), 'Cannot change AuthMethod of accessor-s');
    const ttl = { atMs: 0, ttlMs: 1 };
    assert.equal(changed({}, ttl), 'Cannot change expiration time of accessor-s');
    assert.equal(
      changed({ SecretID: '', Description: 'new' }, { atMs: T + 60_000, ttlMs: 0 }),
      undefined,
    );
    const row = log.state.acl.tokenBy('accessor-s');
    assert.deepEqual([row?.SecretID, row?.Description, row?.expiresAt], ['s', 'new', T + 60_000]);
  });

  it('link nothing that is not there by the time that they are applied', () => {
    const log = new Log();
    assert.match(
      log.token('s', { Policies: ['gone'] }).outcome.refused ?? '',
      /No such ACL policy/,
    );
    assert.match(log.token('s', { Roles: ['gone'] }).outcome.refused ?? '', /No such ACL role/);
    assert.match(log.role('r', { Policies: ['gone'] }).outcome.refused ?? '', /No such policy/);
  });

  it('leave the built-in policy its rules, and the policy itself', () => {
    const log = new Log();
    log.run({
      type: 'begin-acl',
      policy: policyNamed('m', { ID: MANAGEMENT_POLICY_ID, Rules: 'acl = "write"' }),
      anonymous: tokenNamed('anonymous'),
    });
    const renamed = log.policy('n', { ID: MANAGEMENT_POLICY_ID, Rules: 'acl = "write"' }, true);
    assert.equal(renamed.outcome.applied, true);
    const emptied = log.policy('n', { ID: MANAGEMENT_POLICY_ID, Rules: '' }, true);
    assert.match(emptied.outcome.refused ?? '', /^Changing the Rules/);
    const gone = log.run({ type: 'delete-acl-policy', id: MANAGEMENT_POLICY_ID });
    assert.match(gone.outcome.refused ?? '', /^Delete operation not permitted/);
  });

  it('remove a token by its secret only as long as it is the one that was meant', () => {
    const log = new Log();
    log.token('s', { AccessorID: 'new' });
    log.run({ type: 'delete-acl-token', secret: 's', accessor: 'old' });
    assert.ok(log.state.acl.tokens.get('s'));
    log.run({ type: 'delete-acl-token', secret: 's', accessor: 'new' });
    assert.equal(log.state.acl.tokens.get('s'), undefined);
  });

  it('take out what has expired by the log alone, whatever the leader believes', () => {
    const log = new Log();
    log.run({ type: 'claim-leadership', server: 's1', replaces: 0 });
    const { term } = log.state.leadership;
    log.token('s', {}, false, { atMs: 0, ttlMs: 60_000 });
    log.token('t');
    const accessors = ['accessor-s', 'accessor-t', 'accessor-none'];
    const reap = (t: number, of = term) =>
      log.run({ type: 'reap-acl-tokens', term: of, accessors }, t);
    reap(T + 59_999);
    assert.equal(reap(T + 59_999, term + 1).outcome.applied, false);
    assert.ok(log.state.acl.tokens.get('s'));
    reap(T + 60_000);
    assert.equal(log.state.acl.tokens.get('s'), undefined);
    assert.ok(log.state.acl.tokens.get('t'));
  });

  it('tell names apart without regard to case, and keep ids apart from secrets', () => {
    const log = new Log();
    log.policy('p');
    const other = log.policy('P', { ID: 'other' });
    assert.equal(other.outcome.refused, 'Invalid Policy: A Policy with Name "P" already exists');
    log.token('s', { AccessorID: 'a' });
    assert.match(log.token('a', { AccessorID: 'b' }).outcome.refused ?? '', /SecretID is already/);
    assert.match(
      log.token('x', { AccessorID: 's' }).outcome.refused ?? '',
      /AccessorID is already/,
    );
  });
});
