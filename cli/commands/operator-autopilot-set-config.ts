import { parseDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { parseBool } from '../../lib/go-literals.ts';
import { type Command, explained } from '../command.ts';
import { type FlagValues, readUint } from '../flag-values.ts';
import type { AutopilotConfiguration } from './operator-autopilot-get-config.ts';

const PATH = '/v1/operator/autopilot/configuration';

export const command: Command = {
  synopsis: '[options]',
  details:
    'Heeded are CleanupDeadServers, LastContactThreshold, MaxTrailingLogs and MinQuorum; the rest is ' +
    'kept for tools that ask.',
  examples: ['-cleanup-dead-servers=true'],
  http: 'query',
  flags: new Map([
    ['cleanup-dead-servers', { kind: 'string', help: 'true or false.' }],
    ['disable-upgrade-migration', { kind: 'string', help: 'true or false.' }],
    ['last-contact-threshold', { kind: 'string', help: 'A duration, as 200ms.' }],
    ['max-trailing-logs', { kind: 'string', help: 'A number.' }],
    ['min-quorum', { kind: 'string', help: 'A number.' }],
    ['redundancy-zone-tag', { kind: 'string', help: 'A key of node metadata.' }],
    ['server-stabilization-time', { kind: 'string', help: 'A duration, as 10s.' }],
    ['upgrade-version-tag', { kind: 'string', help: 'A key of node metadata.' }],
  ]),

  async run({ flags, host, client }) {
    const changes = changesOf(flags);
    const api = client();
    const answer = await explained(
      'Error querying Autopilot configuration',
      api.send({ method: 'GET', path: PATH }),
    );
    const before = answer.json as AutopilotConfiguration;
    const set = await explained(
      'Error setting Autopilot configuration',
      api.send({
        method: 'PUT',
        path: PATH,
        query: [['cas', String(before.ModifyIndex)]],
        body: JSON.stringify({ ...before, ...changes }),
      }),
    );
    if (set.json !== true) {
      const why = 'Configuration could not be atomically updated, please try again';
      throw new ProconsulError('rejected', why);
    }
    host.print('Configuration updated!\n');
    return 0;
  },
};

function changesOf(flags: FlagValues): Partial<AutopilotConfiguration> {
  const given = (name: string) => flags.has(name);
  return {
    ...(given('cleanup-dead-servers') && {
      CleanupDeadServers: bool(flags, 'cleanup-dead-servers'),
    }),
    ...(given('disable-upgrade-migration') && {
      DisableUpgradeMigration: bool(flags, 'disable-upgrade-migration'),
    }),
    ...(given('last-contact-threshold') && {
      LastContactThreshold: duration(flags, 'last-contact-threshold'),
    }),
    ...(given('server-stabilization-time') && {
      ServerStabilizationTime: duration(flags, 'server-stabilization-time'),
    }),
    ...(given('max-trailing-logs') && {
      MaxTrailingLogs: Number(readUint(flags, 'max-trailing-logs')),
    }),
    ...(given('min-quorum') && { MinQuorum: Number(readUint(flags, 'min-quorum')) }),
    ...(given('redundancy-zone-tag') && { RedundancyZoneTag: flags.text('redundancy-zone-tag') }),
    ...(given('upgrade-version-tag') && { UpgradeVersionTag: flags.text('upgrade-version-tag') }),
  };
}

function bool(flags: FlagValues, name: string): boolean {
  const value = parseBool(flags.text(name));
  if (value === undefined) throw badValue(flags, name, 'it is neither true nor false');
  return value;
}

function duration(flags: FlagValues, name: string): string {
  const text = flags.text(name);
  if (parseDuration(text) !== undefined) return text;
  throw badValue(flags, name, `time: invalid duration ${JSON.stringify(text)}`);
}

function badValue(flags: FlagValues, name: string, why: string): ProconsulError {
  const quoted = JSON.stringify(flags.text(name));
  return new ProconsulError('invalid', `invalid value ${quoted} for flag -${name}: ${why}`);
}
