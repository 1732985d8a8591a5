/** Nobody is told of what was: by a server that is behind, a client would be told that there are none. */
import assert from 'node:assert/strict';
import type { AskAgent } from '../../xds/questions.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { EDS, endpointsIn, startXds, XdsClient } from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

const subscribed = (port: number) => {
  const stream = new XdsClient(port).stream(EDS, 'StreamEndpoints');
  stream.subscribe(['web']);
  return stream;
};

/** Each question is answered by hand: by what it waits at, '' where it does not, and whether what is known will do. */
async function startByHand() {
  const asked: {
    seen: string;
    isStale: boolean;
    answer: (index: string, json: unknown) => void;
  }[] = [];
  const ask: AskAgent = ({ query }) =>
    new Promise((resolve) => {
      const given = new Map(query);
      const answer = (index: string, json: unknown) => {
        const status = typeof json === 'string' ? 500 : 200;
        resolve({ status, index, json, text: typeof json === 'string' ? json : 'x' });
      };
      asked.push({ seen: given.get('index') ?? '', isStale: given.has('stale'), answer });
    });
  const { port, clock } = await startXds({ ask });
  const next = async (number: number) => {
    await until(
      async () => {
        if (asked.length > number) return true;
        await clock.advance(1000);
        return false;
      },
      () => JSON.stringify(asked),
    );
    return asked[number] as (typeof asked)[number];
  };
  return { stream: subscribed(port), next };
}

describe('what clients of xDS are told', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('is nothing of a server before it knows what others have acknowledged', async () => {
    let [isAsked, caughtUp] = [false, (_: boolean) => {}];
    const { port, agent } = await startXds({
      caughtUp: () => {
        isAsked = true;
        return new Promise<boolean>((resolve) => {
          caughtUp = resolve;
        });
      },
    });
    const stream = subscribed(port);
    await until(() => isAsked);
    assert.deepEqual(agent.asked, []);
    agent.sayInstances('web', [instance('a')]);
    caughtUp(true);
    const { resources } = await stream.answer(0);
    assert.deepEqual(endpointsIn(resources[0]), ['0  10.0.0.1:80 HEALTHY 1']);
  });

  it('is nothing where nobody can say whether a server is behind, but to those that know nothing yet', async () => {
    const xds = await startXds({ caughtUp: async () => false });
    xds.agent.sayInstances('web', [instance('a')]);
    const fresh = subscribed(xds.port);
    const { version_info, resources } = await fresh.answer(0);
    assert.equal(endpointsIn(resources[0]).length, 1);
    fresh.subscribe(['web', 'other'], { version_info, response_nonce: '1' });
    await fresh.answer(1);
    const client = new XdsClient(xds.port);
    const whole = client.stream(EDS, 'StreamEndpoints');
    whole.subscribe(['web'], { version_info });
    const delta = client.stream(EDS, 'DeltaEndpoints');
    delta.send({ resource_names_subscribe: ['web'], initial_resource_versions: { web: 'x' } });
    for (const stream of [whole, delta]) {
      await stream.ended();
      assert.match(stream.details, /^No cluster leader/);
    }
  });

  it('is what is so now, and what the one that is asked knows where nobody can say', async () => {
    const { stream, next } = await startByHand();
    const first = await next(0);
    assert.deepEqual([first.seen, first.isStale], ['', false]);
    first.answer('', 'rpc error');
    const second = await next(1);
    assert.deepEqual([second.seen, second.isStale], ['', true]);
    second.answer('7', [instance('a')]);
    assert.equal(endpointsIn((await stream.answer(0)).resources[0]).length, 1);
    const third = await next(2);
    assert.deepEqual([third.seen, third.isStale], ['7', true]);
  });

  it('is not what a server says that is behind the one before it', async () => {
    const { stream, next } = await startByHand();
    (await next(0)).answer('7', [instance('a')]);
    const waits = await next(1);
    assert.equal(waits.seen, '7');
    waits.answer('5', []);
    const afresh = await next(2);
    assert.deepEqual([afresh.seen, afresh.isStale], ['', false]);
    // What is known is better than what that one knows.
    afresh.answer('', 'No cluster leader');
    const again = await next(3);
    assert.deepEqual([again.seen, again.isStale], ['', false]);
    again.answer('8', [instance('a'), instance('b', { address: '10.0.0.2' })]);
    assert.equal(endpointsIn((await stream.answer(0)).resources[0]).length, 1);
    assert.equal(endpointsIn((await stream.answer(1)).resources[0]).length, 2);
  });
});
