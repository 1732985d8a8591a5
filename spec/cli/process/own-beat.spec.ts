import assert from 'node:assert/strict';
import { OwnBeat, REFUSED_MAX_MS } from '../../../cli/process/own-beat.ts';
import { noLeader, ProconsulError } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import type { BeatAnswer } from '../../../lib/membership.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const beat = { ID: 'i', Node: 'n', Address: '', Datacenter: 'dc1', LanPort: 0, Tags: {} };
const taken: BeatAnswer = { Servers: [], Known: true, NextMs: 2000 };
const refusal = new ProconsulError('rejected', 'Node name n is reserved');

describe('the beat of a server', () => {
  function start(answer: () => BeatAnswer) {
    const clock = new FakeClock();
    const heard = { unknown: 0, refused: 0, beats: 0 };
    const own = new OwnBeat({
      beat,
      take: async () => {
        heard.beats++;
        return answer();
      },
      clock,
      logger: silentLogger,
      on: { unknown: () => void heard.unknown++, refused: () => void heard.refused++ },
    });
    return { clock, heard, own };
  }

  it('goes on as often as the servers ask, and says when the catalog lacks the node', async () => {
    const { clock, heard, own } = start(() => ({ ...taken, Known: heard.beats > 1, NextMs: 3000 }));
    await own.start();
    await clock.advance(6000);
    assert.deepEqual(heard, { unknown: 1, refused: 0, beats: 3 });
    own.stop();
    assert.equal(clock.armed, 0);
  });

  it('goes on while there is no log', async () => {
    const { clock, heard, own } = start(() => {
      throw noLeader();
    });
    await own.start();
    await clock.advance(10 * REFUSED_MAX_MS);
    assert.equal(heard.refused, 0);
    own.stop();
  });

  it('ends the process where another machine keeps the name, and no sooner', async () => {
    const { clock, heard, own } = start(() => {
      throw refusal;
    });
    await own.start();
    await clock.advance(REFUSED_MAX_MS - 2000);
    assert.equal(heard.refused, 0);
    await clock.advance(4000);
    assert.equal(heard.refused, 1);
    assert.equal(clock.armed, 0);
  });

  it('ends nothing where the name is let go of in time', async () => {
    const { clock, heard, own } = start(() => {
      if (heard.beats % 10 !== 0) throw refusal;
      return taken;
    });
    await own.start();
    await clock.advance(10 * REFUSED_MAX_MS);
    assert.equal(heard.refused, 0);
    own.stop();
  });
});
