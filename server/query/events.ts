/** User events: which of them are for a node. */

import { REMOTE_EXEC } from '../../lib/events.ts';
import type { UserEvent } from '../../lib/model.ts';
import { boundedPattern, MAX_PATTERN_INSTRUCTIONS, type Pattern } from '../../lib/regexp.ts';
import type { Steps } from '../../lib/slices.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

/** As slices count: of a pattern that is compiled, of a text that one is looked for in, and of each character of it. */
const COST = { compile: 16 * 1024, text: 64, character: 1 };

/** Changes whenever `eventsIn` may come to others. */
export function eventsFor(node: string, name: string): Query {
  return {
    key: keyOf('event/list', node, name),
    run: (reader) => {
      const byServices = namedSo(reader, name).some(({ ServiceFilter }) => ServiceFilter !== '');
      if (byServices) reader.instancesThatTell(node);
      return {};
    },
  };
}

/** In slices: there may be thousands of services on a node, and as many patterns as events. */
export function* eventsIn(reader: Reader, node: string, name: string): Steps<readonly UserEvent[]> {
  const on = [...reader.instancesThatTell(node)];
  const events: UserEvent[] = [];
  for (const event of namedSo(reader, name)) {
    if (yield* isFor(on, event, node)) events.push(event);
  }
  return events;
}

function namedSo(reader: Reader, name: string): UserEvent[] {
  return reader.events().filter(({ Name }) => (name === '' ? Name !== REMOTE_EXEC : Name === name));
}

interface Reach {
  readonly node: Pattern | undefined;
  readonly service: Pattern | undefined;
  readonly tag: Pattern | undefined;
}

/** Patterns are compiled once an event, not once a reader; they go with their events. */
const reaches = new WeakMap<UserEvent, Reach>();

function reachOf(event: UserEvent): Reach {
  const known = reaches.get(event);
  if (known !== undefined) return known;
  const compile = (text: string) =>
    text === '' ? undefined : boundedPattern(text, MAX_PATTERN_INSTRUCTIONS);
  const reach = {
    node: compile(event.NodeFilter),
    service: compile(event.ServiceFilter),
    tag: compile(event.TagFilter),
  };
  reaches.set(event, reach);
  return reach;
}

interface Told {
  readonly Service: string;
  readonly Tags: readonly string[];
}

/** Whether the event reaches this node, by the node's name and the services on it. */
function* isFor(on: readonly Told[], event: UserEvent, name: string): Steps<boolean> {
  if (!reaches.has(event)) yield COST.compile;
  const { node, service, tag } = reachOf(event);
  if (node?.test(name) === false) return false;
  if (service === undefined) return true;
  // Many are of one service.
  const services = new Map<string, boolean>();
  for (const { Service, Tags } of on) {
    let isMeant = services.get(Service);
    if (isMeant === undefined) {
      isMeant = service.test(Service);
      services.set(Service, isMeant);
      yield costOf(service, Service);
    }
    if (!isMeant) continue;
    if (tag === undefined) return true;
    for (const each of Tags) {
      if (tag.test(each)) return true;
      yield costOf(tag, each);
    }
  }
  return false;
}

function costOf({ instructions }: Pattern, { length }: string): number {
  return COST.text + COST.character * instructions * length;
}
