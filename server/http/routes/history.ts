/** What became of services, as the log tells it: Proconsul's own. */
import { keptBackHeader } from '../../../lib/acl/kept-back.ts';
import { AddressLines } from '../../../lib/address-lines.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { quote } from '../../../lib/go-literals.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { shows } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY, param } from '../../../lib/http/takes.ts';
import { STREAM, Tellings } from '../../../lib/http/tellings.ts';
import { encodeJsonBytes } from '../../../lib/json-bytes.ts';
import { MAX_HISTORY_ROWS } from '../../../lib/limits.ts';
import { inSlices, type Steps, wantedBy } from '../../../lib/slices.ts';
import { type Asked, historyOfNode, historyOfService } from '../../query/past.ts';
import { performanceOf } from '../../query/performance.ts';
import { Reader } from '../../query/reader.ts';
import { logNow } from '../../query/scale.ts';
import { availabilityOf } from '../../query/service-availability.ts';
import { type ClusterDeps, type ReadDeps, required, type StateDeps } from '../deps.ts';
import { fresh, readRoute } from '../reads.ts';

type Deps = ReadDeps & StateDeps & Pick<ClusterDeps, 'clock'>;

const DEFAULT_ROWS = 1000;
const DEFAULT_INSTANCES = 100;
/** Each has figures of three windows: a kilobyte. */
const MAX_INSTANCES = 1000;
const MAX_STEPS = 100;

const TAKES = {
  since: param.text('only what changed from then on: 2026-01-31T12:00:00Z, or seconds since 1970'),
  limit: param.number(`the newest so many: ${DEFAULT_ROWS} where nothing is said`),
};

/** Of one address: there may be an agent behind it, and each takes some ten milliseconds at the worst. */
const MAX_WAITING = 256;

/** As slices count: a tenth of a millisecond. */
const PERFORMANCE_COST = 8 * 1024;

/** What goes with the time alone is told as often as one looks at the strip of an hour. */
const TOLD_EVERY_MS = 30_000;

interface Told {
  readonly tellings: Tellings;
  readonly lines: AddressLines;
}

export function historyRoutes(deps: Deps): Route[] {
  const lines = new AddressLines(MAX_WAITING);
  return [...changeRoutes(deps, lines), ...figureRoutes(deps, lines)];
}

function changeRoutes(deps: Deps, lines: AddressLines): Route[] {
  const rows = [
    readRoute(deps, {
      path: '/v1/internal/history/service/',
      rest: 'service',
      params: TAKES,
      right: 'service:read',
      does: "lists what became of a service's instances and checks",
      query: ({ rest, params }) =>
        historyOfService(required(rest, 'service name'), askedOf(params)),
    }),
    readRoute(deps, {
      path: '/v1/internal/history/node/',
      rest: 'node',
      params: TAKES,
      right: 'node:read',
      does: 'lists what became of a node, and of what is on it',
      query: ({ rest, params }) => historyOfNode(required(rest, 'node name'), askedOf(params)),
    }),
  ];
  // All that is remembered of it is looked at at once: for one of an address in a turn.
  return rows.map((row) => ({
    ...row,
    handle: (request) => lines.run(request, async () => await row.handle(request)),
  }));
}

function figureRoutes(deps: Deps, lines: AddressLines): Route[] {
  const toldOf = () => ({ tellings: new Tellings(deps.clock), lines });
  const told = { availability: toldOf(), performance: toldOf() };
  return [
    {
      method: 'GET',
      path: '/v1/internal/availability/service/',
      rest: 'service',
      params: {
        ...CONSISTENCY,
        ...STREAM,
        limit: param.number(
          `of how many instances: ${DEFAULT_INSTANCES} where nothing is said, ${MAX_INSTANCES} at most`,
        ),
        steps: param.number(`how each window went, in so many parts: ${MAX_STEPS} at most`),
      },
      right: shows('service:read'),
      does: 'says how available a service was over an hour, a day and thirty days',
      endless: 'stream',
      waits: true,
      handle: (request) => availability(deps, told.availability, request),
    },
    {
      method: 'GET',
      path: '/v1/internal/performance/service/',
      rest: 'service',
      params: {
        ...CONSISTENCY,
        ...STREAM,
        steps: param.flag('how each step of the last half hour went, too'),
      },
      right: shows('service:read'),
      does: 'says how a service has answered: throughput, errors and latency',
      endless: 'stream',
      waits: true,
      handle: (request) => performanceReply(deps, told.performance, request),
    },
  ];
}

function availability(deps: Deps, told: Told, request: HttpRequest): Promise<Reply> {
  const instances = limitOf(request.params, DEFAULT_INSTANCES, MAX_INSTANCES);
  const steps = stepsOf(request.params);
  return ofNow(deps, told, request, (reader, service, now) =>
    availabilityOf(reader, { service, now, instances, steps }),
  );
}

function performanceReply(deps: Deps, told: Told, request: HttpRequest): Promise<Reply> {
  const asSteps = request.params.has('steps');
  return ofNow(deps, told, request, function* (reader, service, now) {
    const figures = performanceOf(reader, service, now, asSteps);
    yield PERFORMANCE_COST;
    return figures;
  });
}

/**
 * What it says changes with the time: it is no answer that may be kept. It is made and written in slices, for as long as
 * whoever asks is there: many who ask at once, of one address or of several, hold nobody up, and what is made for one
 * address waits for nothing but to be written.
 */
async function ofNow(
  deps: Deps,
  { tellings, lines }: Told,
  request: HttpRequest,
  figures: (reader: Reader, service: string, now: number) => Steps<object>,
): Promise<Reply> {
  const service = required(request.rest, 'service name');
  const isTold = request.params.has('stream');
  function* made(): Steps<{ json: object; headers: Reply['headers'] & object }> {
    const { caller } = request;
    const state = deps.state();
    const reader = new Reader(state, caller.rights);
    const json = yield* figures(reader, service, logNow(state, deps.clock));
    return { json, headers: keptBackHeader(reader.hasHidden, caller) };
  }
  const written = async () => {
    await request.callerStill();
    const { json, headers } = await wantedBy(request, inSlices(made));
    const bytes = await wantedBy(request, encodeJsonBytes(json, request.pretty && !isTold));
    return { bytes, headers: { 'Content-Type': 'application/json', ...headers } };
  };
  const look = () => fresh(deps, request, () => lines.run(request, written));
  if (!isTold) return await look();
  return await tellings.open(request, {
    // The reader shows what may be seen.
    right: shows('service:read'),
    look: async () => (await look()).bytes,
    everyMs: TOLD_EVERY_MS,
  });
}

function askedOf(params: Params): Asked {
  return {
    since: sinceOf(params.get('since')),
    limit: limitOf(params, DEFAULT_ROWS, MAX_HISTORY_ROWS),
  };
}

function limitOf(params: Params, fallback: number, most: number): number {
  const sent = params.get('limit');
  if (sent === '') return fallback;
  if (/^\d{1,9}$/.test(sent) && Number(sent) > 0) return Math.min(Number(sent), most);
  throw new ProconsulError('invalid', `Invalid limit: ${quote(sent)}`);
}

function stepsOf(params: Params): number {
  const sent = params.get('steps');
  const steps = /^\d{0,3}$/.test(sent) ? Number(sent) : Number.NaN;
  if (steps <= MAX_STEPS) return steps;
  throw new ProconsulError('invalid', `Invalid steps: ${quote(sent)}`);
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function sinceOf(sent: string): number {
  if (sent === '') return 0;
  const ms = TIME.test(sent)
    ? Date.parse(sent)
    : Number(/^\d{1,11}(\.\d+)?$/.exec(sent)?.[0]) * 1000;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new ProconsulError('invalid', `Invalid since: ${quote(sent)}`);
}
