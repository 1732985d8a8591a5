import { parseDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { idOf, pathOf, put, requireOne, TOKEN } from '../acl/find.ts';
import {
  givenLinks,
  isEmpty,
  LINK_FLAGS,
  mergedLinks,
  mergedNodes,
  mergedServices,
  ROLE_FLAGS,
} from '../acl/links.ts';
import { deleteCommand, listCommand } from '../acl/list-and-delete.ts';
import type { Token } from '../acl/objects.ts';
import { prettyToken } from '../acl/pretty.ts';
import { type FlagRow, type Shape, showCommand } from '../acl/show.ts';
import { explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';

export const tokenShape: Shape<Token> = {
  pretty: prettyToken,
  whole: (token, inList) => (inList ? { ...token, Legacy: token.Legacy ?? false } : token),
};

const ID_HELP = 'AccessorID of the token, or how it begins; anonymous is the one of no token.';
const ID: FlagRow = ['id', { kind: 'string', help: ID_HELP }];
const DESCRIPTION: FlagRow = ['description', { kind: 'string', help: 'What it is for.' }];

export const create = showCommand(tokenShape, {
  synopsis: '[options]',
  details: 'It may do what its policies, roles and identities may, of which it needs one at least.',
  examples: [
    '-description=web -service-identity=web',
    '-policy-name=readers -role-id=c630d4ef-6 -expires-ttl=24h',
  ],
  flags: [
    ...LINK_FLAGS,
    ...ROLE_FLAGS,
    DESCRIPTION,
    ['accessor', { kind: 'string', help: 'AccessorID, a UUID; one is made up by default.' }],
    ['secret', { kind: 'string', help: 'SecretID, a UUID; one is made up by default.' }],
    ['local', { kind: 'bool', help: 'For this datacenter alone.' }],
    ['expires-ttl', { kind: 'string', help: 'How long it is good for, as 24h.' }],
  ],

  async object(invocation) {
    const { flags } = invocation;
    const ttl = ttlOf(flags);
    const api = invocation.client();
    const links = await givenLinks(flags, api);
    if (isEmpty(links)) {
      const why =
        'Cannot create a token without specifying -policy-name, -policy-id, -role-name, -role-id, -service-identity, or -node-identity at least once';
      throw new ProconsulError('invalid', why);
    }
    const body = {
      Description: flags.text('description'),
      Local: flags.isSet('local'),
      AccessorID: flags.text('accessor'),
      SecretID: flags.text('secret'),
      ...(ttl > 0 && { ExpirationTTL: ttl }),
      ...links,
    };
    return await put<Token>(api, TOKEN.path, body, 'Failed to create new token');
  },
});

/** In nanoseconds; what is not above zero means nothing, as in Consul. */
function ttlOf(flags: FlagValues): number {
  const text = flags.text('expires-ttl');
  const ns = flags.has('expires-ttl') ? parseDuration(text) : 0;
  if (ns !== undefined) return ns;
  const why = `invalid value ${JSON.stringify(text)} for flag -expires-ttl: parse error`;
  throw new ProconsulError('invalid', why);
}

const MERGES = ['policies', 'roles', 'service-identities', 'node-identities'] as const;

export const update = showCommand(tokenShape, {
  synopsis: '[options]',
  details: 'What it stands for is replaced by what is given, or added to with the -merge- flags.',
  examples: ['-id=abcd -description=replication -policy-name=readers -merge-policies'],
  flags: [
    ID,
    ...LINK_FLAGS,
    ...ROLE_FLAGS,
    DESCRIPTION,
    ...MERGES.map((what) => {
      const help = `Keep the ${what.replace('-', ' ')} that it has.`;
      return [`merge-${what}`, { kind: 'bool', help }] as const;
    }),
    [
      'upgrade-legacy',
      { kind: 'bool', help: 'Drop the rules of a legacy token: what is given stands for them.' },
    ],
  ],

  async object(invocation) {
    const { flags } = invocation;
    requireOne(invocation, ['id'], 'Cannot update a token without specifying the -id parameter');
    const api = invocation.client();
    const id = await idOf(invocation, api, TOKEN);
    const path = pathOf(TOKEN, id);
    const read = api.send({ method: 'GET', path });
    const before = (await explained('Error when retrieving current token', read)).json as Token;
    const given = await givenLinks(flags, api);
    const keeps = (what: (typeof MERGES)[number]) => flags.isSet(`merge-${what}`);
    const after = {
      ...before,
      ...upgraded(before, flags),
      ...(flags.text('description') !== '' && { Description: flags.text('description') }),
      Policies: keeps('policies') ? mergedLinks(before.Policies, given.Policies) : given.Policies,
      Roles: keeps('roles') ? mergedLinks(before.Roles, given.Roles) : given.Roles,
      ServiceIdentities: keeps('service-identities')
        ? mergedServices(before, given.ServiceIdentities)
        : given.ServiceIdentities,
      NodeIdentities: keeps('node-identities')
        ? mergedNodes(before, given.NodeIdentities)
        : given.NodeIdentities,
    };
    return await put<Token>(api, path, after, `Failed to update token ${id}`);
  },
});

function upgraded({ Rules }: Token, flags: FlagValues): { readonly Rules?: string } {
  if (!flags.isSet('upgrade-legacy')) return {};
  if (Rules) return { Rules: '' };
  throw new ProconsulError('invalid', "Can't use -upgrade-legacy on a non-legacy token");
}

export const read = showCommand(tokenShape, {
  synopsis: '[options] -id TOKENID',
  examples: ['-id=4be56c77-82', '-self'],
  flags: [ID, ['self', { kind: 'bool', help: 'The token that asks, whatever -id says.' }]],

  async object(invocation) {
    const { flags } = invocation;
    const self = flags.isSet('self');
    if (!self) requireOne(invocation, ['id'], 'Must specify the -id parameter');
    const api = invocation.client();
    const id = self ? 'self' : await idOf(invocation, api, TOKEN);
    const answer = await explained(
      self ? 'Error reading token' : `Error reading token "${id}"`,
      api.send({ method: 'GET', path: pathOf(TOKEN, id) }),
    );
    return answer.json as Token;
  },
});

export const list = listCommand({
  kind: TOKEN,
  shape: tokenShape,
  details: 'Without their secrets.',
  between: '\n',
});

export const clone = showCommand(tokenShape, {
  synopsis: '[options]',
  details: 'The new one may do what the other may, and has IDs of its own.',
  examples: ['-id=abcd -description=replication'],
  flags: [ID, DESCRIPTION],
  hasMeta: false,

  async object(invocation) {
    requireOne(invocation, ['id'], 'Cannot update a token without specifying the -id parameter');
    const api = invocation.client();
    const id = await idOf(invocation, api, TOKEN);
    const body = { Description: invocation.flags.text('description') };
    return await put<Token>(api, `${pathOf(TOKEN, id)}/clone`, body, 'Error cloning token');
  },
});

export const remove = deleteCommand({
  kind: TOKEN,
  flags: [ID],
  complaint: 'Must specify the -id parameter',
});
