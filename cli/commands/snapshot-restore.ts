import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { MAX_SNAPSHOT_BYTES } from '../../lib/limits.ts';
import { readWhole } from '../../lib/read-whole.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
import { Pace } from '../progress.ts';

export const command: Command = {
  synopsis: '[options] FILE',
  details: 'Everything that is there is replaced. A damaged archive changes nothing.',
  examples: ['backup.snap'],
  http: 'query',
  flags: new Map(),

  async run({ args, host, client }) {
    refuseArguments(args, 1);
    const [file] = args;
    if (file === undefined) throw new ProconsulError('invalid', 'Missing FILE argument');
    const body = bytesOf(file);
    const pace = new Pace({ what: 'restoring', total: body.length }, host.progress);
    const onSent = (bytes: number) => pace.at(bytes);
    const put = client().send({ method: 'PUT', path: '/v1/snapshot', body, onSent });
    await explained('Error restoring snapshot', put).finally(() => pace.end());
    host.print('Restored snapshot\n');
    return 0;
  },
};

function bytesOf(file: string): Buffer {
  try {
    return readWhole(file, MAX_SNAPSHOT_BYTES);
  } catch (cause) {
    throw new ProconsulError('invalid', `Error opening snapshot file: ${describeChain(cause)}`, {
      cause,
    });
  }
}
