/**
 * Questions that were read before, by all of their bytes but the id: clients send the same few again and again. Only
 * what has an answer that is kept is remembered: names that nobody has come without end.
 */
import { KNOWN_QUESTIONS, MAX_KNOWN_QUESTION_BYTES } from './limits.ts';
import type { Request } from './request.ts';

const ID_BYTES = 2;

export class KnownQuestions {
  readonly #known = new Map<string, Request>();

  get size(): number {
    return this.#known.size;
  }

  find(packet: Buffer): Request | undefined {
    if (packet.length > MAX_KNOWN_QUESTION_BYTES) return undefined;
    const known = this.#known.get(packet.toString('latin1', ID_BYTES));
    if (known === undefined) return undefined;
    const { wantsRecursion, question, type, key, edns } = known;
    return { packet, id: packet.readUInt16BE(0), wantsRecursion, question, type, key, edns };
  }

  keep(request: Request): void {
    const { packet, question } = request;
    if (packet.length > MAX_KNOWN_QUESTION_BYTES) return;
    // Those that are asked again come again.
    if (this.#known.size >= KNOWN_QUESTIONS) this.#known.clear();
    const bytes = packet.toString('latin1', ID_BYTES);
    // Of its own: what came with it would live as long.
    this.#known.set(bytes, { ...request, packet: NOTHING, question: Buffer.from(question) });
  }
}

const NOTHING = Buffer.alloc(0);
