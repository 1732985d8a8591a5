/** What a row answers, and what it says of an answer that many requests share. */
import type { Socket } from 'node:net';
import type { Looker } from '../looking.ts';
import type { Work } from '../slices.ts';
import type { AtWork } from './shortcut.ts';

/**
 * Said of an answer to a request: the same bytes sent again would be answered the same. Whoever puts
 * a further condition on a row (a token's rights) must say so here too, or take it off the reply.
 */
export interface Shared {
  /** What it keeps alive for as long as it is kept, about. */
  readonly bytes: number;
  /** Resolves when the answer may be given; undefined when it may be at once. Asked each time. */
  ready(): Promise<void> | undefined;
  /** Whether it still is the answer. */
  stands(): boolean;
  /** Where it is not: what the same bytes are answered by now. Undefined where only their route can say. */
  anew?(): Reply | undefined;
}

/** One who waits. Thousands do at a time: each is an object or two, and no closures. */
export interface Awaiting {
  settle(reply: Reply): void;
}

/** What one who waits has until he is settled, or leaves. To leave twice is nothing. */
export interface Place {
  leave(): void;
}

/** The answer comes when something changes, and all who sent the same bytes wait for the same. */
export interface Pending extends Shared {
  /** Settles him once, never at once, unless he leaves before. It ends this wait only. */
  join(awaiting: Awaiting): Place;
  /** What there is, for a client that will not wait any longer; as soon as a turn has room for it. */
  now(asking: Looker): Reply | Promise<Reply>;
  /** How whoever was told this goes on waiting: with this index in place of the one that it asked with. */
  after?(reply: Reply): { readonly index: string; readonly pending: Pending } | undefined;
}

/** Said of an answer that is somebody else's: the same bytes sent again are passed on to him again. */
export interface PassedOn {
  /** What it keeps alive for as long as it is kept, about: more, once it is asked again. */
  readonly bytes: number;
  /**
   * Undefined where it is to go the long way. Else `over` is called with the status, once all was written
   * to the client, or with what is to be written to him, or with nothing where it has to go the long way after
   * all; never, where it is withdrawn or the client is cut off. `common`: headers for answers that do not have
   * them.
   */
  pass(
    to: Socket,
    common: Readonly<Record<string, string>>,
    over: (told?: number | Wire) => void,
  ): AtWork | undefined;
}

export interface Reply {
  /** 200 when it is not said. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** At most one of the four. */
  readonly json?: unknown;
  readonly text?: string;
  /** Ready bytes, or those that are being made; the headers must say what they are. */
  readonly bytes?: Buffer | Work<Buffer>;
  /** Sent as it comes, until it ends or the client goes away. */
  readonly stream?: AsyncIterable<string | Buffer>;
  /** Given where the same request may be answered with the very same reply again. */
  readonly shared?: Shared | undefined;
  /** Given where the same request may be passed on, and its answer passed back, without being read. */
  readonly passedOn?: PassedOn | undefined;
  /** Instead of all else: the reply that it settles with is the reply. */
  readonly pending?: Pending;
}

/** A reply as it goes out: header names and values in turn, Content-Length among them. */
export interface Wire {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** This very object goes out again and again: its bytes are worth being kept. */
  readonly isUsual?: true;
}
