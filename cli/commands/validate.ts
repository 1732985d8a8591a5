import { validateConfigFiles } from '../../lib/config/load.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';
import { configHost } from '../process/config-host.ts';

export const command: Command = {
  synopsis: '[options] FILE_OR_DIRECTORY...',
  details: 'As an agent would that is started with all of them and nothing else.',
  examples: ['/etc/proconsul.d', '-quiet server.hcl web.json'],
  http: 'none',
  flags: new Map([
    ['config-format', { kind: 'string', help: 'hcl or json, whatever the names of the files.' }],
    ['quiet', { kind: 'bool', help: 'Say nothing where all is well.' }],
  ]),

  run({ flags, args, host }) {
    if (args.length === 0) {
      throw new ProconsulError('invalid', 'Must specify at least one config file or directory');
    }
    try {
      const format = flags.text('config-format');
      const { warnings } = validateConfigFiles(args, { host: configHost, format });
      for (const warning of warnings) host.printError(`${warning}\n`);
    } catch (cause) {
      if (!(cause instanceof ProconsulError)) throw cause;
      throw new ProconsulError('invalid', `Config validation failed: ${cause.message}`, { cause });
    }
    if (!flags.isSet('quiet')) host.print('Configuration is valid!\n');
    return 0;
  },
};
