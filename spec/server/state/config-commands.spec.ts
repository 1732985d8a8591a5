import assert from 'node:assert/strict';
import { decodeEntry } from '../../../lib/config-entries/kinds.ts';
import { Spoken } from '../../../server/chain/spoken.ts';
import type { Command } from '../../../server/commands.ts';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { contentHash } from '../../support/experiments/state-hash.ts';

function start() {
  const state = new State();
  const propose = (command: Command) => {
    const index = state.index + 1;
    return apply(state, { index, epoch: 1, t: index, id: '', hash: 'h', size: 1, command });
  };
  const put = (value: object, cas?: number) =>
    propose({
      type: 'set-config-entry',
      entry: decodeEntry(value),
      ...(cas !== undefined && { cas }),
    });
  const remove = (kind: string, name: string) =>
    propose({ type: 'delete-config-entry', kind, name });
  return { state, put, remove };
}

const HTTP = { Kind: 'proxy-defaults', Config: { protocol: 'http' } };
const protocol = (Name: string, Protocol: string) => ({ Kind: 'service-defaults', Name, Protocol });
const splitter = (Name: string, ...to: string[]) => ({
  Kind: 'service-splitter',
  Name,
  Splits: to.map((Service) => ({ Weight: 100 / to.length, Service })),
});

describe('config entries in the state', () => {
  it('are found without regard to case, and keep when they were made', () => {
    const { state, put } = start();
    put(protocol('Web', 'tcp'));
    put(protocol('web', 'http'));
    const entry = state.configEntries.get('service-defaults', 'WEB');
    assert.deepEqual(entry, {
      ...decodeEntry(protocol('web', 'http')),
      CreateIndex: 1,
      ModifyIndex: 2,
    });
    assert.equal([...state.configEntries.values()].length, 1);
  });

  it('come to what they came to, where the log has them from before changed intentions were dated', () => {
    const { state, put } = start();
    const Sources = [{ Name: 'web', Action: 'deny' }];
    const entry = { Kind: 'service-intentions', Name: 'db', Sources };
    const legacy = { ID: 'i', updatedAt: 7, ModifyIndex: 7 };
    state.configEntries.put({
      ...decodeEntry(entry),
      Sources: [{ Name: 'web', Action: 'allow', legacy }],
      CreateIndex: 1,
      ModifyIndex: 1,
    });
    put(entry);
    const kept = state.configEntries.get('service-intentions', 'db') ?? {};
    const { Sources: now } = kept as { Sources?: readonly { legacy?: object }[] };
    assert.deepEqual(now?.[0]?.legacy, legacy);
  });

  it('come to what they came to, where the log has some that name peers from before those were refused', () => {
    const { state, put } = start();
    const resolver = (Name: string, more: object) => ({ Kind: 'service-resolver', Name, ...more });
    const Redirect = { Service: 'api', Peer: 'dc2' };
    assert.deepEqual(put(resolver('web', { Redirect })).outcome, { applied: true });
    assert.equal(state.configEntries.get('service-resolver', 'web')?.ModifyIndex, 1);
    // Whoever asks now is told that it leads to nobody.
    assert.throws(() => new Spoken(state.configEntries).of('web'), /clusters are not peered here/);
    for (const [Name, why] of [
      ['gone', 'service "api" does not have a subset named "gone"'],
      ['', undefined],
    ] as const) {
      const target = { Service: 'api', ...(Name && { ServiceSubset: Name }), Peer: 'dc2' };
      const Failover = { '*': { Targets: [target] } };
      assert.equal(put(resolver('db', { Failover })).outcome.refused, why);
    }
    assert.match(
      put(protocol('api', 'http')).outcome.refused ?? '',
      /uses inconsistent protocols; service "api" has "http" which is not "tcp"$/,
    );
  });

  it('say how no more services are scaled than are measured', () => {
    const { put, remove } = start();
    const scaling = (Name: string) => ({ Kind: 'service-scaling', Name, Max: 9, CPUPercent: 60 });
    for (let i = 0; i < 2000; i++) put(scaling(`web-${i}`));
    const why =
      'cannot create a "service-scaling" config entry with name "api": 2000 services are scaled, and no more are measured';
    assert.deepEqual(put(scaling('api')).outcome, { applied: false, refused: why });
    assert.equal(put({ ...scaling('web-7'), Max: 10 }).outcome.applied, true);
    remove('service-scaling', 'web-7');
    assert.equal(put(scaling('api')).outcome.applied, true);
  });

  it('touch the entry, its kind and all of them; the same again touches nothing', () => {
    const { put, remove } = start();
    const topics = [
      'chains:service-defaults/web',
      'config-entries',
      'config-kind:service-defaults',
      'config:service-defaults/web',
    ];
    assert.deepEqual([...put(protocol('web', 'tcp')).touched], topics);
    assert.deepEqual([...put(protocol('web', 'tcp')).touched], []);
    assert.deepEqual([...remove('service-defaults', 'web').touched], topics);
    assert.deepEqual([...remove('service-defaults', 'web').touched], []);
  });

  it('are written at the index that is named, or where there is none', () => {
    const { put } = start();
    assert.equal(put(protocol('web', 'tcp'), 1).outcome.applied, false);
    assert.equal(put(protocol('web', 'tcp'), 0).outcome.applied, true);
    assert.equal(put(protocol('web', 'http'), 0).outcome.applied, false);
    assert.equal(put(protocol('web', 'http'), 2).outcome.applied, true);
  });

  it('are refused where they leave a chain that cannot be, and nothing is changed', () => {
    const { state, put, remove } = start();
    put(HTTP);
    put(splitter('a', 'b', 'c'));
    const before = contentHash(state);
    assert.equal(
      put(protocol('c', 'grpc')).outcome.refused,
      'discovery chain "a" uses inconsistent protocols; service "c" has "grpc" which is not "http"',
    );
    assert.equal(
      remove('proxy-defaults', 'global').outcome.refused,
      'discovery chain "a" uses a protocol "tcp" that does not permit advanced routing or splitting behavior',
    );
    assert.match(put(splitter('c', 'a')).outcome.refused ?? '', /^detected circular reference: /);
    assert.equal(contentHash(state), before);
  });

  it('are refused where a gateway would listen for another protocol than is spoken', () => {
    const { put } = start();
    put(HTTP);
    const services = [{ Name: 'web' }];
    const Listeners = [{ Port: 1, Protocol: 'http', Services: services }];
    put({ Kind: 'ingress-gateway', Name: 'in', Listeners });
    assert.equal(
      put(protocol('web', 'tcp')).outcome.refused,
      'service "web" has protocol "tcp", which does not match defined listener protocol "http"',
    );
    assert.equal(
      put({ Kind: 'terminating-gateway', Name: 'in', Services: [] }).outcome.refused,
      'cannot create a "terminating-gateway" config entry with name "in", a "ingress-gateway" config entry with that name already exists',
    );
  });

  it('are refused where defaults that say no protocol take that of all from a chain', () => {
    const { put, remove } = start();
    for (const entry of [HTTP, splitter('a', 'a', 'b')]) put(entry);
    assert.match(put(protocol('a', '')).outcome.refused ?? '', /inconsistent protocols/);
    assert.equal(put(protocol('c', '')).outcome.refused, undefined);
    assert.match(put(splitter('c', 'c')).outcome.refused ?? '', /does not permit/);
    assert.equal(remove('service-defaults', 'c').outcome.refused, undefined);
    assert.equal(put(splitter('c', 'c')).outcome.refused, undefined);
  });

  it('let services behind a listener of tcp come to speak another protocol, as in Consul', () => {
    const { put } = start();
    const gateway = (Protocol: string, Port = 1) => {
      const Listeners = [{ Port, Protocol, Services: [{ Name: 'web' }] }];
      return put({ Kind: 'ingress-gateway', Name: 'in', Listeners }).outcome.refused;
    };
    assert.equal(gateway('tcp'), undefined);
    for (const entry of [protocol('web', 'http'), HTTP, protocol('web', 'grpc')]) {
      assert.equal(put(entry).outcome.refused, undefined);
    }
    // The gateway's own entry has to fit.
    assert.match(gateway('tcp', 2) ?? '', /"grpc", which does not match .* "tcp"$/);
    assert.equal(gateway('grpc'), undefined);
    assert.match(put(protocol('web', 'http')).outcome.refused ?? '', /does not match/);
    const everything = [{ Port: 1, Protocol: 'grpc', Services: [{ Name: '*' }] }];
    const all = { Kind: 'ingress-gateway', Name: 'in', Listeners: everything };
    assert.equal(put(all).outcome.refused, undefined);
  });

  it('are mended step by step where an archive brought what never fitted together', () => {
    const { state, put, remove } = start();
    const row = (value: object) => ({ ...decodeEntry(value), CreateIndex: 1, ModifyIndex: 1 });
    // Two circles and a protocol that has nothing to split by: no one write mends all of it.
    for (const [a, b] of ['ab', 'ba', 'cd', 'dc'] as const) {
      state.configEntries.put(row(splitter(a as string, b as string)));
    }
    state.configEntries.put(row(splitter('e', 'a', 'c')));
    state.journal.commit();
    assert.equal(put(splitter('a', 'a')).outcome.refused, undefined);
    assert.equal(remove('service-splitter', 'c').outcome.refused, undefined);
    assert.equal(put(HTTP).outcome.refused, undefined);
    // From here on nothing is broken again.
    assert.match(put(splitter('a', 'b')).outcome.refused ?? '', /^detected circular reference: /);
    assert.match(put(splitter('c', 'd')).outcome.refused ?? '', /^detected circular reference: /);
    assert.match(remove('proxy-defaults', 'global').outcome.refused ?? '', /does not permit/);
  });
});
