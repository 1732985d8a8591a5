/** What a server says of its log to whoever looks after the cluster. */

/** How it is kept, and what became of it. */
export interface LogAccount {
  readonly kind: 'memory' | 'file' | 'redis';
  readonly isSealed: boolean;
  readonly epoch: number;
  /** Undefined of a log that is none of Redis's. */
  readonly redis?: RedisAccount;
}

export interface RedisAccount {
  /** host:port of the master; '' while there is none. */
  readonly address: string;
  readonly version: string;
  readonly commit: 'redis' | 'quorum';
  readonly appendOnly: boolean;
  /** What it says of itself now; undefined while it says nothing. */
  readonly now: RedisState | undefined;
  /** The newest first. */
  readonly finds: readonly Find[];
}

export interface RedisState {
  /** Milliseconds since it was started. */
  readonly upMs: number;
  readonly usedBytes: number;
  /** 0 where nothing bounds it. */
  readonly mostBytes: number;
  /** Whether it could write what it last wrote to its disk. */
  readonly isSaved: boolean;
  readonly replicas: readonly RedisReplica[];
}

export interface RedisReplica {
  readonly address: string;
  readonly isOnline: boolean;
  /** What it has not said that it has, and when it last said something. */
  readonly behindBytes: number;
  readonly silentMs: number;
}

/** A Redis came to be of use: at the start, or after one was lost. */
export interface Find {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly address: string;
  readonly epoch: number;
  /** In which this server was before; undefined at its start. */
  readonly before: number | undefined;
  /** For how long there was none. */
  readonly awayMs: number;
  /** Entries that this server put back, and those that no server could keep. */
  readonly putBack: number;
  readonly lost: number;
}
