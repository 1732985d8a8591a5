/** What is sent to a server that is behind is answered as one that is not would answer it. */
import assert from 'node:assert/strict';
import { BEAT_PATH, FORCE_LEAVE_PATH } from '../../../lib/membership.ts';
import { SharedLog } from '../../support/fakes/shared-log.ts';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
const BEAT = {
  ...{ ID: '00000000-0000-4000-8000-0000000000f1', Node: 'n1', Datacenter: 'dc1' },
  ...{ Address: '10.0.0.1', LanPort: 8301, Tags: {} },
};

describe('a server that is behind', () => {
  /** One that is up to date, and what another one answers that hears of the rest while it is asked. */
  async function start() {
    const log = new SharedLog();
    const [ahead, behind] = [log.member(), log.member()];
    const here = await startServerWith({ wrap: () => ahead, seed: 1 });
    const there = await startServerWith({ wrap: () => behind, seed: 2 });
    behind.isBehind = true;
    const asked = async (path: string, body: object) => {
      const { armed } = there.clock;
      let isAnswered = false;
      const answer = there.put(path, body).finally(() => {
        isAnswered = true;
      });
      await until(() => isAnswered || there.clock.armed > armed);
      behind.isBehind = false;
      behind.follow();
      return await answer;
    };
    return { here, asked };
  }

  it('takes the coordinates of a node that it has not heard of yet', async () => {
    const { here, asked } = await start();
    await here.put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1' });
    assert.equal((await asked('/v1/coordinate/update', { Node: 'n1', Coord })).status, 200);
    assert.equal((await here.get('/v1/coordinate/node/n1')).status, 200);
  });

  it('knows of an agent that is to be forced out', async () => {
    const { here, asked } = await start();
    assert.equal((await here.put(BEAT_PATH, BEAT)).status, 200);
    const { status, text } = await asked(FORCE_LEAVE_PATH, { Node: 'n1', Prune: false });
    assert.equal(status, 200, text);
  });
});
