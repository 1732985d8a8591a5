/** Who calls whom, as upstreams of proxies and intentions say it, and whether he may. */
import type { UpstreamsRow } from '../../lib/answers.ts';
import { ANY, type Decision, decidingIn, decisionOf, type IntentionRow } from './mesh.ts';
import { compare } from './order.ts';

export interface Call {
  readonly from: string;
  readonly to: string;
  /** `default`: nobody says anything of it. */
  readonly decision: Decision | 'default';
  /** The intention that decides. */
  readonly by: IntentionRow | undefined;
  /** A proxy has it for an upstream. */
  readonly isCalled: boolean;
}

/** In the order of names. An intention of any service is no call: it decides of those that there are. */
export function callsOf(
  upstreams: readonly UpstreamsRow[],
  intentions: readonly IntentionRow[],
): readonly Call[] {
  const called = upstreams.flatMap(({ Name, Upstreams }) =>
    Upstreams.map((to) => ({ from: Name, to, isCalled: true })),
  );
  const said = intentions
    .filter((row) => !isOfAny(row))
    .map(({ SourceName, DestinationName }) => ({
      from: SourceName,
      to: DestinationName,
      isCalled: false,
    }));
  const pairs = new Map([...said, ...called].map((each) => [`${each.from}\0${each.to}`, each]));
  const deciding = decidingIn(intentions);
  const calls = [...pairs.values()].map((pair) => {
    const by = deciding(pair.from, pair.to);
    return { ...pair, by, decision: by === undefined ? ('default' as const) : decisionOf(by) };
  });
  return calls.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
}

export function isOfAny({ SourceName, DestinationName }: IntentionRow): boolean {
  return SourceName === ANY || DestinationName === ANY;
}

/** The calls of some, and all that these lead to or come from. */
export function callsAround(calls: readonly Call[], wanted: readonly string[]) {
  const near = new Set(wanted);
  const kept = calls.filter(({ from, to }) => near.has(from) || near.has(to));
  const seen = new Set([...wanted, ...kept.flatMap(({ from, to }) => [from, to])]);
  return { calls: kept, seen };
}
