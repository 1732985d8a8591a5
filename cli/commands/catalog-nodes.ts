import { type Command, explained, refuseArguments } from '../command.ts';
import { type FlagValues, nodeMetaQuery } from '../flag-values.ts';
import { table } from '../table.ts';

type Pairs = Readonly<Record<string, string>> | null;

/** A node, or an instance of a service with its node's fields. */
interface Row {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses: Pairs;
  readonly Meta?: Pairs;
  readonly NodeMeta?: Pairs;
}

/** Of a node's ID, as much as tells nodes apart. */
const SHORT_ID = 8;

export const command: Command = {
  synopsis: '[options]',
  details: 'With -service, those that have it.',
  examples: ['', '-service=web', '-node-meta=rack=r1 -detailed', `-filter='Meta.rack == "r1"'`],
  http: 'query',
  flags: new Map([
    ['detailed', { kind: 'bool', help: 'Show whole IDs, all addresses and the metadata.' }],
    ['filter', { kind: 'string', help: 'Only nodes that this expression holds for.' }],
    ['near', { kind: 'string', help: 'The nearest to this node first; _agent is the agent.' }],
    ['node-meta', { kind: 'strings', help: 'Only nodes with this key=value; may be repeated.' }],
    ['service', { kind: 'string', help: 'Only nodes that have this service.' }],
  ]),

  async run({ flags, args, host, client }) {
    refuseArguments(args);
    const service = flags.text('service');
    const answer = await explained(
      'Error listing nodes',
      client().send({
        method: 'GET',
        path: service === '' ? '/v1/catalog/nodes' : serviceRoute(service),
        query: [
          ...textQuery(flags, 'near'),
          ...textQuery(flags, 'filter'),
          ...nodeMetaQuery(flags),
        ],
      }),
    );
    const rows = answer.json as readonly Row[];
    if (rows.length === 0) {
      host.printError('No nodes match the given query - try expanding your search.\n');
      return 0;
    }
    host.print(table(host.terminal, flags.isSet('detailed') ? detailed(rows) : plain(rows)));
    return 0;
  },
};

function serviceRoute(name: string): string {
  return `/v1/catalog/service/${encodeURIComponent(name)}`;
}

function textQuery(flags: FlagValues, name: string): readonly (readonly [string, string])[] {
  return flags.text(name) === '' ? [] : [[name, flags.text(name)]];
}

function plain(rows: readonly Row[]): readonly (readonly string[])[] {
  const lines = rows.map(({ Node, ID, Address, Datacenter }) => [
    Node,
    ID.slice(0, SHORT_ID),
    Address,
    Datacenter,
  ]);
  return [['Node', 'ID', 'Address', 'DC'], ...lines];
}

function detailed(rows: readonly Row[]): readonly (readonly string[])[] {
  const lines = rows.map(({ Node, ID, Address, Datacenter, TaggedAddresses, ...row }) => [
    Node,
    ID,
    Address,
    Datacenter,
    joined(TaggedAddresses),
    joined(row.NodeMeta ?? row.Meta ?? null),
  ]);
  return [['Node', 'ID', 'Address', 'DC', 'TaggedAddresses', 'Meta'], ...lines];
}

function joined(pairs: Pairs): string {
  return Object.entries(pairs ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(', ');
}
