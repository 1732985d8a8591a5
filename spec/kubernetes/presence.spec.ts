/** What a sync says of itself in the catalog. */
import assert from 'node:assert/strict';
import type { CatalogRequest } from '../../kubernetes/catalog.ts';
import { Presence } from '../../kubernetes/presence.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { until } from '../support/until.ts';

function started() {
  const clock = new FakeClock();
  const asked: CatalogRequest[] = [];
  const ask = async (request: CatalogRequest) => {
    asked.push(request);
    if (there.fails) throw new ProconsulError('unavailable', 'away');
    return { status: there.status, index: '1', text: '', json: there.json };
  };
  const there = { json: undefined as unknown, status: 200, fails: false };
  const doubt = { why: '' };
  const self = { node: 'n', owner: 'o', instance: 'a', leaseMs: 1000 };
  const deps = { catalog: { ask }, clock, logger: silentLogger };
  return { clock, asked, doubt, there, presence: new Presence(deps, self, () => doubt.why) };
}

describe('a sync in the catalog', () => {
  it('begins critical, so that no session of before goes on, and passes by its first beat', async () => {
    const { asked, presence } = started();
    await presence.register(new AbortController().signal);
    const [put, beat] = asked;
    const { Check } = (put?.body ?? {}) as { Check?: { Status: string } };
    assert.equal(Check?.Status, 'critical');
    assert.equal(beat?.path, '/v1/agent/check/pass/service%3Aproconsul-k8s-sync-a');
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
      [false, [other('passing', { id: 'a' })]],
      [false, [other('passing', { owner: 'x' }), other('passing', { node: 'x' })]],
      [false, undefined],
    ] as const) {
      there.json = all;
      assert.equal(await presence.isAnotherWell(signal), isWell, JSON.stringify(all));
    }
  });
});
