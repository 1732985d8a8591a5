import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'Without an id the server that keeps up best becomes the leader.',
  examples: ['', '-id=5e26a3af-f4fc-4104-a8bb-4da9f19cb278'],
  http: 'query',
  flags: new Map([['id', { kind: 'string', help: 'The id of the server that is to lead.' }]]),

  async run({ flags, host, client }) {
    const id = flags.text('id');
    const answer = await explained(
      'Error transfering leadership',
      client().send({
        method: 'POST',
        path: '/v1/operator/raft/transfer-leader',
        query: id === '' ? [] : [['id', id]],
      }),
    );
    if ((answer.json as { readonly Success: boolean }).Success) {
      host.print('Success\n');
      return 0;
    }
    throw new ProconsulError('rejected', 'Another server became the leader meanwhile.');
  },
};
