import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import type { Ask } from '../../sidecar/follow.ts';
import { ownZone } from '../../sidecar/own-zone.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

describe('the zone of a sidecar', () => {
  const zoneBy = (ask: Ask) => {
    const [clock, logger] = [new FakeClock(), new RecordingLogger()];
    const agent = { ask, clock, random: seededRandom(1) };
    return { clock, logger, zone: ownZone(agent, logger, new AbortController().signal) };
  };

  it("is that of its agent's node, or none", async () => {
    const says = (json: unknown) => zoneBy(async () => ({ index: '', json })).zone;
    assert.equal(await says({ Meta: { zone: 'a' } }), 'a');
    for (const json of [{ Meta: {} }, {}, null, { Meta: { zone: 1 } }]) {
      assert.equal(await says(json), '');
    }
  });

  it('is waited for where the agent is away, and not where the token is refused', async () => {
    let asked = 0;
    const { clock, logger, zone } = zoneBy(async () => {
      if (++asked < 3) throw new ProconsulError('unavailable', 'away');
      return { index: '', json: { Meta: { zone: 'b' } } };
    });
    await clock.untilArmed();
    await clock.advance(60_000);
    assert.equal(await zone, 'b');
    assert.equal(logger.lines.length, 1);
    const refused = zoneBy(() => Promise.reject(new ProconsulError('forbidden', 'ACL not found')));
    await assert.rejects(refused.zone, /ACL not found/);
  });
});
