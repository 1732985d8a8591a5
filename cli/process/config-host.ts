/** What a configuration is read with: this machine, and how the agent's definitions are written. */
import { FILE_KEYS } from '../../agent/definitions/file-keys.ts';
import { type ConfigHost, systemConfigHost } from '../../lib/config/config-host.ts';

export const configHost: ConfigHost = { ...systemConfigHost, definitions: FILE_KEYS };
