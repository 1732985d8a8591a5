/** What a sync says of itself in the catalog. */
import assert from 'node:assert/strict';
import type { CatalogRequest } from '../../kubernetes/catalog.ts';
import { Presence } from '../../kubernetes/presence.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { until } from '../support/until.ts';

function started(owner = 'o') {
  const clock = new FakeClock();
  const asked: CatalogRequest[] = [];
  const ask = async (request: CatalogRequest, signal: AbortSignal) => {
    asked.push(request);
    if (there.hangs(asked.length)) await ended(signal);
    if (there.fails) throw new ProconsulError('unavailable', 'away');
    return { status: there.status, index: '1', text: '', json: there.json };
  };
  const there = {
    json: undefined as unknown,
    status: 200,
    fails: false,
    hangs: (_: number) => false,
  };
  const doubt = { why: '' };
  const self = { node: 'n', owner, instance: 'a', leaseMs: 1000 };
  const deps = { catalog: { ask }, clock, logger: silentLogger };
  return { clock, asked, doubt, there, presence: new Presence(deps, self, () => doubt.why) };
}

async function ended(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw new ProconsulError('unavailable', 'aborted');
}

describe('a sync in the catalog', () => {
  it('begins critical, so that no session of before goes on, and passes by its first beat', async () => {
    const { asked, presence } = started();
    await presence.register(new AbortController().signal);
    const [put, beat] = asked;
    const { Check } = (put?.body ?? {}) as { Check?: { Status: string } };
    assert.equal(Check?.Status, 'critical');
    assert.equal(beat?.path, '/v1/agent/check/pass/service%3Aproconsul-k8s-sync-a%40o');
  });

  it('has a place of its own beside one of another owner on the same host', () => {
    const of = (owner: string) => started(owner).presence.id;
    assert.notEqual(of('o'), of('x'));
    assert.equal(of('k8s-sync'), 'proconsul-k8s-sync-a');
  });

  it('is told anew once a beat finds it lost, and waits where that does not help', async () => {
    const { clock, asked, presence, there } = started();
    const ending = new AbortController();
    there.status = 404;
    const registered = presence.register(ending.signal);
    await clock.untilArmed();
    assert.equal(asked.length, 2);
    ending.abort();
    await registered;
  });

  it('takes out those that died, and goes on where it may not', async () => {
    const { presence, there, asked } = started();
    const { signal } = new AbortController();
    const dead = (id: string) => ({
      Node: { Node: 'n' },
      Service: { ID: `proconsul-k8s-sync-${id}`, Meta: { 'k8s-sync-for': 'o' } },
      Checks: [{ CheckID: `service:proconsul-k8s-sync-${id}`, Status: 'critical' }],
    });
    there.json = [dead('b'), dead('c')];
    const out = () =>
      asked.flatMap(({ path, body }) =>
        path === '/v1/catalog/deregister' ? [(body as { ServiceID: string }).ServiceID] : [],
      );
    assert.equal((await presence.removeDead(['proconsul-k8s-sync-c'], signal)).length, 2);
    assert.deepEqual(out(), ['proconsul-k8s-sync-c']);
    there.fails = true;
    assert.deepEqual(await presence.removeDead(['x'], signal), ['x']);
    there.fails = false;
    await presence.removeDead(undefined, signal);
    assert.equal(out().length, 3);
  });

  it('lives as a warning, with why, while it is of no use', async () => {
    const { clock, asked, doubt, presence } = started();
    const ending = new AbortController();
    const ran = presence.run(ending.signal, new AbortController().signal);
    const says = (what: string) =>
      until(async () => {
        await clock.advance(250);
        return asked.at(-1)?.path.includes(`/check/${what}/`) === true;
      });
    await says('pass');
    doubt.why = 'cannot read the cluster';
    await says('warn');
    assert.deepEqual(asked.at(-1)?.query, [
      ['node', 'n'],
      ['note', 'cannot read the cluster'],
    ]);
    doubt.why = '';
    await says('pass');
    ending.abort();
    await ran;
  });

  it('knows whether another of its owner is well: by the check of that one, and on this node', async () => {
    const { presence, there } = started();
    const { signal } = new AbortController();
    const other = (Status: string, { id = 'b', owner = 'o', node = 'n' } = {}) => ({
      Node: { Node: node },
      Service: { ID: `proconsul-k8s-sync-${id}`, Meta: { 'k8s-sync-for': owner } },
      Checks: [
        { CheckID: '_node_maintenance', Status: 'critical' },
        { CheckID: `service:proconsul-k8s-sync-${id}`, Status },
      ],
    });
    for (const [isWell, all] of [
      [true, [other('passing')]],
      [true, [other('warning', { id: 'c' }), other('passing')]],
      [false, [other('warning'), other('critical', { id: 'c' })]],
      [false, [other('passing', { id: 'a@o' })]],
      [false, [other('passing', { owner: 'x' }), other('passing', { node: 'x' })]],
      [false, undefined],
    ] as const) {
      there.json = all;
      assert.equal(await presence.isAnotherWell(signal), isWell, JSON.stringify(all));
    }
  });

  it('is heard though every third of its beats comes to a server that hangs', async () => {
    const { clock, presence, there } = started();
    const ending = new AbortController();
    there.hangs = (number) => number % 3 === 0;
    await presence.register(ending.signal);
    const ran = presence.run(ending.signal, new AbortController().signal);
    for (let i = 0; i < 100; i++) {
      await clock.advance(50);
      assert.deepEqual([presence.isSilent, presence.isThere], [false, true], String(i));
    }
    there.hangs = () => false;
    ending.abort();
    await ran;
    assert.equal(clock.armed, 0);
  });

  it('knows that it is not heard, before its lease is over: counted from when the last beat was sent', async () => {
    const { clock, presence, there } = started();
    const ending = new AbortController();
    assert.equal(presence.isSilent, true);
    await presence.register(ending.signal);
    const ran = presence.run(ending.signal, new AbortController().signal);
    await clock.advance(100);
    there.hangs = () => true;
    await clock.advance(790);
    assert.equal(presence.isSilent, false);
    await clock.advance(20);
    assert.equal(presence.isSilent, true);
    await clock.advance(1000);
    assert.equal(presence.isThere, false);
    there.hangs = () => false;
    await clock.advance(250);
    assert.deepEqual([presence.isSilent, presence.isThere], [false, true]);
    ending.abort();
    await ran;
  });

  it('is told anew once, though several beats find it lost: what rests on its check ends each time', async () => {
    const { clock, asked, presence, there } = started();
    const ending = new AbortController();
    await presence.register(ending.signal);
    there.status = 404;
    there.hangs = (number) => asked[number - 1]?.path === '/v1/catalog/register';
    const ran = presence.run(ending.signal, new AbortController().signal);
    await clock.advance(900);
    assert.equal(asked.filter(({ path }) => path === '/v1/catalog/register').length, 2);
    there.status = 200;
    there.hangs = () => false;
    ending.abort();
    await ran;
  });
});
