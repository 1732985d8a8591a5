/** Resource records, ready for a packet. */
import { ipBytes } from '../../lib/ip.ts';
import { wireName } from './names.ts';
import { CLASS_IN, TYPE } from './wire.ts';

const MAX_TTL_S = 2 ** 31 - 1;
const MAX_TEXT_BYTES = 255;

/** All of a record but its owner: type, class, TTL, length, data. */
export function tail(type: number, ttlS: number, data: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(10 + data.length);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(CLASS_IN, 2);
  bytes.writeUInt32BE(Math.min(ttlS, MAX_TTL_S), 4);
  bytes.writeUInt16BE(data.length, 8);
  data.copy(bytes, 10);
  return bytes;
}

/** The A or AAAA of an address; undefined when it is not an IP. */
export function addressTail(address: string, ttlS: number): Buffer | undefined {
  const data = ipBytes(address);
  if (data === undefined) return undefined;
  return tail(data.length === 4 ? TYPE.A : TYPE.AAAA, ttlS, data);
}

export interface Srv {
  readonly weight: number;
  readonly port: number;
  /** In full: RFC 2782 forbids to shorten it. */
  readonly target: Buffer;
}

/** Where in an SRV's tail its target begins. */
export const SRV_TARGET_AT = 16;

export function srvTail({ weight, port, target }: Srv, ttlS: number): Buffer {
  const data = Buffer.allocUnsafe(6 + target.length);
  data.writeUInt16BE(1, 0);
  data.writeUInt16BE(weight, 2);
  data.writeUInt16BE(port, 4);
  target.copy(data, 6);
  return tail(TYPE.SRV, ttlS, data);
}

/** A text longer than a TXT's string can be goes into several, which readers join. */
export function txtTail(text: string, ttlS: number): Buffer {
  const bytes = Buffer.from(text);
  const strings: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_TEXT_BYTES) {
    const part = bytes.subarray(at, at + MAX_TEXT_BYTES);
    strings.push(Buffer.from([part.length]), part);
  }
  return tail(TYPE.TXT, ttlS, Buffer.concat(strings));
}

export interface Soa {
  /** With the dot. */
  readonly domain: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minTtl: number;
}

export function soaTail(soa: Soa): Buffer {
  const numbers = Buffer.allocUnsafe(20);
  numbers.writeUInt32BE(soa.serial, 0);
  numbers.writeUInt32BE(soa.refresh, 4);
  numbers.writeUInt32BE(soa.retry, 8);
  numbers.writeUInt32BE(soa.expire, 12);
  numbers.writeUInt32BE(soa.minTtl, 16);
  const names = [wireName(`ns.${soa.domain}`), wireName(`hostmaster.${soa.domain}`)];
  const data = Buffer.concat([...names.map((name) => name ?? Buffer.from([0])), numbers]);
  return tail(TYPE.SOA, soa.minTtl, data);
}

/**
 * A node's meta as the text of a TXT, by RFC 1464; keys that begin with 'rfc1035-' stand for the
 * bare value.
 */
export function metaText(key: string, value: string): string {
  if (key.toLowerCase().startsWith('rfc1035-')) return value;
  const quoted = key.replace(/[`=]|^[ \t]+|[ \t]+$/g, (found) => found.replace(/./g, '`$&'));
  return `${quoted}=${value}`;
}
