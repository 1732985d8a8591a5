import { ProconsulError } from '../../lib/errors.ts';
import { idOf, ROLE, requireOne } from '../acl/find.ts';
import {
  type GivenLinks,
  givenLinks,
  isEmpty,
  LINK_FLAGS,
  mergedLinks,
  mergedNodes,
  mergedServices,
} from '../acl/links.ts';
import { deleteCommand, listCommand } from '../acl/list-and-delete.ts';
import type { Role } from '../acl/objects.ts';
import { prettyRole } from '../acl/pretty.ts';
import { checkFormat, type FlagRow, SHOW, type Shape, showOne } from '../acl/show.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';

const shape: Shape<Role> = { pretty: prettyRole };

const ID: FlagRow = ['id', { kind: 'string', help: 'ID of the role, or how it begins.' }];
const NAME: FlagRow = ['name', { kind: 'string', help: 'Name of the role.' }];
const DESCRIPTION: FlagRow = ['description', { kind: 'string', help: 'What it is for.' }];

function pathOf(id: string): string {
  return `/v1/acl/role/${encodeURIComponent(id)}`;
}

export const create: Command = {
  synopsis: '-name NAME [options]',
  examples: ['-name=ops -policy-name=readers -service-identity=web -service-identity=db:east,west'],
  http: 'query',
  flags: new Map([NAME, DESCRIPTION, ...LINK_FLAGS, ...SHOW]),

  async run(invocation) {
    const { flags } = invocation;
    checkFormat(invocation);
    if (flags.text('name') === '') throw invocation.misuse("Missing require '-name' flag", '\n');
    const api = invocation.client();
    const { Roles: _, ...links } = await linksOfRole(flags, api);
    const body = { Name: flags.text('name'), Description: flags.text('description'), ...links };
    const answer = await explained(
      'Failed to create new role',
      api.send({ method: 'PUT', path: '/v1/acl/role', body: JSON.stringify(body) }),
    );
    return showOne(invocation, answer.json as Role, shape);
  },
};

async function linksOfRole(flags: FlagValues, api: ApiClient): Promise<GivenLinks> {
  const links = await givenLinks(flags, api);
  if (!isEmpty(links)) return links;
  const why =
    'Cannot create a role without specifying -policy-name, -policy-id, -service-identity, or -node-identity at least once';
  throw new ProconsulError('invalid', why);
}

export const update: Command = {
  synopsis: '[options]',
  details:
    'What is not given stays as it is, and what it stands for is added to, unless -no-merge.',
  examples: ['-id=abcd -name=better', '-id=abcd -description=replication -policy-name=readers'],
  http: 'query',
  flags: new Map([
    ID,
    ['name', { kind: 'string', help: 'New name of the role.' }],
    DESCRIPTION,
    ...LINK_FLAGS,
    ...SHOW,
    ['no-merge', { kind: 'bool', help: 'Empty whatever is not given.' }],
  ]),

  async run(invocation) {
    const { flags } = invocation;
    checkFormat(invocation);
    requireOne(invocation, ['id'], 'Cannot update a role without specifying the -id parameter');
    const api = invocation.client();
    const id = await idOf(invocation, api, ROLE);
    const given = await givenLinks(flags, api);
    const before = await roleOf(api, { id });
    const body = flags.isSet('no-merge') ? anew(id, flags, given) : merged(before, flags, given);
    const answer = await explained(
      `Error updating role "${id}"`,
      api.send({ method: 'PUT', path: pathOf(id), body: JSON.stringify(body) }),
    );
    return showOne(invocation, answer.json as Role, shape);
  },
};

function anew(id: string, flags: FlagValues, { Roles: _, ...links }: GivenLinks): object {
  return {
    ID: id,
    Name: flags.text('name'),
    Description: flags.text('description'),
    ...links,
  };
}

function merged(before: Role, flags: FlagValues, given: GivenLinks): object {
  return {
    ...before,
    ...(flags.text('name') !== '' && { Name: flags.text('name') }),
    ...(flags.text('description') !== '' && { Description: flags.text('description') }),
    Policies: mergedLinks(before.Policies, given.Policies),
    ServiceIdentities: mergedServices(before, given.ServiceIdentities),
    NodeIdentities: mergedNodes(before, given.NodeIdentities),
  };
}

async function roleOf(api: ApiClient, by: { id: string } | { name: string }): Promise<Role> {
  const what = 'id' in by ? `ID "${by.id}"` : `name "${by.name}"`;
  const path = 'id' in by ? pathOf(by.id) : `/v1/acl/role/name/${encodeURIComponent(by.name)}`;
  const answer = await explained(
    'id' in by ? `Error reading role "${by.id}"` : `Error reading role "${by.name}"`,
    api.send({ method: 'GET', path, accept: [404] }),
  );
  if (answer.status === 200) return answer.json as Role;
  throw new ProconsulError('not-found', `Role not found with ${what}`);
}

export const read: Command = {
  synopsis: '[options]',
  examples: ['-id=fdabbcb5', '-name=mine'],
  http: 'query',
  flags: new Map([ID, NAME, ...SHOW]),

  async run(invocation) {
    const { flags } = invocation;
    checkFormat(invocation);
    const why = 'Must specify either the -id or -name parameters';
    requireOne(invocation, ['id', 'name'], why);
    const api = invocation.client();
    const by = flags.has('id')
      ? { id: await idOf(invocation, api, ROLE) }
      : { name: flags.text('name') };
    return showOne(invocation, await roleOf(api, by), shape);
  },
};

export const list = listCommand({ noun: 'role', path: ROLE.list, shape });

export const remove = deleteCommand({
  kind: ROLE,
  path: '/v1/acl/role',
  flags: [ID, NAME],
  complaint: 'Must specify the -id or -name parameters',
});
