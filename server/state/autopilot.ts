/** What autopilot is told of the servers. */
import { withFields } from '../../lib/with-fields.ts';
import type { AutopilotSettings } from '../commands.ts';
import type { State } from './state.ts';

/** Consul's own, until someone sets them; they stand at index 1. */
const DEFAULTS: AutopilotSettings = {
  CleanupDeadServers: true,
  LastContactThreshold: 200e6,
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  ServerStabilizationTime: 10e9,
  RedundancyZoneTag: '',
  DisableUpgradeMigration: false,
  UpgradeVersionTag: '',
};

export function autopilotSettings(state: Pick<State, 'autopilot'>) {
  return (
    state.autopilot.get('autopilot') ?? withFields(DEFAULTS, { CreateIndex: 1, ModifyIndex: 1 })
  );
}
