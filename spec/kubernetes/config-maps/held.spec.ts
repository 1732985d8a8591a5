/** A prefix that has nothing any more: its keys were taken out, or its store has lost them. */
import assert from 'node:assert/strict';
import { startPairWorld } from '../../support/kubernetes/pair-world.ts';
import type { Instead, Sync } from '../../support/kubernetes/syncs.ts';
import { until } from '../../support/until.ts';

function isHeld({ sync }: Sync): boolean {
  const held = sync.metrics().find(({ name }) => name === 'proconsul.k8s.held');
  const readings = held?.kind === 'gauge' ? held.read() : [];
  return typeof readings !== 'number' && readings.some(({ value }) => value === 1);
}

async function started() {
  const world = await startPairWorld('from-kv');
  const names = ['a', 'b', 'c'];
  for (const name of names) await world.set(name, '1');
  await world.untilData({ a: '1', b: '1', c: '1' });
  return { ...world, names };
}

describe('a small ConfigMap whose keys are gone', () => {
  it('is emptied at once where they went before the eyes of whoever has the turn', async () => {
    const { names, drop, untilData, first } = await started();
    for (const name of names) await drop(name);
    await untilData({});
    assert.equal(isHeld(first), false);
  });

  it('is held by whoever finds them gone when its turn begins, and what is put meanwhile comes', async () => {
    const { names, drop, set, data, untilData, first, next } = await started();
    await first.stop();
    for (const name of names) await drop(name);
    const second = next('b');
    await until(
      () => isHeld(second),
      () => second.logger.lines.join('\n'),
    );
    assert.deepEqual(data(), { a: '1', b: '1', c: '1' });
    await set('a', '2');
    await untilData({ a: '2', b: '1', c: '1' });
    await set('d', '1');
    await untilData({ a: '2', d: '1' });
  });

  it('is held where one of them is left, as in a store that came back empty and was written to since', async () => {
    const { names, drop, set, data, first, next } = await started();
    await first.stop();
    for (const name of names.slice(1)) await drop(name);
    const second = next('b');
    await until(
      () => isHeld(second),
      () => second.logger.lines.join('\n'),
    );
    assert.deepEqual(data(), { a: '1', b: '1', c: '1' });
    // The turn ends, and with it what was believed of what it saw.
    const json = { Errors: [{ OpIndex: 0, What: 'no session' }] };
    second.instead = ({ path }) =>
      path === '/v1/txn' ? { status: 409, index: '', text: JSON.stringify(json), json } : undefined;
    await set('a', '2');
    await until(
      () => !isHeld(second),
      () => second.logger.lines.join('\n'),
    );
  });

  it('is held where the store knows no more of the turn, as one that has come back empty', async () => {
    const { data, set, first } = await started();
    const nothing = { status: 404, index: '9', text: '', json: undefined };
    const json = { Errors: [{ OpIndex: 0, What: 'no session' }] };
    const refused = [{ status: 409, index: '', text: JSON.stringify(json), json }];
    const instead: Instead = ({ path, body }) => {
      if (path === '/v1/kv/app/web/') return nothing;
      const isCheck = path === '/v1/txn' && (body as readonly unknown[]).length === 1;
      return isCheck ? refused.pop() : undefined;
    };
    first.instead = instead;
    // Ends the question that waits.
    await set('a', '2');
    const told = () => first.logger.lines.join('\n');
    await until(() => /the lock is another's: no session/.test(told()), told);
    await until(() => isHeld(first), told);
    assert.deepEqual(Object.keys(data() ?? {}), ['a', 'b', 'c']);
  });
});
