/** Commands about what is remembered, with limits so small that they are met. */
import fc from 'fast-check';
import type { Command, StagedRow } from '../../../server/commands.ts';

const load = fc.record({
  told: fc.nat(2),
  counted: fc.nat(2),
  ms: fc.constantFrom(0, 15_000),
  cpuMs: fc.constantFrom(0, 0.1, 7_000),
  memoryMs: fc.constantFrom(0, 1 / 3),
  requestMs: fc.constantFrom(0, 15_000),
  requests: fc.nat(100),
  served: fc.record({
    requests: fc.nat(100),
    errors: fc.nat(3),
    latency: fc.array(fc.nat(9), { maxLength: 3 }),
  }),
});

export const HISTORY_KINDS = {
  'set-history': [
    1,
    fc.record({
      type: fc.constant('set-history'),
      limits: fc.record({
        perCheck: fc.constantFrom(0, 1, 2, 100),
        inAll: fc.constantFrom(3, 1000),
        ageMs: fc.constantFrom(20_000, 3_600_000),
      }),
    }),
  ],
  'load-heard': [
    2,
    fc.record({
      type: fc.constant('load-heard'),
      step: fc.nat(3),
      loads: fc.array(fc.tuple(fc.constantFrom('a', 'B', 'web', '__proto__'), load), {
        maxLength: 3,
      }),
    }),
  ],
  'mark-time': [1, fc.constant({ type: 'mark-time' })],
} satisfies Readonly<Record<string, [number, fc.Arbitrary<Command>]>>;

/** What an archive of ours may bring beside its rows. */
export function stagedPast(node: fc.Arbitrary<string>): fc.Arbitrary<StagedRow> {
  const past = fc.record({
    node,
    id: fc.constantFrom('', '1'),
    service: fc.constantFrom('', 'web'),
    gone: fc.constant(true as const),
    life: fc.constantFrom([9, 5, 0], [9, 5, 0, 1, 40, 0]),
    checks: fc.constantFrom([], [['c1', [9, 1, 0, 3, 11, 1]] as const]),
    texts: fc.constant(['o']),
  });
  const history = fc.constant({ since: 5, gaps: [[6, 7] as const], forgotten: [], until: 9 });
  return fc.oneof(fc.record({ past }), fc.record({ history }));
}
