/** What each side of a connection of HTTP/2 tells the other about itself. */
import { CODE, FIRST_WINDOW, FRAME, MAX_FRAME, MAX_WINDOW, type Outgoing } from './frames.ts';

export const SETTING = { table: 1, push: 2, streams: 3, window: 4, frame: 5, list: 6 } as const;

const BYTES = 6;
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** What comes on all streams before it is said that more may come. */
export const SESSION_WINDOW = 1024 * 1024;

export interface Own {
  /** Of what comes on one stream, until somebody takes it. */
  readonly windowBytes: number;
  /** Of a head, as the RFC counts them. */
  readonly maxHeadBytes: number;
  /** Undefined where requests are sent, and not answered. */
  readonly maxStreams: number | undefined;
}

export function greet(out: Outgoing, { windowBytes, maxHeadBytes, maxStreams }: Own): void {
  const settings = [
    [SETTING.window, windowBytes],
    [SETTING.list, maxHeadBytes],
    maxStreams === undefined ? [SETTING.push, 0] : [SETTING.streams, maxStreams],
  ] as const;
  if (maxStreams === undefined) out.text(PREFACE);
  out.frame(FRAME.settings, 0, 0, settings.length * BYTES);
  for (const [name, value] of settings) {
    out.text(String.fromCharCode(0, name));
    out.number(value);
  }
  out.frame(FRAME.window, 0, 0, 4);
  out.number(SESSION_WINDOW - FIRST_WINDOW);
}

/** In their order; a number for what is wrong with them. */
export function settingsIn(payload: Buffer, isServer: boolean) {
  if (payload.length % BYTES !== 0) return CODE.size;
  const settings: (readonly [name: number, value: number])[] = [];
  for (let at = 0; at < payload.length; at += BYTES) {
    const [name, value] = [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)];
    const code = faultOf(name, value, isServer);
    if (code !== CODE.none) return code;
    settings.push([name, value]);
  }
  return settings;
}

function faultOf(name: number, value: number, isServer: boolean): number {
  switch (name) {
    case SETTING.push:
      return value > (isServer ? 1 : 0) ? CODE.protocol : CODE.none;
    case SETTING.window:
      return value > MAX_WINDOW ? CODE.flow : CODE.none;
    case SETTING.frame:
      return value < MAX_FRAME || value >= 2 ** 24 ? CODE.protocol : CODE.none;
    default:
      return CODE.none;
  }
}
