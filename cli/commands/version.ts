import { ProconsulError } from '../../lib/errors.ts';
import { CONSUL_VERSION } from '../../lib/version.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'It is that of the Consul whose behaviour this is.',
  examples: ['', '-format=json'],
  http: 'none',
  flags: new Map([['format', { kind: 'string', help: 'pretty, which is the default, or json.' }]]),

  run({ flags, host }) {
    const format = flags.text('format') || 'pretty';
    if (format !== 'pretty' && format !== 'json') {
      throw new ProconsulError('invalid', `Unknown format: ${format}`);
    }
    host.print(
      format === 'json'
        ? `${JSON.stringify({ Version: CONSUL_VERSION })}\n`
        : `Consul v${CONSUL_VERSION}\nProconsul, which speaks Consul's protocols\n`,
    );
    return 0;
  },
};
