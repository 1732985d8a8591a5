/** The command behind `proconsul`. */
export interface Command {
  /** Its name and flags, each value in one word with its flag, or behind it. */
  readonly words: readonly string[];
  /** What stands behind them: whatever it holds, it is no flag. */
  readonly args?: readonly string[];
}

/** One write that somebody may have done. */
export interface Action {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string | object | undefined;
  /** Undefined where there is none. */
  readonly command?: Command | undefined;
  /** What that command reads from its input. */
  readonly input?: string | undefined;
  /** Where it is meant, as `otherDatacenter` has it: there it is done, wherever somebody is by then. */
  readonly datacenter?: string | undefined;
  /** Of what the API has no condition for: what must stand there still. */
  readonly upon?: Upon;
}

export interface Upon {
  /** Where it is seen. */
  readonly at: string;
  readonly isStill: (there: unknown) => boolean;
}
