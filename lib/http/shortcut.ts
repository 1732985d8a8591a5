import type { Socket } from 'node:net';

/** What may answer a request in place of the parser, byte for byte as a route would. */
export interface Shortcut {
  /**
   * 'answered', or what it is at work with: `done` is called once, never before this returns, unless it is
   * withdrawn, and says whether there was an answer. Undefined, or without one, the request is the parser's.
   */
  take(
    request: Buffer,
    socket: Socket,
    done: (answered: boolean) => void,
  ): 'answered' | AtWork | undefined;
}

/** A request that is being answered, or waits. */
export interface AtWork {
  /** Nothing more is heard of it; false where its answer is on its way, which goes on. */
  withdraw(): boolean;
  /** The bytes that asked, where many that wait share them: those of each are let go. */
  readonly request?: string;
}
