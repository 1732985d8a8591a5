/** What a caller says by HTTP/2: requests as they should be, among frames that make no difference. */

import type { Random } from '../../../../lib/random.ts';
import { FLAG, FRAME } from '../../../../sidecar/http/h2/frames.ts';
import { SETTING } from '../../../../sidecar/http/h2/settings.ts';
import { framed, number, setting } from '../../servers/raw-h2.ts';
import { among, bytesOf, chance, within } from './chance.ts';
import type { HeadWriter } from './heads.ts';

/** Before it is bytes: so it can be changed. */
export interface Frame {
  type: number;
  flags: number;
  id: number;
  payload: Buffer;
}

export function bytesIn(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.map(({ type, flags, id, payload }) => framed(type, flags, id, payload)),
  );
}

export interface Message {
  readonly fields: readonly string[];
  readonly parts: readonly Buffer[];
  readonly trailers: readonly string[];
}

/** Of a body behind a head of these fields, as a whole message. */
export function message(random: Random, fields: readonly string[], mayHaveBody = true): Message {
  const parts = !mayHaveBody || chance(random, 0.3) ? [] : drawnParts(random);
  const bytes = parts.reduce((all, part) => all + part.length, 0);
  const length = parts.length > 0 && chance(random, 0.4) ? ['content-length', String(bytes)] : [];
  const trailers = mayHaveBody && chance(random, 0.25) ? drawnFields(random, 'x-end') : [];
  return { fields: [...fields, ...drawnFields(random, 'x-some'), ...length], parts, trailers };
}

export function request(random: Random, place: number): Message {
  const method = among(random, ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
  const path = `/${place}${among(random, ['', '?a=b', '/c%20d', `/${'e'.repeat(200)}`])}`;
  const said = [
    [':method', method],
    [':scheme', 'http'],
    [':path', path],
    [':authority', among(random, ['x', 'web.example:80'])],
  ];
  // They may stand in any order among themselves.
  if (chance(random, 0.3)) said.reverse();
  return message(random, said.flat(), method !== 'GET' || chance(random, 0.5));
}

export function drawnFields(random: Random, name: string): string[] {
  const fields: string[] = [];
  for (let i = within(random, 0, 4); i > 0; i--) {
    const which = among(random, [name, `${name}-more`, 'accept-language', 'x-trace']);
    const value = among(random, [
      '1',
      '',
      'a, b',
      '\xe9\xff',
      'v'.repeat(within(random, 1, 400)),
      'a\tb',
    ]);
    fields.push(which, value);
  }
  if (name === 'x-some' && chance(random, 0.2)) fields.push('cookie', 'a=b', 'cookie', 'c=d');
  if (name === 'x-some' && chance(random, 0.1)) fields.push('te', 'trailers');
  return fields;
}

function drawnParts(random: Random): Buffer[] {
  const parts: Buffer[] = [];
  for (let i = within(random, 1, 5); i > 0; i--) {
    parts.push(
      bytesOf(random, among(random, [0, 1, within(random, 2, 200), within(random, 200, 9000)])),
    );
  }
  return parts;
}

/** In its frames, each when it is written: the head perhaps in many, with or without padding and priority. */
function steps(
  random: Random,
  id: number,
  { fields, parts, trailers }: Message,
  heads: HeadWriter,
): (() => Frame[])[] {
  const isBare = parts.length === 0 && trailers.length === 0;
  const all = [() => headFrames(random, id, heads.block(fields), isBare)];
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1 && trailers.length === 0;
    const frame = { type: FRAME.data, flags: isLast ? FLAG.end : 0, id, payload: part };
    all.push(() => [padded(random, frame)]);
  }
  if (trailers.length > 0) all.push(() => headFrames(random, id, heads.block(trailers), true));
  return all;
}

export function headFrames(random: Random, id: number, block: Buffer, isEnd: boolean): Frame[] {
  const cuts = chance(random, 0.7) ? 0 : among(random, [1, 1, 2, 2, 6]);
  const parts: Buffer[] = [];
  let rest = block;
  for (let i = 0; i < cuts; i++) {
    const at = within(random, 0, rest.length);
    parts.push(rest.subarray(0, at));
    rest = rest.subarray(at);
  }
  parts.push(rest);
  return parts.map((part, i) => {
    const end = i === parts.length - 1 ? FLAG.endOfHead : 0;
    if (i > 0) return { type: FRAME.more, flags: end, id, payload: part };
    const isWeighed = chance(random, 0.15);
    const flags = end | (isEnd ? FLAG.end : 0) | (isWeighed ? FLAG.priority : 0);
    const payload = isWeighed
      ? Buffer.concat([
          number(
            among(
              random,
              [0, 1, 0x80000003].filter((on) => (on & 0x7fffffff) !== id),
            ),
          ),
          Buffer.from([7]),
          part,
        ])
      : part;
    return padded(random, { type: FRAME.head, flags, id, payload });
  });
}

function padded(random: Random, frame: Frame): Frame {
  if (!chance(random, 0.15)) return frame;
  const padding = within(random, 0, 255);
  const payload = Buffer.concat([Buffer.from([padding]), frame.payload, Buffer.alloc(padding)]);
  return { ...frame, flags: frame.flags | FLAG.padded, payload };
}

/** Between all others: whoever hears it goes on as before. */
function aside(random: Random, ids: readonly number[]): Frame[] {
  const id = among(random, ids);
  switch (within(random, 0, 6)) {
    case 0:
      return [{ type: FRAME.ping, flags: 0, id: 0, payload: bytesOf(random, 8) }];
    case 1:
      return [
        {
          type: FRAME.priority,
          flags: 0,
          id,
          payload: Buffer.concat([number(id === 1 ? 0 : id - 2), Buffer.from([3])]),
        },
      ];
    case 2:
      return [
        {
          type: within(random, 32, 255),
          flags: within(random, 0, 255),
          id: among(random, [0, id]),
          payload: bytesOf(random, within(random, 0, 30)),
        },
      ];
    case 3:
      return [{ type: FRAME.window, flags: 0, id: 0, payload: number(within(random, 1, 100_000)) }];
    case 4:
      return [{ type: FRAME.settings, flags: 0, id: 0, payload: setting(0x42, 7) }];
    case 5: {
      const window = among(random, [0, 1, 300, 65_535, 1 << 20]);
      return [{ type: FRAME.settings, flags: 0, id: 0, payload: setting(SETTING.window, window) }];
    }
    default: {
      return [
        {
          type: FRAME.settings,
          flags: 0,
          id: 0,
          payload: setting(SETTING.table, among(random, [0, 100, 4096])),
        },
      ];
    }
  }
}

/** All in one order, as chance has it: streams begin in theirs, and heads refer to those that were written before. */
export function conversation(
  random: Random,
  messages: readonly (readonly [id: number, Message])[],
  heads: HeadWriter,
): Frame[] {
  const all: Frame[] = [];
  const waiting = messages.map(([id, message]) => steps(random, id, message, heads));
  const begun: (() => Frame[])[][] = [];
  const ids = messages.map(([id]) => id);
  while (waiting.length > 0 || begun.length > 0) {
    if (chance(random, 0.2)) all.push(...aside(random, ids));
    const isNext = begun.length === 0 || (waiting.length > 0 && chance(random, 0.4));
    if (isNext) begun.push(waiting.shift() as (() => Frame[])[]);
    const one = isNext ? (begun.at(-1) as (() => Frame[])[]) : among(random, begun);
    all.push(...(one.shift()?.() ?? []));
    if (one.length === 0) begun.splice(begun.indexOf(one), 1);
  }
  return all;
}
