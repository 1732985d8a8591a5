import type { RawService } from '../../lib/config/keys/definitions.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';
import { type FlagValues, splitPair } from '../flag-values.ts';
import { apiService, readServiceFiles } from '../service-files.ts';

export const command: Command = {
  synopsis: '[options] [FILE...]',
  details: 'From configuration files, or one from flags.',
  examples: ['web.json', '-name=web -port=8080 -tag=v1'],
  http: 'query',
  flags: new Map([
    ['address', { kind: 'string', help: 'Address of the service.' }],
    ['id', { kind: 'string', help: 'ID of the service; its name by default.' }],
    ['kind', { kind: 'string', help: 'Kind of the service.' }],
    ['meta', { kind: 'strings', help: 'Metadata, as key=value; may be repeated.' }],
    ['name', { kind: 'string', help: 'Name of the service.' }],
    ['port', { kind: 'int', help: 'Port of the service.' }],
    ['tag', { kind: 'strings', help: 'A tag; may be repeated.' }],
    [
      'tagged-address',
      { kind: 'strings', help: 'An address, as name=host:port; may be repeated.' },
    ],
  ]),

  async run({ flags, args, host, client }) {
    const services = servicesOf(flags, args);
    const api = client();
    for (const service of services) {
      await explained(
        `Error registering service "${service.name ?? ''}"`,
        api.send({
          method: 'PUT',
          path: '/v1/agent/service/register',
          body: JSON.stringify(apiService(service)),
        }),
      );
      host.print(`Registered service: ${service.name ?? ''}\n`);
    }
    return 0;
  },
};

function servicesOf(flags: FlagValues, paths: readonly string[]): readonly RawService[] {
  const fromFlags = serviceOf(flags);
  const refuse = (why: string) => new ProconsulError('invalid', `Service registration ${why}`);
  if (flags.text('name') === '' && flags.text('id') === '') {
    if (paths.length === 0) throw refuse('requires at least one argument or flags.');
    return readServiceFiles(paths);
  }
  if (paths.length > 0) throw refuse('requires arguments or -id, not both.');
  return [fromFlags];
}

function serviceOf(flags: FlagValues): RawService {
  const meta = flags.all('meta').map((text) => splitPair('meta', text));
  const addresses = flags.all('tagged-address').map(taggedAddress);
  const text = (name: 'address' | 'id' | 'kind' | 'name') =>
    flags.text(name) === '' ? {} : { [name]: flags.text(name) };
  return {
    ...text('kind'),
    ...text('id'),
    ...text('name'),
    ...text('address'),
    ...(flags.has('port') ? { port: Number(flags.text('port')) } : {}),
    ...(flags.has('tag') ? { tags: flags.all('tag') } : {}),
    ...(meta.length === 0 ? {} : { meta: Object.fromEntries(meta) }),
    ...(addresses.length === 0 ? {} : { tagged_addresses: Object.fromEntries(addresses) }),
  };
}

function taggedAddress(text: string): readonly [string, { address: string; port: number }] {
  const [name, at] = splitPair('tagged-address', text);
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(at) ?? [];
  return [name, { address: bracketed ?? plain ?? at, port: Number(port ?? 0) }];
}
