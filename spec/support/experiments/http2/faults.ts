/** What a side of HTTP/2 may say wrong: each is done to frames that were well. */
import type { Random } from '../../../../lib/random.ts';
import { FLAG, FRAME } from '../../../../sidecar/http/h2/frames.ts';
import { SETTING } from '../../../../sidecar/http/h2/settings.ts';
import { number, setting } from '../../servers/raw-h2.ts';
import type { Frame } from './caller-frames.ts';
import { among, bytesOf, chance, within } from './chance.ts';
import { type HeadWriter, numbered } from './heads.ts';

export interface Faulty {
  readonly random: Random;
  readonly frames: Frame[];
  readonly ids: readonly number[];
  readonly heads: HeadWriter;
}

/** Says what it is, where its name does not. */
type Wrong = (faulty: Faulty) => string | undefined;

/** By name, for what is told of a run. */
export const FAULTS: ReadonlyMap<string, Wrong> = new Map<string, Wrong>(
  Object.entries({
    lost: ({ random, frames }) => void frames.splice(place(random, frames), 1),
    twice: ({ random, frames }) => {
      const at = place(random, frames);
      frames.splice(at, 0, copied(frames[at] as Frame));
    },
    swapped: ({ random, frames }) => {
      const at = place(random, frames);
      const [one] = frames.splice(at, 1);
      frames.splice(Math.min(frames.length, at + 1), 0, one as Frame);
    },
    'of another stream': ({ random, frames, ids }) => {
      const most = Math.max(...ids);
      one(random, frames).id = among(random, [0, 2, 1, 3, most, most + 2, most + 40, 2 ** 31 - 1]);
    },
    'a flag': ({ random, frames }) => {
      one(random, frames).flags ^= among(random, [1, 4, 8, 32, 64]);
    },
    'of another type': ({ random, frames }) => {
      one(random, frames).type = among(random, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99]);
    },
    shorter: ({ random, frames }) => {
      const frame = one(random, frames);
      frame.payload = frame.payload.subarray(
        0,
        within(random, 0, Math.max(0, frame.payload.length - 1)),
      );
    },
    longer: ({ random, frames }) => {
      const frame = one(random, frames);
      frame.payload = Buffer.concat([
        frame.payload,
        bytesOf(random, among(random, [1, 5, 300, 16_384])),
      ]);
    },
    'a byte': ({ random, frames }) => {
      const frame = one(random, frames);
      const at = within(random, 0, Math.max(0, frame.payload.length - 1));
      frame.payload = Buffer.from(frame.payload);
      if (frame.payload.length > 0) frame.payload[at] = within(random, 0, 255);
    },
    'a frame': (faulty) => {
      between(faulty, [strange(faulty)]);
    },
    'a head': (faulty) => {
      const { random, heads, ids } = faulty;
      const id = Math.max(...ids) + 2;
      const [what, fields] = badHead(random);
      const flags = FLAG.endOfHead | (chance(random, 0.7) ? FLAG.end : 0);
      faulty.frames.push({ type: FRAME.head, flags, id, payload: heads.block(fields) });
      return what;
    },
    'a table': (faulty) => {
      const { random, ids, frames } = faulty;
      const id = Math.max(...ids) + 2;
      frames.push({
        type: FRAME.head,
        flags: FLAG.endOfHead | FLAG.end,
        id,
        payload: badBlock(random),
      });
    },
    'an end': ({ random, frames }) => void frames.splice(place(random, frames)),
  } satisfies Record<string, Wrong>),
);

function place(random: Random, frames: readonly Frame[]): number {
  return within(random, 0, frames.length - 1);
}

function one(random: Random, frames: Frame[]): Frame {
  const at = place(random, frames);
  const made = copied(frames[at] as Frame);
  frames[at] = made;
  return made;
}

function copied(frame: Frame): Frame {
  return { ...frame };
}

function between({ random, frames }: Faulty, some: readonly Frame[]): void {
  frames.splice(within(random, 0, frames.length), 0, ...some);
}

function strange({ random, ids }: Faulty): Frame {
  const id = among(random, ids);
  const most = Math.max(...ids);
  const some: readonly (() => Omit<Frame, 'flags'> & { readonly flags?: number })[] = [
    () => ({ type: FRAME.window, id: 0, payload: number(0) }),
    () => ({ type: FRAME.window, id, payload: number(0) }),
    () => ({ type: FRAME.window, id: 0, payload: number(2 ** 31 - 1) }),
    () => ({ type: FRAME.window, id, payload: number(2 ** 31 - 1) }),
    () => ({ type: FRAME.window, id: most + 2, payload: number(1) }),
    () => ({ type: FRAME.window, id: 2, payload: number(1) }),
    () => ({ type: FRAME.window, id, payload: Buffer.alloc(among(random, [0, 3, 5])) }),
    () => ({ type: FRAME.reset, id, payload: number(among(random, [0, 5, 8, 77])) }),
    () => ({ type: FRAME.reset, id: among(random, [0, 2, most + 2]), payload: number(8) }),
    () => ({ type: FRAME.reset, id, payload: Buffer.alloc(among(random, [0, 3, 5])) }),
    () => ({ type: FRAME.ping, id: 0, payload: Buffer.alloc(among(random, [0, 7, 9])) }),
    () => ({ type: FRAME.ping, id, payload: Buffer.alloc(8) }),
    () => ({ type: FRAME.ping, flags: FLAG.ack, id: 0, payload: Buffer.alloc(8) }),
    () => ({
      type: FRAME.settings,
      flags: FLAG.ack,
      id: 0,
      payload: number(1).subarray(0, among(random, [0, 4])),
    }),
    () => ({ type: FRAME.settings, id: 0, payload: Buffer.alloc(among(random, [1, 5, 7])) }),
    () => ({ type: FRAME.settings, id, payload: Buffer.alloc(0) }),
    () => ({ type: FRAME.settings, id: 0, payload: badSetting(random) }),
    () => ({ type: FRAME.priority, id, payload: Buffer.concat([number(id), Buffer.from([1])]) }),
    () => ({
      type: FRAME.priority,
      id: among(random, [0, id]),
      payload: Buffer.alloc(among(random, [4, 6])),
    }),
    () => ({
      type: FRAME.promise,
      flags: 4,
      id,
      payload: Buffer.concat([number(2), Buffer.from([0x82])]),
    }),
    () => ({ type: FRAME.more, flags: 4, id, payload: Buffer.from([0x82]) }),
    () => ({ type: FRAME.goaway, id: 0, payload: Buffer.alloc(among(random, [0, 7, 8, 20])) }),
    () => ({ type: FRAME.goaway, id, payload: Buffer.alloc(8) }),
    () => ({
      type: FRAME.data,
      id: among(random, [0, 2, most + 2, id]),
      payload: Buffer.from('x'),
    }),
    () => ({ type: FRAME.data, flags: FLAG.padded, id, payload: Buffer.from([9, 1]) }),
    () => ({ type: FRAME.data, flags: FLAG.padded, id, payload: Buffer.alloc(0) }),
    () => ({
      type: FRAME.head,
      flags: 5,
      id: among(random, [0, 2, id]),
      payload: Buffer.from([0x82, 0x86, 0x84]),
    }),
    () => ({
      type: FRAME.head,
      flags: 4 | 32,
      id: most + 2,
      payload: Buffer.concat([number(most + 2), Buffer.from([1, 0x82])]),
    }),
    () => ({
      type: within(random, 32, 255),
      id,
      payload: Buffer.alloc(among(random, [0, 16_384, 16_385])),
    }),
  ];
  return { flags: 0, ...among(random, some)() };
}

function badSetting(random: Random): Buffer {
  return among(random, [
    () => setting(SETTING.push, 2),
    () => setting(SETTING.push, 1),
    () => setting(SETTING.window, 2 ** 31),
    () => setting(SETTING.frame, 16_383),
    () => setting(SETTING.frame, 2 ** 24),
    () => setting(SETTING.table, 2 ** 32 - 1),
    () => setting(SETTING.list, 0),
    () => setting(SETTING.streams, 0),
    () => Buffer.concat([setting(SETTING.window, 2 ** 31 - 1), setting(SETTING.window, 0)]),
    // Extended CONNECT, of which nobody here has spoken.
    () => setting(8, 2),
  ])();
}

const FIRST = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'x'];

function badHead(random: Random): readonly [string, readonly string[]] {
  const some: Readonly<Record<string, readonly string[]>> = {
    'upper case': [...FIRST, 'X-Upper', '1'],
    'no name': [...FIRST, '', '1'],
    'a space in a name': [...FIRST, 'a b', '1'],
    'a colon in a name': [...FIRST, 'a:b', '1'],
    'a line feed': [...FIRST, 'a', 'b\nc'],
    'a return': [...FIRST, 'a', 'b\r'],
    'a null': [...FIRST, 'a', 'b\0c'],
    'spaces around': [...FIRST, 'a', ' b '],
    'a bell': [...FIRST, 'a', 'b\x07c'],
    'two paths': [...FIRST, ':path', '/other'],
    'a path behind': [...FIRST.slice(0, 4), 'a', 'b', ...FIRST.slice(4)],
    'an unknown one': [...FIRST, ':other', '1'],
    'a status': [...FIRST, ':status', '200'],
    'no method': FIRST.slice(2),
    'no path': [...FIRST.slice(0, 4), ...FIRST.slice(6)],
    'no scheme': [...FIRST.slice(0, 2), ...FIRST.slice(4)],
    'no authority': FIRST.slice(0, 6),
    'an empty path': [...FIRST.slice(0, 5), '', ...FIRST.slice(6)],
    'a path without a slash': [...FIRST.slice(0, 5), 'x', ...FIRST.slice(6)],
    'a star': ['x', 'OPTIONS', ...FIRST.slice(2, 5), '*', ...FIRST.slice(6)].with(0, ':method'),
    'a tunnel': [':method', 'CONNECT', ':authority', 'x'],
    'a tunnel with a path': [':method', 'CONNECT', ...FIRST.slice(2)],
    'a connection': [...FIRST, 'connection', 'close'],
    chunks: [...FIRST, 'transfer-encoding', 'chunked'],
    'an upgrade': [...FIRST, 'upgrade', 'h2c'],
    'a keep-alive': [...FIRST, 'keep-alive', '1'],
    'other te': [...FIRST, 'te', 'gzip'],
    'another host': [...FIRST, 'host', 'y'],
    'two hosts': [...FIRST.slice(0, 6), 'host', 'x', 'host', 'y'],
    'a length without a body': [...FIRST, 'content-length', '5'],
    'a length that is none': [...FIRST, 'content-length', 'x'],
    'two lengths': [...FIRST, 'content-length', '0', 'content-length', '0'],
    'a scheme that is none': [':method', 'GET', ':scheme', '1 2', ...FIRST.slice(4)],
    'a method that is none': [':method', 'G T', ...FIRST.slice(2)],
    'a user': [...FIRST.slice(0, 7), 'u@x'],
    'a fragment': [...FIRST.slice(0, 5), '/#x', ...FIRST.slice(6)],
    nothing: [],
    'too much': [...FIRST, ...Array.from({ length: 10 }, () => ['a', 'v'.repeat(4000)]).flat()],
    'far too much': [...FIRST, ...Array.from({ length: 30 }, () => ['a', 'v'.repeat(4000)]).flat()],
  };
  return among(random, Object.entries(some));
}

function badBlock(random: Random): Buffer {
  return among(random, [
    // Places where nothing is.
    () => Buffer.from([0x80]),
    () => numbered(0x80, 7, 62 + 500),
    () => numbered(0x40, 6, 62 + 500),
    // Larger than was ever allowed; behind a field; thrice.
    () => Buffer.concat([numbered(0x20, 5, 5000), Buffer.from([0x82])]),
    () => Buffer.concat([Buffer.from([0x82]), numbered(0x20, 5, 100)]),
    () => Buffer.concat([0, 0, 4096].map((size) => numbered(0x20, 5, size))),
    // Numbers without an end.
    () => Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    () => Buffer.from([0xff, 0x80]),
    // Texts that are longer than all there is.
    () => Buffer.from([0x00, 0x05, 0x61]),
    () => Buffer.from([0x00, 0x01, 0x61]),
    // Huffman's code with its end, with zeros behind, with more than a byte of ones.
    () => Buffer.from([0x00, 0x01, 0x61, 0x84, 0xff, 0xff, 0xff, 0xff]),
    () => Buffer.from([0x00, 0x01, 0x61, 0x81, 0x18]),
    () => Buffer.from([0x00, 0x01, 0x61, 0x82, 0x1f, 0xff]),
    () => bytesOf(random, within(random, 1, 40)),
    () => Buffer.from(Array.from({ length: within(random, 1, 60) }, () => within(random, 0, 255))),
  ])();
}
