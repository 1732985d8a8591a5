/** What tokens may see, and what becomes of streams when they change. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { tokenNotFound } from '../../lib/acl/refusals.ts';
import { type AccessControl, type Caller, EVERYTHING } from '../../lib/acl/rights.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { EDS, startXds, XdsClient } from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

/** Each token comes to the rights of the key that it has here. */
class Tokens implements AccessControl {
  readonly rights = new Map<string, string>();

  callerOf(token: string): Caller {
    const key = this.rights.get(token);
    if (key === undefined) throw tokenNotFound();
    return {
      rights: { ...EVERYTHING, key },
      accessorId: token,
      hearsOfHidden: false,
      stands: () => this.rights.get(token) === key,
    };
  }
}

async function setUp() {
  const access = new Tokens();
  const xds = await startXds({ access });
  xds.agent.sayInstances('web', [instance('a')]);
  const open = (token: string) => {
    const stream = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints', token);
    stream.subscribe(['web']);
    return stream;
  };
  const review = () => xds.clock.advance(1000);
  const askedBy = (token: string) => xds.agent.asked.filter((each) => each.token === token).length;
  return { access, xds, open, review, askedBy };
}

describe('tokens of streams', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('are those that the agent is asked with', async () => {
    const { access, open, askedBy } = await setUp();
    access.rights.set('t1', 'web').set('t2', 'db');
    const streams = [open('t1'), open('t2')];
    await Promise.all(streams.map((stream) => stream.answer(0)));
    assert.ok(askedBy('t1') > 0);
    assert.ok(askedBy('t2') > 0);
  });

  it('count for nothing where there is no access control, whatever a stranger sends for one', async () => {
    const xds = await startXds();
    xds.agent.sayInstances('web', [instance('a')]);
    const open = (token: string) => {
      const stream = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints', token);
      stream.subscribe(['web']);
      return stream;
    };
    for (const token of ['any', 'x'.repeat(4096)]) await open(token).answer(0);
    assert.ok(xds.agent.asked.length > 0);
    assert.ok(xds.agent.asked.every(({ token }) => token === ''));
    assert.equal(await open('x'.repeat(4097)).ended(), status.PERMISSION_DENIED);
  });

  it('are not those of others where nothing can be asked with them', async () => {
    const { access, xds, open } = await setUp();
    for (const token of ['t1', 't2', 't3', 't4']) access.rights.set(token, 'web');
    for (const token of ['t1', 't2']) xds.agent.cutOff.add(token);
    const first = open('t1');
    const others = [open('t2'), open('t3'), open('t4')];
    for (const each of [first, ...others]) {
      const { resources } = await each.answer(0);
      assert.equal(resources[0].endpoints.length, 1);
    }
    // Not with all that there may be: an agent that is away has none that helps.
    for (const token of ['t3', 't4']) xds.agent.cutOff.add(token);
    const before = xds.agent.asked.length;
    xds.agent.sayInstances('web', [instance('a', { port: 2 })]);
    await until(async () => {
      await xds.clock.advance(500);
      return xds.agent.asked.length > before;
    });
    assert.ok(xds.agent.asked.every(({ token }) => token !== 't4'));
    xds.agent.cutOff.clear();
    xds.agent.wake();
    await until(async () => {
      await xds.clock.advance(500);
      return first.told.length > 1;
    });
  });

  it('are not asked with again each second for what they may not see', async () => {
    const { access, xds, open } = await setUp();
    access.rights.set('t1', 'none');
    xds.agent.say('/v1/health/service/web', 403);
    await open('t1').answer(0);
    const asked = () => xds.agent.asked.length;
    await until(() => asked() === 2);
    for (let second = 0; second < 10; second++) await xds.clock.advance(1000);
    assert.equal(asked(), 2);
    xds.agent.sayInstances('web', [instance('a')]);
    for (let second = 0; second < 10; second++) await xds.clock.advance(1000);
    await until(() => asked() > 2);
  });

  it('end a stream where nobody knows them', async () => {
    const { open } = await setUp();
    const stream = open('none');
    assert.equal(await stream.ended(), status.PERMISSION_DENIED, stream.details);
    assert.match(stream.details, /ACL not found/);
    assert.equal(stream.told.length, 0);
  });

  it('end it when they are revoked, and nobody else who has the same rights', async () => {
    const { access, xds, open, review } = await setUp();
    access.rights.set('t1', 'web').set('t2', 'web');
    const [first, second] = [open('t1'), open('t2')];
    await first.answer(0);
    await second.answer(0);
    access.rights.delete('t1');
    xds.agent.unknown.add('t1');
    // What changes before the review is asked with the one that is good still.
    xds.agent.sayInstances('web', [instance('a', { port: 2 })]);
    const next = await second.answer(1);
    assert.equal(next.resources[0].endpoints.length, 1);
    await review();
    assert.equal(await first.ended(), status.PERMISSION_DENIED);
    xds.agent.sayInstances('web', [instance('a', { port: 3 })]);
    await second.answer(2);
  });

  it('leave what was told where nobody knows them any more: their clients keep to it', async () => {
    const { access, xds, open } = await setUp();
    access.rights.set('t1', 'web');
    const stream = open('t1');
    await stream.answer(0);
    xds.agent.unknown.add('t1');
    xds.agent.sayInstances('web', []);
    // Nobody is to look for an agent that is away.
    await until(() =>
      xds.logger.lines.some((line) => line.includes('the agent refuses the token')),
    );
    assert.ok(xds.logger.lines.every((line) => !line.includes('does not answer')));
    xds.agent.unknown.delete('t1');
    xds.agent.sayInstances('web', [instance('a', { port: 2 })]);
    await until(async () => {
      await xds.clock.advance(500);
      return stream.told.length > 1;
    });
    const told = stream.told.map(({ resources }) => resources[0].endpoints.length);
    assert.deepEqual(told, [1, 1]);
  });

  it('show at once what they come to when their rights change', async () => {
    const { access, xds, open, review, askedBy } = await setUp();
    access.rights.set('t1', 'web');
    const stream = open('t1');
    await stream.answer(0);
    const asked = askedBy('t1');
    access.rights.set('t1', 'nothing');
    xds.agent.sayInstances('web', []);
    await stream.answer(1);
    await review();
    await until(() => askedBy('t1') > asked + 1);
    xds.agent.sayInstances('web', [instance('a')]);
    assert.equal((await stream.answer(2)).resources[0].endpoints.length, 1);
  });
});
