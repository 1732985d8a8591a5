import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';

/** What somebody may do in its place. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  [
    'connect envoy',
    'Envoy is configured by protocols (xDS) that agents here do not speak yet. A service gets its certificate from /v1/agent/connect/ca/leaf/NAME and asks /v1/agent/connect/authorize by itself.',
  ],
]);

/** A command of Consul's whose part is not built: it says so, and exits with 1. */
export const command: Command = {
  synopsis: '',
  http: 'none',
  flags: new Map(),
  refused: true,
  run({ name }) {
    const instead = INSTEAD.get(name);
    const why = instead === undefined ? '' : `: ${instead}`;
    throw new ProconsulError('rejected', `Error! proconsul ${name} is not built yet${why}`);
  },
};
