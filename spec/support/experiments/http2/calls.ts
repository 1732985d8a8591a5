/** Calls that a run makes: what either side says of each, how slowly it takes what the other says, and who breaks it off. */
import { constants, type Settings } from 'node:http2';
import type { Random } from '../../../../lib/random.ts';
import { among, bytesOf, chance, within } from './chance.ts';

/** Who ends it before it is whole, if anybody. */
export type Breaks = '' | 'caller' | 'host' | 'host before its answer';

export interface Call {
  readonly name: string;
  readonly method: string;
  readonly fields: Readonly<Record<string, string | string[]>>;
  readonly parts: readonly Buffer[];
  readonly trailers: Readonly<Record<string, string>>;
  readonly saysLength: boolean;
  /** Nothing of the other's body is read before its turn comes. */
  readonly callerWaits: boolean;
  readonly hostWaits: boolean;
  readonly breaks: Breaks;
  readonly code: number;
  readonly answer: CallAnswer;
}

interface CallAnswer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string | string[]>>;
  readonly parts: readonly Buffer[];
  readonly trailers: Readonly<Record<string, string>>;
  /** Before all of the request has come, or when it has. */
  readonly isEarly: boolean;
  readonly hints: boolean;
}

/** What happens while calls are under way, each when all rests. */
export type Event =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'caller settings' | 'host settings'; readonly settings: Settings }
  | { readonly kind: 'ping' }
  | { readonly kind: 'host leaves' };

export interface Play {
  readonly callerSettings: Settings;
  readonly hostSettings: Settings;
  readonly padding: number;
  readonly events: readonly Event[];
}

export function drawnPlay(random: Random): Play {
  const events: Event[] = [];
  const count = within(random, 1, 10);
  for (let i = 0; i < count; i++) {
    if (chance(random, 0.5)) events.push(drawnEvent(random));
    events.push({ kind: 'call', call: drawnCall(random, i) });
  }
  for (let i = within(random, 0, 3); i > 0; i--) events.push(drawnEvent(random));
  return {
    callerSettings: { ...drawnSettings(random), enablePush: false },
    hostSettings: { ...drawnSettings(random), maxConcurrentStreams: among(random, [1, 2, 5, 100]) },
    padding: among(random, [constants.PADDING_STRATEGY_NONE, constants.PADDING_STRATEGY_MAX]),
    events,
  };
}

function drawnEvent(random: Random): Event {
  switch (within(random, 0, 4)) {
    case 0:
      return { kind: 'ping' };
    case 1:
      return { kind: 'host leaves' };
    case 2:
      return { kind: 'host settings', settings: drawnSettings(random) };
    default:
      return { kind: 'caller settings', settings: drawnSettings(random) };
  }
}

function drawnSettings(random: Random): Settings {
  return {
    // Never so little that a body takes all day.
    initialWindowSize: among(random, [100, 1000, 65_535, 300_000]),
    headerTableSize: among(random, [0, 100, 4096, 65_536]),
    maxFrameSize: among(random, [16_384, 20_000, 1 << 20]),
  };
}

function drawnCall(random: Random, place: number): Call {
  const method = among(random, ['GET', 'POST', 'PUT', 'HEAD', 'DELETE']);
  const mayHaveBody = method === 'POST' || method === 'PUT';
  const parts = mayHaveBody && chance(random, 0.8) ? drawnParts(random) : [];
  const answer = drawnAnswer(random, method === 'HEAD', parts.length > 0);
  // Who breaks off what is over already breaks off nothing.
  const wanted = among(random, [
    '',
    '',
    '',
    '',
    '',
    'caller',
    'host',
    'host before its answer',
  ] as const);
  const breaks =
    answer.parts.length === 0 && (wanted === 'caller' || wanted === 'host') ? '' : wanted;
  return {
    name: String(place),
    ...{ method, parts, answer, breaks },
    fields: drawnFields(random, 'x-some'),
    trailers: parts.length > 0 && chance(random, 0.3) ? { 'x-behind': 'request' } : {},
    saysLength: parts.length > 0 && chance(random, 0.4),
    callerWaits: chance(random, 0.3),
    hostWaits: chance(random, 0.3),
    code: among(random, [constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR]),
  };
}

function drawnAnswer(random: Random, isOfHead: boolean, hasBody: boolean): CallAnswer {
  const status = among(random, [200, 200, 200, 201, 204, 206, 304, 404, 500]);
  const isBare = isOfHead || status === 204 || status === 304 || chance(random, 0.2);
  return {
    status,
    fields: drawnFields(random, 'x-answer'),
    parts: isBare ? [] : drawnParts(random),
    trailers: !isBare && chance(random, 0.3) ? { 'x-behind': 'answer', 'grpc-status': '0' } : {},
    isEarly: hasBody && chance(random, 0.3),
    hints: chance(random, 0.1),
  };
}

function drawnFields(random: Random, name: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (let i = within(random, 0, 3); i > 0; i--) {
    const value = among(random, ['1', '', 'a, b', 'v'.repeat(within(random, 1, 3000))]);
    fields[`${name}-${i}`] = value;
  }
  if (name === 'x-some' && chance(random, 0.2)) fields['cookie'] = 'a=b; c=d';
  if (name === 'x-answer' && chance(random, 0.2)) fields['set-cookie'] = ['a=b', 'c=d'];
  if (chance(random, 0.3)) fields['content-type'] = 'text/plain';
  return fields;
}

function drawnParts(random: Random): Buffer[] {
  return Array.from({ length: within(random, 1, 6) }, () =>
    bytesOf(
      random,
      among(random, [1, within(random, 1, 300), within(random, 300, 20_000), 70_000]),
    ),
  );
}
