/** What the values of a configuration are worked out from, beside the values themselves. */
import type { ConfigHost } from './config-host.ts';
import type { Problems } from './problems.ts';
import type { Tree } from './row.ts';

export interface Source {
  /** What flags and files say and -dev implies, without defaults. */
  readonly raw: Tree;
  readonly host: ConfigHost;
  readonly problems: Problems;
  readonly devMode: boolean;
}
