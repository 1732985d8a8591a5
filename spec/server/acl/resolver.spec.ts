import assert from 'node:assert/strict';
import { ANONYMOUS_ACCESSOR_ID, ANONYMOUS_SECRET } from '../../../lib/acl/model.ts';
import type { Caller } from '../../../lib/acl/rights.ts';
import { noLeader } from '../../../lib/errors.ts';
import { Resolver } from '../../../server/acl/resolver.ts';
import type { Command } from '../../../server/commands.ts';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { policyNamed, roleNamed, tokenNamed } from '../../support/acl-factories.ts';
import { restored } from '../../support/experiments/state-hash.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const NEVER = { atMs: 0, ttlMs: 0 };

class World {
  state = new State();
  readonly clock = new FakeClock();
  /** What another server has written meanwhile: it comes with the next look at the log. */
  readonly elsewhere: Command[] = [];
  isCutOff = false;
  readonly resolver = new Resolver({
    state: () => this.state,
    readiness: {
      ready: () => {
        if (this.isCutOff) return Promise.reject(noLeader());
        this.run(...this.elsewhere.splice(0));
        return undefined;
      },
    },
    clock: this.clock,
    datacenter: 'dc1',
    defaultPolicy: 'deny',
    reportsFiltered: true,
  });

  run(...commands: readonly Command[]): void {
    for (const command of commands) {
      const index = this.state.index + 1;
      const t = this.clock.now();
      const entry = { index, epoch: 1, t, id: '', hash: 'h', size: 1, command };
      assert.equal(apply(this.state, entry).outcome.refused, undefined);
    }
  }

  policy(name: string, Rules: string, over = {}, update = false): void {
    this.run({ type: 'set-acl-policy', policy: policyNamed(name, { Rules, ...over }), update });
  }

  token(secret: string, over = {}, expiry = NEVER): void {
    this.run({ type: 'set-acl-token', token: tokenNamed(secret, over), expiry, update: false });
  }

  caller(secret: string): Caller {
    const caller = this.resolver.callerOf(secret);
    assert.ok(!(caller instanceof Promise));
    return caller;
  }
}

const reads = ({ rights }: Caller, key: string) => rights.may('key', 'read', key);
const NOT_FOUND = { code: 'forbidden', message: 'ACL not found' };

describe('who asks', () => {
  it('has what its policies, roles and identities say, as far as they count here', () => {
    const world = new World();
    world.policy('a', 'key "a" { policy = "read" }');
    world.policy('b', 'key "b" { policy = "read" }');
    world.policy('c', 'key "c" { policy = "read" }', { Datacenters: ['dc2'] });
    const ServiceIdentities = [
      { ServiceName: 'web', Datacenters: null },
      { ServiceName: 'db', Datacenters: ['dc2'] },
    ];
    const NodeIdentities = [
      { NodeName: 'here', Datacenter: 'dc1' },
      { NodeName: 'there', Datacenter: 'dc2' },
    ];
    const role = roleNamed('r', { Policies: ['policy-b', 'policy-c'], NodeIdentities });
    world.run({ type: 'set-acl-role', role, update: false });
    world.token('s', { Policies: ['policy-a'], Roles: ['role-r'], ServiceIdentities });
    const caller = world.caller('s');
    assert.equal(caller.accessorId, 'accessor-s');
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => reads(caller, key)),
      [true, true, false],
    );
    const writes = (kind: 'service' | 'node', name: string) =>
      caller.rights.may(kind, 'write', name);
    assert.deepEqual(
      [
        writes('service', 'web'),
        writes('service', 'db'),
        writes('node', 'here'),
        writes('node', 'there'),
      ],
      [true, false, true, false],
    );
  });

  it('is the anonymous one without a token', () => {
    const world = new World();
    const over = { AccessorID: ANONYMOUS_ACCESSOR_ID };
    world.run({
      type: 'begin-acl',
      policy: policyNamed('m'),
      anonymous: tokenNamed(ANONYMOUS_SECRET, over),
    });
    assert.equal(world.caller('').accessorId, ANONYMOUS_ACCESSOR_ID);
    assert.equal(world.caller(''), world.caller(ANONYMOUS_SECRET));
  });

  it('is nobody without a token before there is an anonymous one, and then that one', () => {
    const world = new World();
    world.policy('a', 'key "a" { policy = "read" }');
    const before = world.caller('');
    assert.equal(reads(before, 'a'), false);
    world.token(ANONYMOUS_SECRET, { AccessorID: ANONYMOUS_ACCESSOR_ID, Policies: ['policy-a'] });
    assert.equal(reads(world.caller(''), 'a'), true);
  });

  it('has the rights of the older API by its own rules', () => {
    const world = new World();
    const old = (secret: string, Type: 'client' | 'management', Rules = '') =>
      tokenNamed(secret, { AccessorID: '', Type, Rules });
    const token = old('old', 'client', 'key "a" { policy = "read" }');
    world.run({ type: 'set-legacy-token', token });
    assert.equal(reads(world.caller('old'), 'a/b'), true);
    assert.equal(reads(world.caller('old'), 'b'), false);
  });

  it('shares its rights with whoever comes to the same', () => {
    const world = new World();
    world.policy('a', 'key "a" { policy = "read" }');
    world.policy('same', 'key "a" { policy = "read" }');
    world.token('s', { Policies: ['policy-a'] });
    world.token('t', { Policies: ['policy-same'] });
    world.token('u');
    assert.equal(world.caller('s').rights, world.caller('t').rights);
    assert.notEqual(world.caller('s').rights.key, world.caller('u').rights.key);
  });

  it('is asked for once, and then known', () => {
    const world = new World();
    world.token('s');
    assert.equal(world.caller('s'), world.caller('s'));
  });

  it('stands through changes that are not its own, and through a restore', () => {
    const world = new World();
    world.policy('a', 'key "a" { policy = "read" }');
    world.policy('other', '');
    world.token('s', { Policies: ['policy-a'] });
    const caller = world.caller('s');
    world.policy('other', 'acl = "write"', {}, true);
    world.policy('a', 'key "a" { policy = "read" }', { Description: 'new' }, true);
    world.token('t');
    assert.equal(caller.stands(), true);
    assert.equal(world.caller('s'), caller);
    world.state = restored(world.state);
    assert.equal(caller.stands(), true);
  });

  it('stands no more once its policy says something else, or its token is gone', () => {
    const world = new World();
    world.policy('a', 'key "a" { policy = "read" }');
    world.token('s', { Policies: ['policy-a'] });
    const before = world.caller('s');
    world.policy('a', 'key "b" { policy = "read" }', {}, true);
    assert.equal(before.stands(), false);
    const after = world.caller('s');
    assert.deepEqual([reads(after, 'a'), reads(after, 'b')], [false, true]);
    world.run({ type: 'delete-acl-policy', id: 'policy-a' });
    assert.equal(after.stands(), false);
    assert.equal(reads(world.caller('s'), 'b'), false);
    const last = world.caller('s');
    world.run({ type: 'delete-acl-token', secret: 's', accessor: 'accessor-s' });
    assert.equal(last.stands(), false);
  });

  it('stands no more where another token has its secret', () => {
    const world = new World();
    world.token('s');
    const caller = world.caller('s');
    world.run({ type: 'delete-acl-token', secret: 's', accessor: 'accessor-s' });
    world.token('s', { AccessorID: 'another' });
    assert.equal(caller.stands(), false);
    assert.equal(world.caller('s').accessorId, 'another');
  });

  it('is out when its time is over, by the later of two clocks', async () => {
    const world = new World();
    world.token('s', {}, { atMs: 0, ttlMs: 60_000 });
    world.token('t', {}, { atMs: 0, ttlMs: 60_000 });
    const caller = world.caller('s');
    await world.clock.advance(59_999);
    assert.equal(caller.stands(), true);
    await world.clock.advance(1);
    assert.equal(caller.stands(), false);
    await assert.rejects(async () => await world.resolver.callerOf('s'), NOT_FOUND);
    // A server's clock that is behind: the log knows better.
    const late = new World();
    late.token('s', {}, { atMs: 0, ttlMs: 60_000 });
    late.state.t += 60_000;
    await assert.rejects(async () => await late.resolver.callerOf('s'), NOT_FOUND);
  });

  it('is looked for in the log before it is refused', async () => {
    const world = new World();
    world.elsewhere.push({
      type: 'set-acl-token',
      token: tokenNamed('s'),
      expiry: NEVER,
      update: false,
    });
    assert.equal((await world.resolver.callerOf('s')).accessorId, 'accessor-s');
    await assert.rejects(async () => await world.resolver.callerOf('x'), NOT_FOUND);
    world.isCutOff = true;
    await assert.rejects(async () => await world.resolver.callerOf('x'), { code: 'unavailable' });
    assert.equal((await world.resolver.callerOf('s')).accessorId, 'accessor-s');
  });

  it('is nobody by the words that Consul keeps for itself', () => {
    const message = 'Cannot resolve root ACL';
    assert.throws(() => new World().resolver.callerOf('manage'), { code: 'rejected', message });
  });

  it('has no rights at all where its rules cannot be read', () => {
    const world = new World();
    world.policy('a', 'key "a" {');
    world.token('s', { Policies: ['policy-a'] });
    assert.throws(() => world.resolver.callerOf('s'), { code: 'rejected' });
  });

  it('has much to be read, while he may become another, or nobody', async () => {
    const world = new World();
    const rule = `key_prefix "${'x'.repeat(1000)}" { policy = "read" }\n`;
    const names = Array.from({ length: 8 }, (_, i) => `p${i}`);
    for (const name of names) {
      world.policy(name, `${rule.replace('xx', name)}key "k" { policy = "read" }`.padEnd(64_000));
    }
    const Policies = names.map((name) => `policy-${name}`);
    for (const secret of ['stays', 'less', 'gone']) world.token(secret, { Policies });
    const coming = ['stays', 'less', 'gone'].map((secret) => world.resolver.callerOf(secret));
    assert(coming.every((each) => each instanceof Promise));
    world.run({ type: 'delete-acl-token', secret: 'gone', accessor: 'accessor-gone' });
    const token = tokenNamed('less', { Policies: [] });
    world.run({ type: 'set-acl-token', token, expiry: NEVER, update: true });
    const [stays, less] = await Promise.all(coming.slice(0, 2));
    assert.equal(stays && reads(stays, 'k'), true);
    assert.equal(less && reads(less, 'k'), false);
    await assert.rejects(Promise.resolve(coming[2]), NOT_FOUND);
    assert.equal(world.resolver.callerOf('stays'), stays);
  });
});
