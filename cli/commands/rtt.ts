import { ProconsulError } from '../../lib/errors.ts';
import type { Coordinate, NodeCoordinate } from '../../lib/model.ts';
import { distanceS } from '../../lib/place.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, explained, type Invocation } from '../command.ts';

interface DatacenterCoordinates {
  readonly Datacenter: string;
  readonly Coordinates: readonly NodeCoordinate[];
}

export const command: Command = {
  synopsis: '[options] node1 [node2]',
  details: "By their coordinates; the second node is the agent's own by default.",
  examples: ['web-1', 'web-1 web-2', '-wan server-1.dc1 server-1.dc2'],
  http: 'agent',
  flags: new Map([['wan', { kind: 'bool', help: 'Servers, each as <node>.<datacenter>.' }]]),

  async run({ flags, args, host, client, misuse }) {
    if (args.length < 1 || args.length > 2) throw misuse('One or two node names must be specified');
    const api = client();
    const wan = flags.isSet('wan');
    const [first = '', second = await ownName(api, wan)] = args;
    const known = wan ? await servers(api, [first, second], misuse) : await nodes(api);
    const ms = 1000 * distanceS(coordinateOf(known, first), coordinateOf(known, second));
    const estimate = `${first} <-> ${second} rtt: ${ms.toFixed(3)} ms`;
    host.print(`Estimated ${estimate} (using ${wan ? 'WAN' : 'LAN'} coordinates)\n`);
    return 0;
  },
};

async function nodes(api: ApiClient): Promise<readonly NodeCoordinate[]> {
  const answer = await explained(
    'Error getting coordinates',
    api.send({ method: 'GET', path: '/v1/coordinate/nodes' }),
  );
  return (answer.json ?? []) as readonly NodeCoordinate[];
}

/** By their names with their data centre's. */
async function servers(
  api: ApiClient,
  names: readonly string[],
  misuse: Invocation['misuse'],
): Promise<readonly NodeCoordinate[]> {
  if (names.some((name) => !name.includes('.'))) {
    throw misuse('Node names must be specified as <node name>.<datacenter> with -wan');
  }
  const answer = await explained(
    'Error getting coordinates',
    api.send({ method: 'GET', path: '/v1/coordinate/datacenters' }),
  );
  return ((answer.json ?? []) as readonly DatacenterCoordinates[]).flatMap(
    ({ Datacenter, Coordinates }) =>
      Coordinates.map((each) => ({ ...each, Node: withDatacenter(each.Node, Datacenter) })),
  );
}

function withDatacenter(node: string, datacenter: string): string {
  return node.endsWith(`.${datacenter}`) ? node : `${node}.${datacenter}`;
}

async function ownName(api: ApiClient, wan: boolean): Promise<string> {
  const self = await explained(
    'Unable to look up agent info',
    api.send({ method: 'GET', path: '/v1/agent/self' }),
  );
  const { NodeName, Datacenter } = (
    self.json as { readonly Config: { readonly NodeName: string; readonly Datacenter: string } }
  ).Config;
  return wan ? `${NodeName}.${Datacenter}` : NodeName;
}

function coordinateOf(known: readonly NodeCoordinate[], name: string): Coordinate {
  const found = known.find(({ Node }) => Node === name);
  if (found !== undefined) return found.Coord;
  throw new ProconsulError('not-found', `Could not find a coordinate for node "${name}"`);
}
