/** /v1/event: user events. They are in the log, so that every server has all of them in one order. */
import type { Caller } from '../../../lib/acl/rights.ts';
import type { Cancel } from '../../../lib/clock.ts';
import { gone, ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { changes, shows } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param, READING } from '../../../lib/http/takes.ts';
import { MAX_EVENT_BODY_BYTES } from '../../../lib/limits.ts';
import type { UserEvent } from '../../../lib/model.ts';
import { boundedPattern, MAX_PATTERN_INSTRUCTIONS } from '../../../lib/regexp.ts';
import { inSlices, wantedBy } from '../../../lib/slices.ts';
import { eventsFor, eventsIn } from '../../query/events.ts';
import type { Answer, Wait } from '../../query/live-answer.ts';
import { asked, type Question } from '../../query/query.ts';
import { Reader } from '../../query/reader.ts';
import {
  askingNode,
  type ClusterDeps,
  type PlaceDeps,
  type ReadDeps,
  required,
  type WriteDeps,
  writeAs,
} from '../deps.ts';
import { waitOf } from '../reads.ts';
import { withJitter } from '../shared-read.ts';

type Deps = ReadDeps & WriteDeps & PlaceDeps & ClusterDeps;

export function eventRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/event/fire/',
      rest: 'name',
      params: {
        node: param.text('a regular expression: only nodes with such a name'),
        service: param.text('the same for services: only nodes that have one'),
        tag: param.text('the same for their tags; together with service'),
      },
      body: { what: 'what the event says' },
      right: changes('event:write', ['event:write']),
      does: 'fires a user event',
      handle: (request) => fire(deps, request),
    },
    {
      method: 'GET',
      path: '/v1/event/list',
      params: {
        name: param.text('only events of this name'),
        index: READING.index,
        wait: READING.wait,
      },
      right: shows('event:read'),
      anyDatacenter: true,
      does: 'lists the newest 256 user events that are for this node',
      handle: (request) => list(deps, request),
    },
  ];
}

async function fire(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { rest, params } = request;
  const name = required(rest, 'name');
  const payload = await request.body(MAX_EVENT_BODY_BYTES);
  const event: Omit<UserEvent, 'LTime'> = {
    ID: deps.random.uuid(),
    Name: name,
    Payload: payload.length === 0 ? null : payload.toString('base64'),
    NodeFilter: pattern('node', params.get('node')),
    ServiceFilter: pattern('service', params.get('service')),
    TagFilter: pattern('tag', params.get('tag')),
    Version: 1,
  };
  if (event.TagFilter !== '' && event.ServiceFilter === '') {
    throw new ProconsulError('rejected', 'Cannot provide tag filter without service filter');
  }
  await writeAs(request, deps, { type: 'fire-event', event });
  return { json: { ...event, LTime: 0 } };
}

function pattern(what: string, text: string): string {
  if (text === '') return '';
  try {
    boundedPattern(text, MAX_PATTERN_INSTRUCTIONS);
    return text;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : '';
    throw new ProconsulError('rejected', `Invalid ${what} filter: ${reason}`, { cause });
  }
}

/**
 * The index is made of the newest event's id, so that it says which event is the newest, and
 * nothing else: it goes up and down. Whoever sends the one that we have waits for another.
 */
async function list(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { params, signal } = request;
  const seen = params.uint64('index');
  const waitMs = withJitter(waitOf(params).waitMs, deps.random.next());
  const node = askingNode(deps, request);
  const query = eventsFor(node, params.get('name'));
  let { caller } = request;
  const deadline = deps.clock.monotonic() + waitMs;
  for (;;) {
    if (!caller.stands()) caller = await request.callerNow();
    const question = asked(query, caller.rights);
    const answer = await deps.answers.readInRoom(question, request);
    const { rights } = caller;
    const look = () => eventsIn(new Reader(deps.state(), rights), node, params.get('name'));
    const events = await wantedBy(request, inSlices(look));
    if (!caller.stands()) continue;
    const index = indexOfEvents(events);
    const leftMs = deadline - deps.clock.monotonic();
    if (seen === undefined || seen === 0n || index !== seen || leftMs <= 0) {
      return reply(events);
    }
    const wait = { seenIndex: answer.index, waitMs: leftMs };
    const next = await nextOf(deps, question, wait, { caller, signal });
    // Nothing new, and yet an answer: the wait is over, or the server stops.
    const isOver = next !== undefined && next.index <= answer.index;
    if (isOver && caller.stands()) return reply(events);
  }
}

interface Waiting {
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** The next answer, or undefined once the caller has fallen. */
async function nextOf(
  deps: Pick<ReadDeps, 'answers' | 'standing'>,
  question: Question,
  wait: Wait,
  { caller, signal }: Waiting,
): Promise<Answer | undefined> {
  // It would never be told: nothing follows for him.
  if (signal.aborted) throw gone();
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  let unwatch: Cancel = () => undefined;
  const fallen = new Promise<undefined>((resolve) => {
    const falling = { fallen: () => resolve(undefined) };
    const watched = deps.standing.watch(caller, falling);
    unwatch = () => watched?.leave(falling);
  });
  signal.addEventListener('abort', unwatch, { once: true });
  try {
    return await Promise.race([deps.answers.next(question, wait, ends), fallen]);
  } finally {
    unwatch();
    over.abort();
  }
}

function reply(events: readonly UserEvent[]): Reply {
  return { json: events, headers: { 'X-Consul-Index': String(indexOfEvents(events)) } };
}

function indexOfEvents(events: readonly UserEvent[]): bigint {
  const id = events.at(-1)?.ID.replaceAll('-', '');
  if (id === undefined) return 1n;
  return BigInt(`0x${id.slice(0, 16)}`) ^ BigInt(`0x${id.slice(16)}`);
}
