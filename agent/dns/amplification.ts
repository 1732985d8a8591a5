/**
 * Keeps the server from being used against others: whoever forges an address makes it send to that
 * address what nobody there asked for.
 */
import type { Clock } from '../../lib/clock.ts';
import { ipBytes } from '../../lib/ip.ts';
import {
  AMPLIFIED_BURST_BYTES,
  AMPLIFIED_BYTES_PER_S,
  FREE_AMPLIFICATION,
  MAX_WEIGHED_NETWORKS,
} from './limits.ts';

interface Budget {
  bytes: number;
  atMs: number;
}

/** Budgets of large answers, one for each network: a victim owns more than one address. */
export class Amplification {
  readonly #clock: Clock;
  /** The one that was opened first goes first. */
  readonly #budgets = new Map<string, Budget>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#budgets.size;
  }

  /** Whether an answer may go out; one that may not is to be asked for over TCP. */
  allows(address: string, askedBytes: number, answerBytes: number): boolean {
    if (answerBytes <= askedBytes * FREE_AMPLIFICATION || isLoopback(address)) return true;
    const budget = this.#budgetOf(networkOf(address));
    if (budget.bytes < answerBytes) return false;
    budget.bytes -= answerBytes;
    return true;
  }

  #budgetOf(network: string): Budget {
    const now = this.#clock.monotonic();
    const known = this.#budgets.get(network);
    if (known !== undefined) {
      const earned = ((now - known.atMs) / 1000) * AMPLIFIED_BYTES_PER_S;
      known.bytes = Math.min(known.bytes + earned, AMPLIFIED_BURST_BYTES);
      known.atMs = now;
      return known;
    }
    const budget = { bytes: AMPLIFIED_BURST_BYTES, atMs: now };
    this.#budgets.set(network, budget);
    if (this.#budgets.size > MAX_WEIGHED_NETWORKS) {
      const [oldest] = this.#budgets.keys();
      if (oldest !== undefined) this.#budgets.delete(oldest);
    }
    return budget;
  }
}

/** Nobody beyond this machine can forge it: no kernel takes such a packet from a wire. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

const MAPPED = /^::ffff:(?=[\d.]+$)/;

/** The /24 of an IPv4 address, the /56 of an IPv6 one. */
function networkOf(address: string): string {
  // A socket for both families gives IPv4 addresses as '::ffff:192.0.2.1'.
  const bytes = ipBytes(address.replace(MAPPED, '')) ?? Buffer.from(address);
  return bytes.subarray(0, bytes.length === 4 ? 3 : 7).toString('hex');
}
