import { ProconsulError } from '../../lib/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, explained } from '../command.ts';

interface Coordinate {
  readonly Vec: readonly number[];
  readonly Adjustment: number;
  readonly Height: number;
}

interface NodeCoordinate {
  readonly Node: string;
  readonly Coord: Coordinate;
}

export const command: Command = {
  synopsis: '[options] node1 [node2]',
  details: "By their coordinates; the second node is the agent's own by default.",
  examples: ['web-1', 'web-1 web-2', '-wan server-1.dc1 server-1.dc2'],
  http: 'agent',
  flags: new Map([['wan', { kind: 'bool', help: 'Nodes of several datacenters: refused.' }]]),

  async run({ flags, args, host, client, misuse }) {
    if (args.length < 1 || args.length > 2) throw misuse('One or two node names must be specified');
    if (flags.isSet('wan')) {
      throw new ProconsulError('rejected', 'Error: several datacenters are not built yet');
    }
    const api = client();
    const [first = '', second = await ownName(api)] = args;
    const answer = await explained(
      'Error getting coordinates',
      api.send({ method: 'GET', path: '/v1/coordinate/nodes' }),
    );
    const known = (answer.json ?? []) as readonly NodeCoordinate[];
    const ms = 1000 * distanceS(coordinateOf(known, first), coordinateOf(known, second));
    const estimate = `${first} <-> ${second} rtt: ${ms.toFixed(3)} ms`;
    host.print(`Estimated ${estimate} (using LAN coordinates)\n`);
    return 0;
  },
};

async function ownName(api: ApiClient): Promise<string> {
  const self = await explained(
    'Unable to look up agent info',
    api.send({ method: 'GET', path: '/v1/agent/self' }),
  );
  return (self.json as { readonly Config: { readonly NodeName: string } }).Config.NodeName;
}

function coordinateOf(known: readonly NodeCoordinate[], name: string): Coordinate {
  const found = known.find(({ Node }) => Node === name);
  if (found !== undefined) return found.Coord;
  throw new ProconsulError('not-found', `Could not find a coordinate for node "${name}"`);
}

/** Vivaldi's: the distance of the points and both heights, adjusted unless that makes it negative. */
function distanceS(a: Coordinate, b: Coordinate): number {
  const raw = Math.hypot(...a.Vec.map((x, i) => x - (b.Vec[i] ?? 0))) + a.Height + b.Height;
  const adjusted = raw + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : raw;
}
