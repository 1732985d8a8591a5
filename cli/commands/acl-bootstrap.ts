import type { Token } from '../acl/objects.ts';
import { showCommand } from '../acl/show.ts';
import { explained } from '../command.ts';
import { tokenShape } from './acl-token.ts';

export const command = showCommand(tokenShape, {
  synopsis: '[options]',
  details: 'It may do everything, and can be made once: keep its SecretID.',
  examples: ['', '-format=json'],
  hasMeta: false,

  async object({ client }) {
    const made = client().send({ method: 'PUT', path: '/v1/acl/bootstrap' });
    return (await explained('Failed ACL bootstrapping', made)).json as Token;
  },
});
