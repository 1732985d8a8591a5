/** Waits by the bytes that asked: those that someone is in, and those that someone is about to ask for. */
import { ByteCache } from '../../byte-cache.ts';
import { systemClock } from '../../clock.ts';
import { goingOn } from '../going-on.ts';
import type { Reply } from '../reply.ts';
import { SharedWait, type SharedWaitOptions } from './shared-wait.ts';

/** Room for those that nobody is in yet; most are asked for within a millisecond. */
const MAX_EXPECTED_BYTES = 16 * 1024 * 1024;
/** Whoever has not asked by then has gone. */
const MAX_IDLE_MS = 60_000;

type Asked = Omit<SharedWaitOptions, 'request' | 'onTold' | 'onEmpty'>;

export class SharedWaits {
  /** Each only for as long as someone waits there. */
  readonly #open = new Map<string, SharedWait>();
  readonly #expected = new ByteCache<string, SharedWait>({
    maxBytes: MAX_EXPECTED_BYTES,
    idle: { maxMs: MAX_IDLE_MS, clock: systemClock },
  });

  /** In how many someone waits. */
  get size(): number {
    return this.#open.size;
  }

  find(request: string): SharedWait | undefined {
    return this.#open.get(request) ?? this.#expected.get(request)?.value;
  }

  /** The one that someone is in, or a new one. */
  open(request: string, asked: () => Asked): SharedWait {
    const known = this.#open.get(request);
    if (known !== undefined) return known;
    const wait = this.#made(request, asked());
    this.enter(wait);
    return wait;
  }

  /** Someone comes to wait in it. */
  enter(wait: SharedWait): void {
    const { request } = wait;
    if (this.#open.get(request) === wait) return;
    this.#expected.delete(request);
    this.#open.set(request, wait);
  }

  #made(request: string, asked: Asked): SharedWait {
    return new SharedWait({
      ...asked,
      request,
      onTold: (reply) => this.#expect(request, asked, reply),
      onEmpty: () => this.#open.delete(request),
    });
  }

  /** Whoever was told this is about to ask for what comes after it. */
  #expect(request: string, asked: Asked, reply: Reply): void {
    // What is written down of each request says its index.
    if (asked.repeated !== undefined) return;
    const next = asked.pending.after?.(reply);
    if (next === undefined) return;
    const { index, pending } = next;
    const asks = goingOn(request, index);
    if (asks === undefined || this.find(asks) !== undefined) return;
    this.#expected.keep(asks, this.#made(asks, { ...asked, pending }), pending.bytes);
  }
}
