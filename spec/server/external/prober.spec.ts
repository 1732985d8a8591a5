/** Which server looks at what, and what of it comes into the catalog: several servers on one log. */
import assert from 'node:assert/strict';
import { SERVER_ROLE } from '../../../lib/membership.ts';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import type { Command } from '../../../server/commands.ts';
import { Findings } from '../../../server/external/findings.ts';
import type { Found, Lookout, Sight } from '../../../server/external/lookout.ts';
import { Prober } from '../../../server/external/prober.ts';
import { History } from '../../support/experiments/history.ts';
import { checkNamed, nodeNamed, registerOn, serviceNamed } from '../../support/factories.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

const HTTP = { HTTP: 'http://10.0.0.9/', Interval: '10s' };
const META = { 'external-node': 'true' };
const OUTPUT_MS = 300_000;

const passing = (output = ''): Sight => ({ status: 'passing', output });
const critical = (output = ''): Sight => ({ status: 'critical', output });

/** Looks when a spec says so. */
class FakeLookout implements Lookout {
  readonly watches = new Map<string, Found>();
  begun = 0;

  watchCheck(node: string, { CheckID }: { readonly CheckID: string }, found: Found) {
    return this.#watch(`${node}/${CheckID}`, found);
  }

  watchNode({ node, ports }: Parameters<Lookout['watchNode']>[0], found: Found) {
    return this.#watch(`${node}:${ports.join()}`, found);
  }

  #watch(what: string, found: Found) {
    this.begun++;
    this.watches.set(what, found);
    return () => void (this.watches.get(what) === found && this.watches.delete(what));
  }

  get seen(): string[] {
    return [...this.watches.keys()].sort();
  }
}

function start(...ids: string[]) {
  const clock = new FakeClock();
  const history = new History();
  const commands: Command[] = [];
  const logger = new RecordingLogger();
  const state = () => history.state;
  const propose = async (command: Command) => {
    commands.push(command);
    return history.run(command).outcome;
  };
  const store = new MemoryLeases(clock);
  const servers = ids.map((server) => {
    const lookout = new FakeLookout();
    /** A server that nobody hears of any more. */
    const leases = {
      silent: false,
      asked: 0,
      renew: async (id: string, ms: number) => {
        leases.asked++;
        if (!leases.silent) await store.renew(id, ms);
      },
      left: (id: string) => {
        leases.asked++;
        return store.left(id);
      },
      drop: (id: string) => store.drop(id),
    };
    const findings = new Findings({ state, propose, clock, logger, outputMs: OUTPUT_MS });
    const prober = new Prober({ server, state, leases, findings, lookout, clock, logger });
    return { server, lookout, prober, leases };
  });
  const alive = (id: string) => {
    const Tags = { role: SERVER_ROLE };
    const member = { ID: id, Node: id, Address: '10.0.0.1', Port: 8301, Tags };
    history.run({ type: 'member-alive', member });
  };
  for (const id of ids) alive(id);
  const external = (name: string, over: object = {}, meta: Record<string, string> = META) =>
    history.run(
      registerOn(name, {
        node: nodeNamed(name, { Meta: meta }),
        service: serviceNamed('web'),
        checks: [checkNamed('h', { ServiceID: 'web', Definition: HTTP, ...over })],
      }),
    );
  const fail = (...nodes: string[]) => history.run({ type: 'members-failed', term: 0, nodes });
  const row = (node: string, id = 'h') => history.state.catalog.check(node, id);
  for (const { prober } of servers) prober.start();
  const first = servers[0] ?? assert.fail('no server');
  return { clock, history, commands, logger, servers, alive, external, fail, row, ...first };
}

/** They hear of one another once in a second. */
const tick = (clock: FakeClock) => clock.advance(2000);

describe('the servers that look at external nodes', () => {
  it('share them, each node with one of them, and take over those of a server that fails', async () => {
    const { clock, servers, external, fail } = start('a', 'b', 'c');
    const names = Array.from({ length: 60 }, (_, i) => `ext${i}`);
    for (const name of names) external(name);
    await tick(clock);
    const all = () => servers.flatMap(({ lookout }) => lookout.seen).sort();
    assert.deepEqual(all(), names.map((name) => `${name}/h`).sort());
    for (const { lookout } of servers) assert(lookout.watches.size > 5, `${lookout.watches.size}`);
    const kept = servers[1]?.lookout.seen ?? [];
    fail('a');
    servers[0]?.prober.stop();
    await tick(clock);
    assert.deepEqual(all(), names.map((name) => `${name}/h`).sort());
    const now = new Set(servers[1]?.lookout.seen);
    assert(kept.every((each) => now.has(each)));
  });

  it('say that they look, and ask who else does, only where there is anything to be looked at', async () => {
    const { clock, servers, external, history } = start('a', 'b');
    const asked = () => servers.reduce((all, { leases }) => all + leases.asked, 0);
    await clock.advance(10_000);
    assert.equal(asked(), 0);
    for (let i = 0; i < 20; i++) external(`ext${i}`);
    await tick(clock);
    assert.equal(
      servers.reduce((all, { lookout }) => all + lookout.watches.size, 0),
      20,
    );
    for (let i = 0; i < 20; i++) history.run({ type: 'deregister', node: `ext${i}` });
    await tick(clock);
    const before = asked();
    await clock.advance(10_000);
    assert.equal(asked(), before);
  });

  it('take over within five seconds from one that nobody hears of, whatever the log says yet', async () => {
    const { clock, servers, external } = start('a', 'b');
    for (let i = 0; i < 20; i++) external(`ext${i}`);
    await tick(clock);
    const [a, b] = servers;
    assert((b?.lookout.watches.size ?? 20) < 20);
    if (a !== undefined) a.leases.silent = true;
    await clock.advance(6000);
    assert.equal(b?.lookout.watches.size, 20);
  });

  it('leave out one that lives and does not look', async () => {
    const { clock, lookout, external, alive } = start('a');
    alive('b');
    for (let i = 0; i < 20; i++) external(`ext${i}`);
    await tick(clock);
    assert.equal(lookout.watches.size, 20);
  });

  it('look at HTTP and TCP checks of external nodes alone, and at nothing that an agent sees to', async () => {
    const { clock, lookout, external, history, prober } = start('a');
    external('ext1');
    external('plain', {}, {});
    external('ext2', { Definition: { TTL: '10s' } });
    external('ext3', { Definition: { GRPC: 'x:1', Interval: '10s' } });
    external('ext4', { CheckID: 't', Definition: { TCP: '10.0.0.9:1' } });
    external('ext5');
    history.run(registerOn('ext5', { skipNodeUpdate: true, checks: [checkNamed('serfHealth')] }));
    await tick(clock);
    assert.deepEqual(lookout.seen, ['ext1/h', 'ext4/t']);
    assert.equal(prober.size, 2);
  });

  it('leave all of them to a consul-esm that is registered', async () => {
    const { clock, lookout, external, history, logger } = start('a');
    external('ext1');
    history.register('m', { service: serviceNamed('consul-esm') });
    await tick(clock);
    assert.deepEqual(lookout.seen, []);
    assert.match(logger.lines.join('\n'), /left to consul-esm/);
    history.run({ type: 'deregister', node: 'm' });
    await tick(clock);
    assert.deepEqual(lookout.seen, ['ext1/h']);
  });

  it('go on through changes of how a check stands, and begin anew with another definition', async () => {
    const { clock, lookout, external } = start('a');
    external('ext1');
    await tick(clock);
    external('ext1', { Status: 'critical' });
    await tick(clock);
    assert.equal(lookout.begun, 1);
    external('ext1', { Definition: { ...HTTP, Interval: '20s' } });
    await tick(clock);
    assert.equal(lookout.begun, 2);
    external('ext1', { Definition: {} });
    await tick(clock);
    assert.deepEqual(lookout.seen, []);
  });

  it('leave no timer behind', () => {
    const { clock, prober } = start('a');
    prober.stop();
    prober.stop();
    assert.equal(clock.armed, 0);
  });
});

describe('what is seen of an external node', () => {
  async function looked() {
    const started = start('a', 'b');
    started.fail('b');
    started.external('ext1');
    await tick(started.clock);
    const see = async (sight: Sight, what = 'ext1/h') => {
      started.lookout.watches.get(what)?.(sight);
      await settle();
    };
    return { ...started, see };
  }

  it('is written when the status changes, and told', async () => {
    const { see, row, commands, logger } = await looked();
    await see(critical('refused'));
    assert.equal(row('ext1')?.Status, 'critical');
    assert.equal(row('ext1')?.Output, 'refused');
    await see(critical('refused'));
    assert.equal(commands.length, 1);
    assert.match(logger.lines.join('\n'), /Check is now critical/);
    await see(passing('ok'));
    assert.equal(row('ext1')?.Status, 'passing');
  });

  it('is written where only the output is new once in five minutes', async () => {
    const { see, row, clock } = await looked();
    await see(passing('1'));
    await see(passing('2'));
    assert.equal(row('ext1')?.Output, '1');
    await clock.advance(OUTPUT_MS);
    await see(passing('3'));
    assert.equal(row('ext1')?.Output, '3');
  });

  it('keeps what is registered of the check', async () => {
    const { see, row } = await looked();
    const before = row('ext1');
    await see(critical('no'));
    assert.deepEqual(
      { ...row('ext1'), ModifyIndex: 0 },
      { ...before, Status: 'critical', Output: 'no', ModifyIndex: 0 },
    );
  });

  it('is not written over what somebody else has written since', async () => {
    const { history, row, clock, logger } = await looked();
    // Another server that looks too: what it has seen comes to the log later.
    let held: () => void = () => undefined;
    const propose = async (command: Command) => {
      await new Promise<void>((resolve) => {
        held = resolve;
      });
      return history.run(command).outcome;
    };
    const state = () => history.state;
    const other = new Findings({ state, propose, clock, logger, outputMs: OUTPUT_MS });
    const seen = row('ext1') ?? assert.fail('no check');
    const late = other.ofCheck(seen, critical('late'));
    history.run(
      registerOn('ext1', {
        skipNodeUpdate: true,
        checks: [checkNamed('h', { ServiceID: 'web', Definition: HTTP, Status: 'warning' })],
      }),
    );
    held();
    await late;
    assert.equal(row('ext1')?.Status, 'warning');
  });

  it('does not bring back a node, a check or a definition that is gone', async () => {
    const { lookout, history, row, external } = await looked();
    const late = lookout.watches.get('ext1/h') ?? assert.fail('nobody looks');
    external('ext1', { Definition: { ...HTTP, HTTP: 'http://10.0.0.10/' } });
    late(critical('of the old one'));
    await settle();
    assert.equal(row('ext1')?.Status, 'passing');
    history.run({ type: 'deregister', node: 'ext1' });
    late(critical('of one that is gone'));
    await settle();
    assert.equal(history.state.catalog.node('ext1'), undefined);
  });

  it('is one write at a time, and none is owed while the log is away', async () => {
    const { history, row, clock, logger } = await looked();
    let asked = 0;
    const propose = async () => {
      asked++;
      throw new Error('away');
    };
    const state = () => history.state;
    const findings = new Findings({ state, propose, clock, logger, outputMs: OUTPUT_MS });
    const seen = row('ext1') ?? assert.fail('no check');
    await Promise.all([findings.ofCheck(seen, critical()), findings.ofCheck(seen, critical())]);
    assert.equal(asked, 1);
    await findings.ofCheck(seen, critical());
    assert.equal(asked, 2);
  });
});

describe('whether an external node lives', () => {
  const PROBED = { ...META, 'external-probe': 'true' };

  it('is looked at where its meta asks for it, at the ports that are its own', async () => {
    const { clock, lookout, external, history, row } = start('a');
    external('ext1', {}, PROBED);
    const elsewhere = serviceNamed('far', { Address: '10.9.9.9', Port: 99 });
    history.run(registerOn('ext1', { skipNodeUpdate: true, service: elsewhere }));
    await tick(clock);
    assert.deepEqual(lookout.seen, ['ext1/h', 'ext1:80']);
    lookout.watches.get('ext1:80')?.(critical('Node not live or unreachable'));
    await settle();
    const { Name, Status, ServiceID } = row('ext1', 'externalNodeHealth') ?? assert.fail();
    assert.deepEqual(
      { Name, Status, ServiceID },
      {
        Name: 'External Node Status',
        Status: 'critical',
        ServiceID: '',
      },
    );
    await tick(clock);
    assert.equal(lookout.begun, 2);
  });

  it('makes no node anew that is gone', async () => {
    const { clock, lookout, external, history } = start('a');
    external('ext1', {}, PROBED);
    await tick(clock);
    history.run({ type: 'deregister', node: 'ext1' });
    lookout.watches.get('ext1:80')?.(passing());
    await settle();
    assert.equal(history.state.catalog.node('ext1'), undefined);
  });
});
