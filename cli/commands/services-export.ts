/** Which services other clusters may see: the config entry `exported-services`, as later Consuls say it. */

import { ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { FlagRow } from '../acl/show.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
import { FORMAT, wantsJson } from '../format.ts';
import { table } from '../table.ts';

const PATH = '/v1/config/exported-services/default';
const NOBODY_LISTENS =
  'No cluster is peered with this one: what is exported is seen by nobody yet.';

interface Consumer {
  readonly Peer?: string;
}

interface Exported {
  readonly Name: string;
  readonly Consumers: readonly Consumer[] | null;
}

interface Entry {
  readonly Services: readonly Exported[] | null;
  readonly ModifyIndex: number;
}

export const give: Command = {
  synopsis: '[options] -name NAME -consumer-peers PEER,...',
  details: 'To those that may see it already, the new ones are added.',
  examples: ['-name=web -consumer-peers=east,west'],
  http: 'query',
  flags: new Map<string, FlagRow[1]>([
    ['consumer-partitions', { kind: 'string', help: 'Refused: there are no partitions.' }],
    ['consumer-peers', { kind: 'string', help: 'The clusters that may see it, with commas.' }],
    ['name', { kind: 'string', help: 'Name of the service.' }],
  ]),

  async run({ flags, args, host, client, misuse }) {
    if (args.length > 0) throw misuse('Unexpected arguments: the service is named by -name');
    const name = flags.text('name');
    if (name === '') throw new ProconsulError('invalid', 'Missing the required -name flag');
    if (flags.text('consumer-partitions') !== '') {
      throw new ProconsulError('rejected', 'There are no partitions here: use -consumer-peers');
    }
    const peers = flags
      .text('consumer-peers')
      .split(',')
      .flatMap((each) => each.trim() || []);
    if (peers.length === 0) {
      throw new ProconsulError('invalid', 'Missing the required -consumer-peers flag');
    }
    const api = client();
    const { entry, index } = await explained('Error reading exported services', entryAt(api));
    const body = encodeJson({ ...entry, Services: withPeers(entry.Services ?? [], name, peers) });
    const written = await explained(
      'Error writing exported services',
      api.send({ method: 'PUT', path: '/v1/config', query: [['cas', index]], body }),
    );
    if (written.json !== true) {
      const why = 'Somebody else has just changed what is exported: try again';
      throw new ProconsulError('rejected', why);
    }
    const to = peers.map((peer) => JSON.stringify(peer)).join(', ');
    host.print(`Successfully exported service "${name}" to cluster peers ${to}\n`);
    host.hint(NOBODY_LISTENS);
    return 0;
  },
};

export const list: Command = {
  synopsis: '[options]',
  details: 'With the clusters that may see each.',
  examples: ['', '-format=json'],
  http: 'query',
  flags: new Map<string, FlagRow[1]>([FORMAT]),

  async run({ flags, args, host, client }) {
    refuseArguments(args);
    const asJson = wantsJson(flags);
    const read = explained('Error reading exported services', entryAt(client()));
    const rows = ((await read).entry.Services ?? []).map(({ Name, Consumers }) => ({
      Service: Name,
      Consumers: { Peers: (Consumers ?? []).flatMap(({ Peer }) => Peer ?? []) },
    }));
    if (asJson) host.print(`${encodeJson(rows, true)}\n`);
    else if (rows.length === 0) host.print('No exported services found\n');
    else {
      const cells = rows.map((row) => [row.Service, row.Consumers.Peers.join(', ')]);
      host.print(table(host.terminal, [['Service', 'Consumer Peers'], ...cells], 5));
    }
    return 0;
  },
};

/** An empty one, to be made, where there is none. */
async function entryAt(api: ApiClient) {
  const answer = await api.send({ method: 'GET', path: PATH, accept: [404] });
  if (answer.status === 404) {
    return { entry: { Kind: 'exported-services', Name: 'default', Services: [] }, index: '0' };
  }
  const entry = answer.json as Entry;
  return { entry, index: String(entry.ModifyIndex) };
}

function withPeers(
  services: readonly Exported[],
  name: string,
  peers: readonly string[],
): readonly Exported[] {
  const before = services.find(({ Name }) => Name === name);
  const known = before?.Consumers ?? [];
  const more = [...new Set(peers)].filter((each) => !known.some(({ Peer }) => Peer === each));
  const service = {
    ...before,
    Name: name,
    Consumers: [...known, ...more.map((Peer) => ({ Peer }))],
  };
  if (before === undefined) return [...services, service];
  return services.map((each) => (each === before ? service : each));
}
