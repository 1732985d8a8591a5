/** Commands that set what operators set. */
import fc from 'fast-check';
import type { SetAutopilot, SetRevisions } from '../../../server/commands.ts';

const index = fc.oneof(fc.nat(40), fc.constantFrom(0, 1, 5, 2n ** 63n, 2n ** 64n - 1n));
const autopilot = fc.record({
  CleanupDeadServers: fc.boolean(),
  LastContactThreshold: fc.constant(2e8),
  MaxTrailingLogs: fc.constantFrom(250, 251),
  MinQuorum: fc.constant(0),
  ServerStabilizationTime: fc.constant(1e10),
  RedundancyZoneTag: fc.constant(''),
  DisableUpgradeMigration: fc.constant(false),
  UpgradeVersionTag: fc.constant(''),
});

type Settings = SetAutopilot | SetRevisions;
type Kinds = { readonly [T in Settings['type']]: [number, fc.Arbitrary<Settings>] };

export const SETTINGS_KINDS: Kinds = {
  'set-revisions': [
    2,
    fc.record(
      {
        type: fc.constant('set-revisions'),
        settings: fc.record({
          Prefixes: fc.subarray(['', 'k/', 'z']),
          Count: fc.constantFrom(1, 2, 5),
          MaxAge: fc.constantFrom(0, 5e9),
          MaxBytes: fc.constantFrom(500, 10_000),
        }),
        cas: index,
      },
      { requiredKeys: ['type', 'settings'] },
    ),
  ],
  'set-autopilot': [
    1,
    fc.record(
      { type: fc.constant('set-autopilot'), settings: autopilot, cas: index },
      { requiredKeys: ['type', 'settings'] },
    ),
  ],
};
