/** From the packet that came to the packet that goes back, whatever the transport. */
import { ByteCache } from '../../lib/byte-cache.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DnsConfig } from '../../lib/config/config.ts';
import type { Found } from '../../lib/dns-lookups.ts';
import { describeChain, isForbidden } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { hasRoom, inRoom } from '../../lib/looking.ts';
import type { Random } from '../../lib/random.ts';
import { answerOf, type DnsAnswer } from './answer.ts';
import { type Decision, type DnsAnswers, PASS_ON } from './answers.ts';
import { KnownQuestions } from './known-questions.ts';
import {
  ANSWER_BYTES,
  GROUP_BYTES,
  MAX_CACHED_BYTES,
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
  readonly answers: DnsAnswers;
  readonly recursors: Recursors;
  readonly config: DnsConfig;
  readonly random: Random;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** undefined: nothing goes back. */
export type Response = Buffer | undefined | Promise<Buffer | undefined>;

export class Responder {
  readonly #options: ResponderOptions;
  readonly #cache = new ByteCache<string, Remembered>({ maxBytes: MAX_CACHED_BYTES });
  readonly #questions = new KnownQuestions();
  readonly #pending = new Map<string, Promise<Found<Decision>>>();
  #recursions = 0;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** How much it keeps and how much it waits for, each of them bounded. */
  get size(): { cachedBytes: number; pending: number; questions: number } {
    const pending = this.#pending.size + this.#recursions;
    return { cachedBytes: this.#cache.bytes, pending, questions: this.#questions.size };
  }

  /** Never throws and never rejects: packets come from anybody, `from` that address. */
  respond(packet: Buffer, transport: Transport, from = ''): Response {
    const known = this.#questions.find(packet);
    const request = known ?? parseRequest(packet);
    if (request === undefined) return undefined;
    if ('rcode' in request) return refusalPacket(request);
    try {
      const kept = this.#cache.get(request.key);
      if (kept?.value.found.isCurrent() === true) {
        if (known === undefined) this.#questions.keep(request);
        return this.#say(kept.value.found.value, request, transport, kept);
      }
      const found = this.#look(request, from);
      if (!(found instanceof Promise)) return this.#say(found.value, request, transport);
      return found
        .then(({ value }) => this.#say(value, request, transport))
        .catch((error) => this.#fail(error, request, transport));
    } catch (error) {
      return this.#fail(error, request, transport);
    }
  }

  /** In line where the turn has no room for it: of a large service it takes some milliseconds. */
  #look(request: Request, from: string): Found<Decision> | Promise<Found<Decision>> {
    const { key } = request;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const { answers, clock } = this.#options;
    // What is not answered is not looked up either; with room in this turn nobody has to wait.
    if (this.#pending.size >= MAX_PENDING && !hasRoom()) throw new Error('too many questions wait');
    // Others may ask the same by the time that he has gone.
    const asking = { remoteAddress: from, onceOver: () => undefined };
    const looked = inRoom(asking, clock, () => answers.answer(request));
    if (!(looked instanceof Promise)) return this.#keep(key, looked);
    if (this.#pending.size >= MAX_PENDING) {
      // Nobody hears what becomes of it.
      looked.catch(() => undefined);
      throw new Error('too many questions wait');
    }
    const waiting = looked
      .then((found) => this.#keep(key, found))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, waiting);
    return waiting;
  }

  /** Names that are not there are many, and cost no more to look up than to remember. */
  #keep(key: string, found: Found<Decision>): Found<Decision> {
    const { value } = found;
    if (value === PASS_ON || value.rcode !== RCODE.NOERROR) this.#cache.delete(key);
    else this.#cache.keep(key, { found, packets: new PacketPool(value) }, bytesOf(value));
    return found;
  }

  #say(
    decision: Decision,
    request: Request,
    transport: Transport,
    kept = this.#cache.get(request.key),
  ): Response {
    if (decision === PASS_ON) return this.#passOn(request, transport);
    const { config, random } = this.#options;
    const room = {
      maxBytes: maxBytes(request, transport),
      udp: transport === 'udp',
      udpAnswerLimit: config.udpAnswerLimit,
      saysTruncated: config.enableTruncate,
    };
    const encode = () => encodePacket(decision, request, room, random.next);
    if (kept === undefined || kept.value.found.value !== decision) return encode();
    const { packets } = kept.value;
    const before = packets.bytes;
    const packet = packets.next(request, transport, encode);
    if (packets.bytes !== before) kept.resize(bytesOf(decision) + packets.bytes);
    return packet;
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
    // It is known what there is, and not said: so says Consul.
    const authoritative = isForbidden(error);
    const recursionAvailable = !this.#options.recursors.none;
    const answer = answerOf({ rcode: RCODE.SERVFAIL, authoritative, recursionAvailable });
    return this.#say(answer, request, transport);
  }

  #code(request: Request, transport: Transport, rcode: number, recursionAvailable: boolean) {
    const answer = answerOf({ rcode, authoritative: false, recursionAvailable });
    return this.#say(answer, request, transport);
  }
}

/** An answer with its packets. */
interface Remembered {
  readonly found: Found<Decision>;
  readonly packets: PacketPool;
}

function bytesOf({ groups, authority, additional }: DnsAnswer): number {
  const { records } = authority;
  return ANSWER_BYTES + groups.size * GROUP_BYTES + records.length + additional.records.length;
}

function maxBytes({ edns = 0 }: Request, transport: Transport): number {
  if (transport === 'tcp') return MAX_TCP_BYTES;
  return Math.min(Math.max(edns, PLAIN_UDP_BYTES), MAX_UDP_BYTES);
}
