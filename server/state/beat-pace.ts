/** How often whoever is there says so, and for how long that counts. */
import { DEFAULT_BEAT_MS, SERVER_ROLE } from '../../lib/membership.ts';
import type { MemberRow } from '../commands.ts';
import type { State } from './state.ts';

/** Of each server, which takes some tenth of its core: where more would come, all beat less often. */
const BEATS_A_SECOND = 1000;
/** A machine that is gone is not to pass for longer than it takes Consul to suspect one among as many. */
const MAX_BEAT_MS = 30_000;
/** A lease outlives its beat by a half, or so much: one that is lost on the way is sent again within it. */
const SLACK = 0.5;
const MIN_SLACK_MS = 4000;

/** Servers are few, and agents turn to them: they keep their pace however many agents there are. */
export function beatMs(
  { members, liveServers }: Pick<State, 'members' | 'liveServers'>,
  { Tags }: Pick<MemberRow, 'Tags'>,
): number {
  if (Tags['role'] === SERVER_ROLE) return DEFAULT_BEAT_MS;
  const aSecond = BEATS_A_SECOND * Math.max(1, liveServers.size);
  const wanted = Math.ceil((members.size * 1000) / aSecond);
  return Math.min(MAX_BEAT_MS, Math.max(DEFAULT_BEAT_MS, wanted));
}

export function leaseMs(...of: Parameters<typeof beatMs>): number {
  const ms = beatMs(...of);
  return ms + Math.max(MIN_SLACK_MS, ms * SLACK);
}
