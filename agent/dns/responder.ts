/** From the packet that came to the packet that goes back, whatever the transport. */
import type { DnsConfig } from '../../lib/config/config.ts';
import type { Found } from '../../lib/dns-lookups.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { answerOf } from './answer.ts';
import { type Answers, PASS_ON, type Said } from './answers.ts';
import {
  MAX_CACHED_ANSWERS,
  MAX_PENDING,
  MAX_TCP_BYTES,
  MAX_UDP_BYTES,
  PLAIN_UDP_BYTES,
} from './limits.ts';
import { encodePacket, refusalPacket, truncated } from './packet.ts';
import { PacketPool } from './packet-pool.ts';
import type { Recursors, Transport } from './recursors.ts';
import { labelsOf, parseRequest, type Request } from './request.ts';
import { reverseAddress } from './subject.ts';
import { RCODE } from './wire.ts';

export interface ResponderOptions {
  readonly answers: Answers;
  readonly recursors: Recursors;
  readonly config: DnsConfig;
  readonly random: Random;
  readonly logger: Logger;
}

/** undefined: nothing goes back. */
export type Response = Buffer | undefined | Promise<Buffer | undefined>;

export class Responder {
  readonly #options: ResponderOptions;
  /** The question asked for first goes first. */
  readonly #cache = new Map<string, Found<Said>>();
  readonly #pending = new Map<string, Promise<Found<Said>>>();
  readonly #pool = new PacketPool();
  #recursions = 0;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** How much it keeps and how much it waits for, each of them bounded. */
  get size(): { cached: number; pending: number } {
    return { cached: this.#cache.size, pending: this.#pending.size + this.#recursions };
  }

  /** Never throws and never rejects: packets come from anybody. */
  respond(packet: Buffer, transport: Transport): Response {
    const request = parseRequest(packet);
    if (request === undefined) return undefined;
    if ('rcode' in request) return refusalPacket(request);
    try {
      const found = this.#find(request);
      if (!(found instanceof Promise)) return this.#say(found.value, request, transport);
      return found
        .then(({ value }) => this.#say(value, request, transport))
        .catch((error) => this.#fail(error, request, transport));
    } catch (error) {
      return this.#fail(error, request, transport);
    }
  }

  #find(request: Request): Found<Said> | Promise<Found<Said>> {
    const { key } = request;
    const cached = this.#cache.get(key);
    if (cached?.isCurrent() === true) return cached;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const looked = this.#options.answers.answer(request);
    if (!(looked instanceof Promise)) return this.#keep(key, looked);
    if (this.#pending.size >= MAX_PENDING) throw new Error('too many questions wait');
    const waiting = looked
      .then((found) => this.#keep(key, found))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, waiting);
    return waiting;
  }

  /** Names that are not there are many, and cost no more to look up than to remember. */
  #keep(key: string, found: Found<Said>): Found<Said> {
    this.#cache.delete(key);
    if (found.value === PASS_ON || found.value.rcode !== RCODE.NOERROR) return found;
    this.#cache.set(key, found);
    if (this.#cache.size > MAX_CACHED_ANSWERS) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    return found;
  }

  #say(said: Said, request: Request, transport: Transport): Response {
    if (said === PASS_ON) return this.#passOn(request, transport);
    const { config, random } = this.#options;
    const room = {
      maxBytes: maxBytes(request, transport),
      udp: transport === 'udp',
      udpAnswerLimit: config.udpAnswerLimit,
      saysTruncated: config.enableTruncate,
    };
    return this.#pool.next(said, request, transport, () =>
      encodePacket(said, request, room, random.next),
    );
  }

  #passOn(request: Request, transport: Transport): Response {
    const { recursors } = this.#options;
    if (recursors.none) {
      // An address that nobody has is a question that nobody could pass on; so says Consul.
      if (reverseAddress(labelsOf(request.question)) !== undefined) {
        return this.#code(request, transport, RCODE.SERVFAIL, true);
      }
      return this.#code(request, transport, RCODE.REFUSED, false);
    }
    if (this.#recursions >= MAX_PENDING) {
      return this.#code(request, transport, RCODE.SERVFAIL, true);
    }
    this.#recursions++;
    return recursors
      .ask(request.packet, transport)
      .then((answer) => this.#passBack(answer, request, transport))
      .catch((error) => this.#fail(error, request, transport))
      .finally(() => {
        this.#recursions--;
      });
  }

  #passBack(answer: Buffer | undefined, request: Request, transport: Transport): Response {
    if (answer === undefined) return this.#code(request, transport, RCODE.SERVFAIL, true);
    return answer.length <= maxBytes(request, transport) ? answer : truncated(answer);
  }

  #fail(error: unknown, request: Request, transport: Transport): Response {
    this.#options.logger.debug(`dns: a question failed: ${describeChain(error)}`);
    return this.#code(request, transport, RCODE.SERVFAIL, !this.#options.recursors.none);
  }

  #code(request: Request, transport: Transport, rcode: number, recursionAvailable: boolean) {
    const answer = answerOf({ rcode, authoritative: false, recursionAvailable });
    return this.#say(answer, request, transport);
  }
}

function maxBytes({ edns = 0 }: Request, transport: Transport): number {
  if (transport === 'tcp') return MAX_TCP_BYTES;
  return Math.min(Math.max(edns, PLAIN_UDP_BYTES), MAX_UDP_BYTES);
}
