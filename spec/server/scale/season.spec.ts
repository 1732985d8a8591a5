import assert from 'node:assert/strict';
import {
  type Forecast,
  forecast,
  noted,
  type Season,
  SLOTS,
} from '../../../server/scale/season.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';

const DAY = 24 * 3_600_000;
const SLOT = DAY / SLOTS;

/** A day with a peak at noon. */
function load(t: number): number {
  return 10 + 8 * Math.sin(2 * Math.PI * (t / DAY - 0.25));
}

function seenFor(slots: number, of: (t: number) => number | undefined): Season {
  let season: Season | undefined;
  for (let at = 0; at <= slots * SLOT; at += SLOT / 2) {
    season = noted(season, { seasonMs: DAY, t: at, value: of(at) });
  }
  return season as Season;
}

const expected = (season: Season, now: number, aheadMs: number) =>
  forecast(season, now, aheadMs) as Forecast;

describe(`what comes again (seed ${SEED})`, () => {
  it('is predicted once a whole season was seen, and not before', () => {
    assert.equal(forecast(seenFor(SLOTS - 1, load), (SLOTS - 1) * SLOT, SLOT), undefined);
    assert.ok(forecast(seenFor(SLOTS + 1, load), (SLOTS + 1) * SLOT, SLOT));
  });

  it('is predicted to within a tenth, an hour ahead, with noise of a tenth', () => {
    const random = seededRandom(SEED);
    const noisy = (t: number) => load(t) * (0.9 + 0.2 * random.next());
    let worst = 0;
    for (let slot = 2 * SLOTS; slot < 3 * SLOTS; slot += 6) {
      const now = slot * SLOT;
      const { value, at } = expected(seenFor(slot, noisy), now, 6 * SLOT);
      assert.ok(at >= now && at <= now + 6 * SLOT);
      const most = Math.max(...Array.from({ length: 7 }, (_, i) => load(now + i * SLOT)));
      worst = Math.max(worst, Math.abs(value - most) / 18);
    }
    assert.ok(worst < 0.1, `${worst}`);
  });

  it('follows what grows, and levels off where it ends', () => {
    const grown = (t: number) => load(t) * (t < 3 * DAY ? 1 : 2);
    const season = seenFor(6 * SLOTS, grown);
    const noon = 6 * DAY + DAY / 2;
    const { value } = expected(
      noted(season, { seasonMs: DAY, t: noon, value: undefined }),
      noon,
      SLOT,
    );
    assert.ok(value > 30 && value < 42, `${value}`);
  });

  it('is the same after a time of which nobody told anything, and forgotten after a season of it', () => {
    const gap = (t: number) => (t > 2 * DAY && t < 2.3 * DAY ? undefined : load(t));
    const { value } = expected(seenFor(2.4 * SLOTS, gap), 2.4 * DAY, SLOT);
    assert.ok(Math.abs(value - load(2.4 * DAY)) < 2, `${value}`);
    const old = seenFor(2 * SLOTS, load);
    assert.equal(forecast(old, 4 * DAY, SLOT), undefined);
    const anew = noted(old, { seasonMs: DAY, t: 4 * DAY, value: 1 });
    assert.equal(anew.known, 5 * SLOTS);
  });

  it('begins anew with another season, and is never below nothing', () => {
    const old = seenFor(2 * SLOTS, load);
    const other = noted(old, { seasonMs: 7 * DAY, t: 2 * DAY, value: 1 });
    assert.equal(forecast(other, 2 * DAY, SLOT), undefined);
    const falling = seenFor(2 * SLOTS, (t) => Math.max(0, 10 - (20 * t) / (2 * DAY)));
    assert.equal(expected(falling, 2 * DAY, 10 * SLOT).value >= 0, true);
  });
});
