import assert from 'node:assert/strict';
import { chat, startTelling, target, way } from '../../support/servers/notice-targets.ts';
import { until } from '../../support/until.ts';

const SECOND = 1000;

/** A target that knows how the service is, and what else it takes. */
async function told(status?: string) {
  const at = await chat();
  const started = await startTelling();
  const { server, clock, set, knows } = started;
  if (status !== undefined) {
    await set(status);
    server.notifier.takeOver([target(at.url)]);
    await knows(status);
  } else server.notifier.takeOver([target(at.url)]);
  const row = () => [...server.state.told.values()][0];
  const once = (holds: () => boolean) =>
    until(
      async () => {
        await clock.advance(500);
        return holds();
      },
      () => JSON.stringify([at.notices(), row()]),
    );
  const said = () => at.notices().map(({ From, To }) => [From, To]);
  return { ...at, ...started, once, row, said };
}

describe('what a target may have taken', () => {
  it('is in doubt where its answer is lost, and told though the service stands as before', async () => {
    const { set, answer, once, row, said, knows } = await told('passing');
    answer.lost = true;
    await set('critical');
    await once(() => said().length > 0);
    await set('passing');
    answer.lost = false;
    await once(() => said().at(-1)?.[1] === 'passing');
    await once(() => row()?.Doubt === undefined);
    assert.deepEqual(said().at(-1), ['passing', 'passing']);
    const before = said().length;
    await set('critical');
    await knows('critical');
    assert.deepEqual(said().slice(before), [['passing', 'critical']]);
  });

  it('is in doubt where the leader ends before it has written, also for the next one', async () => {
    const { server, url, set, answer, once, row, said } = await told('passing');
    answer.held = true;
    await set('critical');
    await once(() => said().length > 0);
    const { term, server: id } = server.state.leadership;
    await server.propose({ type: 'claim-leadership', server: id, replaces: term });
    // Another process remembers nothing but the log.
    server.notifier.takeOver([target(url)]);
    await set('passing');
    answer.held = false;
    await once(() => said().at(-1)?.[1] === 'passing');
    await once(() => row()?.Doubt === undefined);
  });

  it('is in doubt where the same server leads again before the answer comes', async () => {
    const { server, set, answer, once, row, said } = await told('passing');
    answer.held = true;
    await set('critical');
    await once(() => said().length > 0);
    const { term, server: id } = server.state.leadership;
    await server.propose({ type: 'claim-leadership', server: id, replaces: term });
    await set('passing');
    answer.held = false;
    await once(() => said().at(-1)?.[1] === 'passing');
    await once(() => row()?.Doubt === undefined);
  });

  it('is in doubt where it fails at it, and not where it says that it does not take it', async () => {
    for (const [status, expected] of [
      [500, [['passing', 'passing']]],
      [404, []],
    ] as const) {
      const { clock, set, answer, once, row, said, paths } = await told('passing');
      answer.status = status;
      await set('critical');
      await once(() => paths.length > 0);
      assert.equal(row()?.Doubt, true);
      await set('passing');
      await clock.advance(500);
      answer.status = 200;
      await once(() => row()?.Doubt === undefined);
      await clock.advance(10 * SECOND);
      assert.deepEqual(said(), expected);
    }
  });

  it('stays in doubt where it refuses the same the next time', async () => {
    const { set, answer, once, said, paths } = await told('passing');
    answer.lost = true;
    await set('critical');
    await once(() => said().length > 0);
    answer.status = 404;
    answer.lost = false;
    const asked = paths.length;
    await once(() => paths.length > asked);
    await set('passing');
    answer.status = 200;
    await once(() => said().at(-1)?.[1] === 'passing');
  });

  it('of a service that was new is taken back, and that it has gone again is told', async () => {
    for (const then of ['passing', 'absent'] as const) {
      const { server, set, gone, answer, once, said, row } = await told();
      answer.lost = true;
      await set('critical');
      await once(() => said().length > 0);
      assert.deepEqual([row()?.Status, row()?.Doubt], ['absent', true]);
      await (then === 'absent' ? gone() : set(then));
      answer.lost = false;
      await once(() => said().at(-1)?.[1] === then);
      await once(() => row()?.Doubt === undefined);
      assert.equal(server.state.told.size, then === 'absent' ? 0 : 1);
    }
  });

  it('as an alert ends, whichever it was', async () => {
    const { url, bodies, answer } = await chat();
    const { server, clock, set } = await startTelling();
    await set('passing');
    server.notifier.takeOver([target(url, way('alertmanager', url))]);
    await until(async () => {
      await clock.advance(500);
      return server.state.told.size > 0;
    });
    answer.lost = true;
    await set('critical');
    await until(async () => {
      await clock.advance(500);
      return bodies.length > 0;
    });
    await set('passing');
    answer.lost = false;
    const alerts = () =>
      (JSON.parse(bodies.at(-1) ?? '[]') as { endsAt: string; labels: { severity: string } }[])
        .filter(({ endsAt }) => Date.parse(endsAt) <= clock.now())
        .map(({ labels }) => labels.severity);
    await until(async () => {
      await clock.advance(500);
      return alerts().length > 0;
    });
    assert.deepEqual(alerts(), ['warning', 'critical']);
  });
});
