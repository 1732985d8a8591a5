/** Proconsul's own: how many instances of a service are wanted. Consul has no such kind. */
import { NS_PER_MS } from '../../duration.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { always, duration, fraction, natural } from '../fields.ts';
import { HEAD, type Kind, META } from '../kind.ts';

export interface ServiceScaling extends ConfigEntryDefinition {
  readonly Min: number;
  readonly Max: number;
  /** What is aimed at: of what an instance may use, in percent; 0 where it is not looked at. */
  readonly CPUPercent: number;
  readonly MemoryPercent: number;
  /** Of an instance. */
  readonly RequestsPerSecond: number;
  /** After which its load is as it was: a day, a week; 0 where nothing is predicted. */
  readonly Season: number;
  /** How far ahead. */
  readonly Ahead: number;
  /** So far from what is aimed at nothing is done. */
  readonly TolerancePercent: number;
  /** Within `RiseOver` there come at most so many more. */
  readonly RisePercent: number;
  readonly RiseOver: number;
  /** So long fewer must have been enough. */
  readonly FallAfter: number;
}

const MINUTE = 60_000 * NS_PER_MS;
const HOUR = 60 * MINUTE;
const MAX_FALL_AFTER = 25 * MINUTE;
const SEASON = { min: HOUR, max: 31 * 24 * HOUR };
const MAX_INSTANCES = 100_000;
/** Each takes some ten kilobytes of what is measured, and is a series of Prometheus. */
export const MAX_SCALED = 2000;

const DEFAULTS = {
  Ahead: 10 * MINUTE,
  TolerancePercent: 10,
  RisePercent: 100,
  RiseOver: MINUTE,
  FallAfter: 5 * MINUTE,
};

export const SERVICE_SCALING: Kind<ServiceScaling> = {
  kind: 'service-scaling',
  says: 'how many instances of a service are wanted (of Proconsul alone)',
  changedBy: 'service',
  seenBy: 'service',
  isOwn: true,
  fields: {
    ...HEAD,
    Min: always(natural),
    Max: always(natural),
    CPUPercent: natural,
    MemoryPercent: natural,
    RequestsPerSecond: fraction,
    Season: duration,
    Ahead: duration,
    TolerancePercent: natural,
    RisePercent: natural,
    RiseOver: duration,
    FallAfter: duration,
    ...META,
  },
  normal: (entry) => ({ ...DEFAULTS, ...entry, Min: entry.Min === 0 ? 1 : entry.Min }),
  fault: faultOf,
};

/** As it is stored, with what it leaves out. */
export function scalingOf(entry: ServiceScaling): ServiceScaling {
  const aims = { CPUPercent: 0, MemoryPercent: 0, RequestsPerSecond: 0, Season: 0 };
  return { ...aims, ...DEFAULTS, ...entry };
}

function faultOf(entry: ServiceScaling): string | undefined {
  const all = scalingOf(entry);
  const { Name, Min, Max, CPUPercent, MemoryPercent, RequestsPerSecond, Season } = all;
  if (Name === '' || Name === '*') return 'Name is required, of one service';
  if (Max < Min) return `Max must be at least Min, which is ${Min}`;
  if (Max > MAX_INSTANCES) return `Max must be at most ${MAX_INSTANCES}`;
  if (CPUPercent > 100 || MemoryPercent > 100) return 'CPUPercent and MemoryPercent go up to 100';
  if (RequestsPerSecond < 0) return 'RequestsPerSecond must not be below 0';
  if (CPUPercent === 0 && MemoryPercent === 0 && RequestsPerSecond === 0) {
    return 'needs something to aim at: CPUPercent, MemoryPercent or RequestsPerSecond';
  }
  if (Season !== 0 && (Season < SEASON.min || Season > SEASON.max)) {
    return 'Season must be between 1h and 744h';
  }
  return dampingFault(all);
}

function dampingFault(entry: ServiceScaling): string | undefined {
  const { Ahead, Season, TolerancePercent, RisePercent, RiseOver, FallAfter } = entry;
  if (Ahead < 0 || (Season > 0 && Ahead > Season)) return 'Ahead must be between 0 and Season';
  if (TolerancePercent > 100) return 'TolerancePercent goes up to 100';
  if (RisePercent < 1 || RisePercent > 10_000) return 'RisePercent must be between 1 and 10000';
  if (RiseOver < MINUTE / 2 || RiseOver > MAX_FALL_AFTER) {
    return 'RiseOver must be between 30s and 25m';
  }
  if (FallAfter < 0 || FallAfter > MAX_FALL_AFTER) return 'FallAfter must be between 0 and 25m';
  return undefined;
}
