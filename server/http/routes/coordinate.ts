/** /v1/coordinate: where nodes stand in the network, as somebody measured it. */
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone, changes } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import { compareKeys } from '../../../lib/key-order.ts';
import type { NodeCoordinate } from '../../../lib/model.ts';
import { COORDINATES_OFF, DIMENSIONS, ORIGIN } from '../../../lib/place.ts';
import { keyOf } from '../../query/query.ts';
import { MAX_SEGMENT_LENGTH, MAX_SEGMENTS } from '../../state/coordinates.ts';
import {
  type ClusterDeps,
  type CoordinateDeps,
  checkDatacenter,
  type PlaceDeps,
  type ReadDeps,
  readFor,
  vet,
  type WriteDeps,
  writeAs,
} from '../deps.ts';
import { readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & PlaceDeps & ClusterDeps & CoordinateDeps;

export function coordinateRoutes(deps: Deps): Route[] {
  const rows = rowsOf(deps);
  if (deps.places !== undefined) return rows;
  return rows.map(({ method, path, right, does }) => ({
    ...{ method, path, right, does, anyDatacenter: true },
    handle: () => {
      throw new ProconsulError('unauthorized', COORDINATES_OFF);
    },
  }));
}

function rowsOf(deps: Deps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/coordinate/update',
      body: coordinateBody,
      right: changes('node:write', ['node:write']),
      does: "sets a node's coordinates",
      handle: (request) => update(deps, request),
    },
    {
      method: 'GET',
      path: '/v1/coordinate/datacenters',
      right: anyone,
      anyDatacenter: true,
      does: 'lists the coordinates of the servers of each data centre',
      handle: () => ({ json: [datacenter(deps)] }),
    },
    readRoute(deps, {
      path: '/v1/coordinate/nodes',
      params: { segment: param.text('only those of this network segment') },
      right: 'node:read',
      does: "lists the nodes' coordinates",
      query: ({ params }) => {
        const segment = params.get('segment');
        return {
          key: keyOf('coordinate/nodes', params.has('segment'), segment),
          run: (reader) => ({
            json: [...reader.coordinates()]
              .filter((c) => !params.has('segment') || c.Segment === segment)
              .sort(byNode),
          }),
        };
      },
    }),
    readRoute(deps, {
      path: '/v1/coordinate/node/',
      answers: { 404: 'there is no such node' },
      rest: 'node',
      right: 'node:read',
      does: "shows a node's coordinates",
      bareMissing: true,
      query: ({ rest }) => {
        const node = rest;
        return {
          key: keyOf('coordinate/node', node),
          run: (reader) => {
            const json = [...reader.coordinatesOf(node)].sort(byNode);
            return json.length === 0 ? { status: 404 } : { json };
          },
        };
      },
    }),
  ];
}

function byNode(a: NodeCoordinate, b: NodeCoordinate): number {
  return compareKeys(a.Node, b.Node) || compareKeys(a.Segment, b.Segment);
}

function datacenter({ datacenter: name, cluster }: Deps) {
  const Coordinates = cluster
    .peers()
    .filter(({ alive }) => alive)
    .map(({ node }) => ({ Node: node, Segment: '', Coord: ORIGIN }));
  return { Datacenter: name, AreaID: 'wan', Coordinates };
}

const number = { type: 'number', default: 0 } as const;
const coordinateBody = decoder<NodeCoordinate & { readonly Datacenter: string }>({
  type: 'object',
  required: ['Coord'],
  properties: {
    Node: { type: 'string', default: '' },
    Segment: { type: 'string', default: '' },
    Datacenter: { type: 'string', default: '' },
    Coord: {
      type: 'object',
      properties: {
        Vec: { type: 'array', items: { type: 'number' }, default: [] },
        Error: number,
        Adjustment: number,
        Height: number,
      },
    },
  },
  unheeded: ['Token'],
});

async function update(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(coordinateBody);
  const { Datacenter, ...coordinate } = body;
  checkDatacenter(deps, Datacenter);
  if (coordinate.Coord.Vec.length !== DIMENSIONS) {
    throw new ProconsulError('rejected', 'incompatible coordinate');
  }
  const command = { type: 'update-coordinates', coordinates: [coordinate] } as const;
  // Not even that there is no such node is told to who may not.
  await vet(request, deps, command);
  // Consul drops it without a word: who measures may be ahead of who registers. So may this server be behind.
  const isKnown = () => deps.state().catalog.node(coordinate.Node) !== undefined;
  if (!isKnown() && !(await readFor(deps, request, 'consistent', isKnown))) return {};
  if (!deps.state().coordinates.hasRoom(coordinate.Node, coordinate.Segment)) {
    const limits = `${MAX_SEGMENTS} segments with names of ${MAX_SEGMENT_LENGTH} characters`;
    throw new ProconsulError('rejected', `a node is limited to ${limits}`);
  }
  await writeAs(request, deps, command);
  return {};
}
