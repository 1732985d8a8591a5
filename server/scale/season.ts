/**
 * What comes again: Holt-Winters, additive, with a trend that dies away. A season has 144 slots (ten minutes
 * of a day), and what was measured within a slot counts as its mean. Nothing but the four operations, which
 * every machine does alike: the state is made of it.
 */

export const SLOTS = 144;
/**
 * How much of what is new goes into the level, the trend and the slot. A level that follows within hours
 * would take from the slots what comes each day; what is new today, the measures themselves say.
 */
const [ALPHA, BETA, GAMMA] = [0.03, 0.01, 0.35];
/** What is left of the trend a slot later. */
const DAMPED = 0.9;

export interface Season {
  readonly ms: number;
  /** Of the slot that is being measured: how many there were before it since 1970. */
  readonly slot: number;
  readonly sum: number;
  readonly count: number;
  readonly level: number;
  readonly trend: number;
  /** How far each slot is from the level; until a first season is over, what was measured; null for nothing. */
  readonly slots: readonly (number | null)[];
  /** The slot at which a whole season is known. */
  readonly known: number;
}

export interface Noted {
  readonly seasonMs: number;
  readonly t: number;
  readonly value: number | undefined;
}

export function noted(before: Season | undefined, { seasonMs, t, value }: Noted): Season {
  const slot = Math.floor(t / (seasonMs / SLOTS));
  let season = before?.ms === seasonMs ? before : begun(seasonMs, slot);
  // After so long without anything nothing of it may be so any more.
  if (slot - season.slot > SLOTS) season = begun(seasonMs, slot);
  while (season.slot < slot) season = next(season);
  if (value === undefined) return season;
  return { ...season, sum: season.sum + value, count: season.count + 1 };
}

function begun(ms: number, slot: number): Season {
  const slots = new Array<number | null>(SLOTS).fill(null);
  return { ms, slot, sum: 0, count: 0, level: 0, trend: 0, slots, known: slot + SLOTS };
}

/** The slot is over. */
function next(season: Season): Season {
  const { slot, sum, count, known } = season;
  const value = count === 0 ? null : sum / count;
  const after = { ...season, slot: slot + 1, sum: 0, count: 0 };
  if (slot + 1 < known) return { ...after, slots: replaced(season.slots, slot, value) };
  if (slot + 1 === known) return first({ ...after, slots: replaced(season.slots, slot, value) });
  const { level, trend } = season;
  if (value === null) return { ...after, level: level + DAMPED * trend, trend: DAMPED * trend };
  const was = season.slots[slot % SLOTS] ?? 0;
  const expected = level + DAMPED * trend;
  const nowLevel = expected + ALPHA * (value - was - expected);
  const nowTrend = DAMPED * trend + BETA * (nowLevel - expected);
  const nowSlot = was + GAMMA * (value - nowLevel - was);
  return {
    ...after,
    level: nowLevel,
    trend: nowTrend,
    slots: replaced(season.slots, slot, nowSlot),
  };
}

/** A whole season was seen. */
function first(season: Season): Season {
  const seen = season.slots.filter((value) => value !== null);
  // Too little to call it a season.
  if (seen.length < SLOTS / 2) return { ...season, known: season.known + SLOTS };
  const level = seen.reduce((sum, value) => sum + value, 0) / seen.length;
  return { ...season, level, slots: season.slots.map((v) => (v === null ? 0 : v - level)) };
}

function replaced(slots: Season['slots'], slot: number, value: number | null): Season['slots'] {
  const copy = slots.slice();
  copy[slot % SLOTS] = value;
  return copy;
}

export interface Forecast {
  readonly value: number;
  /** When, in milliseconds since 1970: the beginning of its slot. */
  readonly at: number;
}

/** The most that is expected from now until `aheadMs` later; undefined before a season is known. */
export function forecast(season: Season, now: number, aheadMs: number): Forecast | undefined {
  if (season.slot < season.known) return undefined;
  const slotMs = season.ms / SLOTS;
  const [from, to] = [Math.floor(now / slotMs), Math.floor((now + aheadMs) / slotMs)];
  // Nobody has measured for long: what is left is of another time.
  if (from - season.slot > SLOTS || from < season.slot) return undefined;
  let most: Forecast | undefined;
  let [rise, damped] = [0, 1];
  for (let slot = season.slot; slot <= Math.min(to, from + SLOTS); slot++) {
    damped *= DAMPED;
    rise += damped * season.trend;
    if (slot < from) continue;
    const value = Math.max(0, season.level + rise + (season.slots[slot % SLOTS] ?? 0));
    if (most === undefined || value > most.value) most = { value, at: slot * slotMs };
  }
  return most;
}
