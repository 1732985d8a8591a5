/** Passes questions on to the resolvers that dns_config names, and follows names through them. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { HEADER_BYTES, RCODE } from './wire.ts';

export interface RecursorsOptions {
  /** host:port of each. */
  readonly addresses: readonly string[];
  /** Of one of them; then the next is asked. */
  readonly timeoutMs: number;
  readonly strategy: 'sequential' | 'random';
  readonly clock: Clock;
  readonly random: Random;
}

export type Transport = 'udp' | 'tcp';

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Asking {
  readonly at: Address;
  readonly packet: Buffer;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export class Recursors {
  readonly #options: RecursorsOptions;
  readonly #addresses: readonly Address[];

  constructor(options: RecursorsOptions) {
    this.#options = options;
    this.#addresses = options.addresses.map(parseAddress);
  }

  get none(): boolean {
    return this.#addresses.length === 0;
  }

  /**
   * What the first recursor with an answer says, under the id of the question; undefined when none
   * has one. The question goes on as it came, over the transport that it came by.
   */
  async ask(question: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const { timeoutMs, clock } = this.#options;
    const ask = transport === 'udp' ? askUdp : askTcp;
    for (const at of this.#ordered()) {
      const packet = Buffer.from(question);
      // Whoever would forge an answer must guess it, and the port of a new socket.
      packet.writeUInt16BE(randomInt(65_536), 0);
      const answer = await ask({ at, packet, timeoutMs, clock });
      if (answer === undefined || !isUseful(answer)) continue;
      const own = Buffer.from(answer);
      question.copy(own, 0, 0, 2);
      return own;
    }
    return undefined;
  }

  #ordered(): readonly Address[] {
    const { strategy, random } = this.#options;
    if (strategy === 'sequential') return this.#addresses;
    const start = Math.floor(random.next() * this.#addresses.length);
    return [...this.#addresses.slice(start), ...this.#addresses.slice(0, start)];
  }
}

/** 'host:port', '[::1]:53'. */
function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(text.slice(colon + 1)) };
}

/** Another may do better on a failure; that there is no such name is an answer. */
function isUseful(answer: Buffer): boolean {
  const rcode = answer.readUInt16BE(2) & 0xf;
  return rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN;
}

/** The answer has the question's id, and where it has a question, the same. */
function answers(packet: Buffer, answer: Buffer): boolean {
  if (answer.length < HEADER_BYTES || answer.readUInt16BE(0) !== packet.readUInt16BE(0)) {
    return false;
  }
  if ((answer.readUInt16BE(2) & 0x8000) === 0) return false;
  if (answer.readUInt16BE(4) === 0) return true;
  const end = packet.indexOf(0, HEADER_BYTES) + 5;
  const asked = packet.toString('latin1', HEADER_BYTES, end).toLowerCase();
  return answer.toString('latin1', HEADER_BYTES, end).toLowerCase() === asked;
}

function askUdp({ at, packet, timeoutMs, clock }: Asking): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(at.host) ? 'udp6' : 'udp4');
    let open = true;
    const end = (answer: Buffer | undefined) => {
      if (!open) return;
      open = false;
      cancel();
      socket.close();
      resolve(answer);
    };
    const cancel = clock.after(timeoutMs, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('message', (answer) => {
      if (answers(packet, answer)) end(answer);
    });
    socket.connect(at.port, at.host, () => socket.send(packet));
  });
}

function askTcp({ at, packet, timeoutMs, clock }: Asking): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(at.port, at.host);
    let got = Buffer.alloc(0);
    const end = (answer: Buffer | undefined) => {
      cancel();
      socket.destroy();
      resolve(answer);
    };
    const cancel = clock.after(timeoutMs, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('data', (part) => {
      got = Buffer.concat([got, part]);
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
      const answer = got.subarray(2, 2 + got.readUInt16BE(0));
      end(answers(packet, answer) ? answer : undefined);
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(packet.length);
    socket.write(Buffer.concat([length, packet]));
  });
}
