import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'It takes out a server that has failed; one that lives is stopped, or made to leave.',
  examples: ['-id=5e26a3af-f4fc-4104-a8bb-4da9f19cb278', '-address=10.0.0.1:8300'],
  http: 'query',
  flags: new Map([
    ['address', { kind: 'string', help: 'The address of the server, as `list-peers` shows it.' }],
    ['id', { kind: 'string', help: 'Its id.' }],
  ]),

  async run({ flags, host, client }) {
    const [id, address] = [flags.text('id'), flags.text('address')];
    const [what, named] = id === '' ? ['address', address] : ['id', id];
    if (named === '') throw complaint('an address or id is required for the peer to remove');
    if (id !== '' && address !== '') throw complaint('cannot give both an address and id');
    await explained(
      'Error removing peer',
      client().send({
        method: 'DELETE',
        path: '/v1/operator/raft/peer',
        query: [[what, named]],
      }),
    );
    host.print(`Removed peer with ${what} ${JSON.stringify(named)}\n`);
    return 0;
  },
};

function complaint(why: string): ProconsulError {
  return new ProconsulError('invalid', `Error removing peer: ${why}`);
}
