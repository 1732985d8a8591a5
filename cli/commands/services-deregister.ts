import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';
import { readServiceFiles } from '../service-files.ts';

export const command: Command = {
  synopsis: '[options] [FILE...]',
  details: 'Those that the files define, or the one of -id.',
  examples: ['web.json', '-id=web-1'],
  http: 'query',
  flags: new Map([
    ['id', { kind: 'string', help: 'ID of the service.' }],
    ['node', { kind: 'string', help: "The node that it is on, where that is not the agent's." }],
  ]),

  async run({ flags, args, host, client }) {
    const ids = idsOf(flags, args);
    const api = client();
    for (const id of ids) {
      const path = `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
      const query = [['node', flags.text('node')]] as const;
      const request = api.send({ method: 'PUT', path, query });
      await explained(`Error deregistering service "${id}"`, request);
      host.print(`Deregistered service: ${id}\n`);
    }
    return 0;
  },
};

function idsOf(flags: FlagValues, paths: readonly string[]): readonly string[] {
  const id = flags.text('id');
  const refuse = (why: string) => new ProconsulError('invalid', `Service deregistration ${why}`);
  if (id === '') {
    if (paths.length === 0) throw refuse('requires at least one argument or -id.');
    return readServiceFiles(paths).map((service) => service.id ?? service.name ?? '');
  }
  if (paths.length > 0) throw refuse('requires arguments or -id, not both.');
  return [id];
}
