/** Whether systemd has a unit running. */

import { critical, passing } from '../probing/probe.ts';
import { checkKind, text } from './kind.ts';
import { programProbe } from './script.ts';

export const osService = checkKind({
  type: 'os_service',
  fields: { OSService: text },

  probe: ({ OSService }, context) => {
    const args = ['systemctl', 'is-active', '--', OSService];
    const probe = programProbe({ args, ...context });
    return async (signal) => {
      const { status, output } = await probe(signal);
      if (status === 'passing') return passing(`Service "${OSService}" is healthy`);
      return critical(`Service "${OSService}" is not running: ${output.trim()}`);
    };
  },
});
