import assert from 'node:assert/strict';
import type { Answer, Ask } from '../../../sidecar/follow.ts';
import { Permissions } from '../../../sidecar/mesh/permissions.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { until } from '../../support/until.ts';

const WEB = 'spiffe://mesh.consul/ns/default/dc/dc1/svc/web';

/** An agent that answers when the spec says so. */
function start() {
  const asked: ((isAllowed: boolean, more?: object) => void)[] = [];
  const looks: ((index: string) => void)[] = [];
  const ask: Ask = ({ path }) =>
    new Promise<Answer>((resolve) => {
      if (path.endsWith('/intentions')) looks.push((index) => resolve({ index, json: [] }));
      else asked.push((Authorized, more) => resolve({ index: '', json: { Authorized, ...more } }));
    });
  const clock = new FakeClock();
  const agent = { ask, clock, random: seededRandom(1) };
  const logger = new RecordingLogger();
  const permissions = new Permissions({ service: 'db', agent, logger });
  const ending = new AbortController();
  void permissions.follow(ending.signal);
  return { permissions, logger, asked, looks, ending };
}

describe('Permissions', () => {
  it('go by no answer to a question from before a change', async () => {
    const { permissions, asked, looks, ending } = start();
    const isAllowed = permissions.isAllowed(WEB);
    looks[0]?.('7');
    await until(() => looks.length === 2);
    // It was under way as somebody denied the call.
    asked[0]?.(true);
    await until(() => asked.length === 2);
    asked[1]?.(false);
    assert.equal(await isAllowed, false);
    assert.equal(await permissions.isAllowed(WEB), false);
    assert.equal(asked.length, 2);
    ending.abort();
  });

  it('come to an end where the intentions never stand still', async () => {
    const { permissions, asked, looks, ending } = start();
    const isAllowed = permissions.isAllowed(WEB);
    for (let i = 0; i < 5; i++) {
      await until(() => asked.length > i && looks.length > i);
      looks[i]?.(`${i + 1}`);
      await until(() => looks.length > i + 1);
      asked[i]?.(i === 4);
    }
    assert.equal(await isAllowed, true);
    ending.abort();
  });

  it('say once in the log which of them cannot be judged by, and deny whom it may be about', async () => {
    const { permissions, logger, asked, ending } = start();
    const HTTP = { PathRegex: '/[a-z]{300}' };
    const Permissions = [
      { Action: 'deny', HTTP },
      { Action: 'allow', HTTP: { PathPrefix: '/' } },
    ];
    for (const i of [0, 1]) {
      const verdict = permissions.verdictOn(`${WEB}-${i}`);
      asked[i]?.(false, { Permissions });
      const list = await verdict;
      const request = { method: 'GET', path: '/', authority: 'x', fields: [] };
      assert.equal(typeof list !== 'boolean' && list.permitted(request), 'denied');
    }
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines[0] ?? '', /^warn .*service=db.*\{300\}.*denies everybody/);
    ending.abort();
  });
});
