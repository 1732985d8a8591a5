import { type Command, explained } from '../command.ts';

/** As the HTTP API has it, durations as text. */
export interface AutopilotConfiguration {
  readonly CleanupDeadServers: boolean;
  readonly LastContactThreshold: string;
  readonly MaxTrailingLogs: number;
  readonly MinQuorum: number;
  readonly ServerStabilizationTime: string;
  readonly RedundancyZoneTag: string;
  readonly DisableUpgradeMigration: boolean;
  readonly UpgradeVersionTag: string;
  readonly ModifyIndex: number;
}

export const command: Command = {
  synopsis: '[options]',
  details:
    'Heeded are CleanupDeadServers, LastContactThreshold, MaxTrailingLogs and MinQuorum; the rest is ' +
    'kept for tools that ask.',
  examples: [''],
  http: 'query',
  flags: new Map(),

  async run({ host, client }) {
    const answer = await explained(
      'Error querying Autopilot configuration',
      client().send({ method: 'GET', path: '/v1/operator/autopilot/configuration' }),
    );
    const config = answer.json as AutopilotConfiguration;
    const rows: readonly (readonly [string, unknown])[] = [
      ['CleanupDeadServers', config.CleanupDeadServers],
      ['LastContactThreshold', config.LastContactThreshold],
      ['MaxTrailingLogs', config.MaxTrailingLogs],
      ['MinQuorum', config.MinQuorum],
      ['ServerStabilizationTime', config.ServerStabilizationTime],
      ['RedundancyZoneTag', JSON.stringify(config.RedundancyZoneTag)],
      ['DisableUpgradeMigration', config.DisableUpgradeMigration],
      ['UpgradeVersionTag', JSON.stringify(config.UpgradeVersionTag)],
    ];
    host.print(rows.map(([name, value]) => `${name} = ${value}\n`).join(''));
    return 0;
  },
};
