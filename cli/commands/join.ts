import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  synopsis: '[options] address ...',
  details: 'It is the cluster of whoever is at one of the addresses.',
  examples: ['10.0.0.7', 'server-1 server-2:8301'],
  http: 'agent',
  flags: new Map([['wan', { kind: 'bool', help: 'Join servers of another datacenter.' }]]),

  async run({ flags, args, host, client, misuse }) {
    if (args.length === 0) throw misuse('At least one address to join must be specified.');
    const api = client();
    const query = flags.isSet('wan') ? [['wan', '1'] as const] : [];
    let joined = 0;
    for (const address of args) {
      try {
        const path = `/v1/agent/join/${encodeURIComponent(address)}`;
        await api.send({ method: 'PUT', path, query });
        joined++;
      } catch (error) {
        if (!(error instanceof ProconsulError)) throw error;
        host.printError(`Error joining address '${address}': ${error.message}\n`);
      }
    }
    if (joined === 0) throw new ProconsulError('unavailable', 'Failed to join any nodes.');
    host.print(`Successfully joined cluster by contacting ${joined} nodes.\n`);
    return 0;
  },
};
