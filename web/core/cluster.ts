/** What is shown of the servers themselves: how each is, what part of the lookups it has, and what became of Redis. */
import type { ClusterState, Find, RingState, ServerState } from '../../lib/answers.ts';
import { compare } from './order.ts';

export interface Metrics {
  readonly Gauges: readonly { readonly Name: string; readonly Value: number }[];
  readonly Samples: readonly { readonly Name: string; readonly Mean: number }[];
}

/** What came of it, from the best to the worst. */
export type Outcome = 'begun' | 'back' | 'other' | 'repaired' | 'lost';

export function outcomeOf({ Epoch, EpochBefore, PutBack, Lost }: Find): Outcome {
  if (EpochBefore === 0) return 'begun';
  if (Lost > 0) return 'lost';
  if (PutBack > 0) return 'repaired';
  return Epoch === EpochBefore ? 'back' : 'other';
}

/** A server as the page shows it: numbered as on the ring. */
export interface ServerRow extends ServerState {
  readonly number: number;
  readonly leads: boolean;
  readonly share: number | undefined;
  /** How many entries it lacks that another has applied. */
  readonly behind: number;
}

/** One number a server, wherever it is shown, in the order of names: one that is dead may be missing in one of the two. */
export function numbersOf(
  cluster: ClusterState | undefined,
  ring: RingState | undefined,
): ReadonlyMap<string, number> {
  const names = new Map(ring?.Servers.map(({ ID, Node }) => [ID, Node]));
  for (const { ID, Name } of Object.values(cluster?.Servers ?? {})) names.set(ID, Name);
  const inOrder = [...names].sort(([, a], [, b]) => compare(a, b));
  return new Map(inOrder.map(([id], i) => [id, i + 1]));
}

/** In the order of their names. */
export function serverRows(
  cluster: ClusterState,
  ring: RingState | undefined,
): readonly ServerRow[] {
  const { Servers, Leader } = cluster;
  const numbers = numbersOf(cluster, ring);
  const all = Object.values(Servers).sort((a, b) => compare(a.Name, b.Name));
  const newest = Math.max(0, ...all.map(({ LastIndex }) => LastIndex));
  return all.map((server) => ({
    ...server,
    number: numbers.get(server.ID) ?? 0,
    leads: server.ID === Leader,
    share: ring?.Servers.find(({ ID }) => ID === server.ID)?.Share,
    behind: newest - server.LastIndex,
  }));
}

/** A number that a server measures of itself; undefined where it does not. */
export function figureOf({ Gauges, Samples }: Metrics, name: string): number | undefined {
  return (
    Gauges.find(({ Name }) => Name === name)?.Value ??
    Samples.find(({ Name }) => Name === name)?.Mean
  );
}
