import { ProconsulError } from '../../lib/errors.ts';
import { idOf, pathOf, put, ROLE, readOne, requireOne } from '../acl/find.ts';
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
import { type FlagRow, type Shape, showCommand } from '../acl/show.ts';
import type { ApiClient } from '../api-client.ts';
import type { FlagValues } from '../flag-values.ts';

const shape: Shape<Role> = { pretty: prettyRole };

const ID: FlagRow = ['id', { kind: 'string', help: 'ID of the role, or how it begins.' }];
const NAME: FlagRow = ['name', { kind: 'string', help: 'Name of the role.' }];
const DESCRIPTION: FlagRow = ['description', { kind: 'string', help: 'What it is for.' }];

export const create = showCommand(shape, {
  synopsis: '-name NAME [options]',
  examples: ['-name=ops -policy-name=readers -service-identity=web -service-identity=db:east,west'],
  flags: [NAME, DESCRIPTION, ...LINK_FLAGS],

  async object(invocation) {
    const { flags } = invocation;
    if (flags.text('name') === '') throw invocation.misuse("Missing require '-name' flag", '\n');
    const api = invocation.client();
    const { Roles: _, ...links } = await linksOfRole(flags, api);
    const body = { Name: flags.text('name'), Description: flags.text('description'), ...links };
    return await put<Role>(api, ROLE.path, body, 'Failed to create new role');
  },
});

async function linksOfRole(flags: FlagValues, api: ApiClient): Promise<GivenLinks> {
  const links = await givenLinks(flags, api);
  if (!isEmpty(links)) return links;
  const why =
    'Cannot create a role without specifying -policy-name, -policy-id, -service-identity, or -node-identity at least once';
  throw new ProconsulError('invalid', why);
}

export const update = showCommand(shape, {
  synopsis: '[options]',
  details:
    'What is not given stays as it is, and what it stands for is added to, unless -no-merge.',
  examples: ['-id=abcd -name=better', '-id=abcd -description=replication -policy-name=readers'],
  flags: [
    ID,
    ['name', { kind: 'string', help: 'New name of the role.' }],
    DESCRIPTION,
    ...LINK_FLAGS,
    ['no-merge', { kind: 'bool', help: 'Empty whatever is not given.' }],
  ],

  async object(invocation) {
    const { flags } = invocation;
    requireOne(invocation, ['id'], 'Cannot update a role without specifying the -id parameter');
    const api = invocation.client();
    const id = await idOf(invocation, api, ROLE);
    const given = await givenLinks(flags, api);
    const before = await readOne<Role>(api, ROLE, { ID: id });
    const body = flags.isSet('no-merge') ? anew(id, flags, given) : merged(before, flags, given);
    return await put<Role>(api, pathOf(ROLE, id), body, `Error updating role "${id}"`);
  },
});

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

export const read = showCommand(shape, {
  synopsis: '[options]',
  examples: ['-id=fdabbcb5', '-name=mine'],
  flags: [ID, NAME],

  async object(invocation) {
    const { flags } = invocation;
    const why = 'Must specify either the -id or -name parameters';
    requireOne(invocation, ['id', 'name'], why);
    const api = invocation.client();
    if (flags.has('id')) {
      return await readOne<Role>(api, ROLE, { ID: await idOf(invocation, api, ROLE) });
    }
    const name = flags.text('name');
    return await readOne<Role>(
      api,
      ROLE,
      { name },
      `${ROLE.path}/name/${encodeURIComponent(name)}`,
    );
  },
});

export const list = listCommand({ kind: ROLE, shape });

export const remove = deleteCommand({
  kind: ROLE,
  flags: [ID, NAME],
  complaint: 'Must specify the -id or -name parameters',
});
