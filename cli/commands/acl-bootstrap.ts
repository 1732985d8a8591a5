import type { Token } from '../acl/objects.ts';
import { checkFormat, FORMAT, showOne } from '../acl/show.ts';
import { type Command, explained } from '../command.ts';
import { tokenShape } from './acl-token.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'It may do everything, and can be made once: keep its SecretID.',
  examples: ['', '-format=json'],
  http: 'query',
  flags: new Map([FORMAT]),

  async run(invocation) {
    checkFormat(invocation);
    const answer = await explained(
      'Failed ACL bootstrapping',
      invocation.client().send({ method: 'PUT', path: '/v1/acl/bootstrap' }),
    );
    return showOne(invocation, answer.json as Token, tokenShape);
  },
};
