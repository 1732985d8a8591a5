/** The mesh: what is said once of services, and what proxies make of it. */
import type { ConfigEntryDefinition } from '../../config-entries/entry.ts';
import { entryFromConfig } from '../../config-entries/kinds.ts';
import { messageOf } from '../../errors.ts';
import type { Problems } from '../problems.ts';
import { bool, duration, noEffect, type Settled, strings, type Tree, trees } from '../row.ts';
import type { CONNECT_KEYS } from './connect.ts';

const SECOND = 1000;

export const MESH_KEYS = {
  config_entries: {
    bootstrap: trees('Config entries that a leader makes where there are none of their names.', {
      rule: entries,
    }),
  },
  enable_central_service_config: bool(
    'Proxies take over what config entries say of them and of their services.',
    { shown: 'EnableCentralServiceConfig' },
  ),
  ...noEffect('other data centres are not built yet', {
    primary_gateways: strings('', { flag: 'primary-gateway', shown: 'PrimaryGateways' }),
    primary_gateways_interval: duration('', {
      default: 30 * SECOND,
      shown: 'PrimaryGatewaysInterval',
    }),
  }),
};

export function meshConfig(
  settled: Settled<typeof MESH_KEYS & Pick<typeof CONNECT_KEYS, 'connect'>>,
) {
  return {
    enabled: settled.connect.enabled,
    takesDefaults: settled.enable_central_service_config,
    entries: settled.config_entries.bootstrap.map(entryFromConfig),
  };
}

/** Those that are right stay as they were written: /v1/agent/self shows them so. */
function entries(values: readonly Tree[], path: string, problems: Problems): readonly Tree[] {
  return values.filter((value, i) => entryOf(value, `${path}[${i}]`, problems) !== undefined);
}

function entryOf(value: Tree, path: string, problems: Problems): ConfigEntryDefinition | undefined {
  try {
    return entryFromConfig(value);
  } catch (error) {
    problems.refuse(`${path}: ${messageOf(error).trim()}`);
    return undefined;
  }
}
