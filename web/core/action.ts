/** One write that somebody may have done. */
export interface Action {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string | object | undefined;
  /** The command behind `proconsul`; undefined where there is none. */
  readonly command?: readonly string[] | undefined;
  /** What that command reads from its input. */
  readonly input?: string | undefined;
}
