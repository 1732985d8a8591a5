import { ProconsulError } from '../../lib/errors.ts';
import { idOf, POLICY, pathOf, put, requireOne } from '../acl/find.ts';
import { legacyRules } from '../acl/legacy-rules.ts';
import { deleteCommand, listCommand } from '../acl/list-and-delete.ts';
import type { Policy } from '../acl/objects.ts';
import { prettyPolicy } from '../acl/pretty.ts';
import { type FlagRow, type Shape, showCommand } from '../acl/show.ts';
import type { ApiClient } from '../api-client.ts';
import { explained, type Invocation, readInput } from '../command.ts';

const shape: Shape<Policy> = {
  pretty: prettyPolicy,
  whole: ({ Datacenters = null, Hash, CreateIndex, ModifyIndex, ...rest }) => ({
    ...rest,
    Datacenters,
    Hash,
    CreateIndex,
    ModifyIndex,
  }),
};

const ID: FlagRow = ['id', { kind: 'string', help: 'ID of the policy, or how it begins.' }];
const NAME: FlagRow = ['name', { kind: 'string', help: 'Name of the policy.' }];
const CONTENT: readonly FlagRow[] = [
  ['description', { kind: 'string', help: 'What it is for.' }],
  ['rules', { kind: 'string', help: 'The rules; @FILE is those of a file, - those on stdin.' }],
  [
    'valid-datacenter',
    { kind: 'strings', help: 'A datacenter in which it holds; all by default. May be repeated.' },
  ],
];

const NO_ID = 'Must specify either the -id or -name parameters';

export const create = showCommand(shape, {
  synopsis: '-name NAME [options]',
  examples: ['-name=new -description=example -rules=@rules.hcl', '-name=old -from-token=c1e34113'],
  flags: [
    NAME,
    ...CONTENT,
    [
      'from-token',
      { kind: 'string', help: 'A legacy token whose rules it takes; also @FILE and -.' },
    ],
    ['token-secret', { kind: 'bool', help: '-from-token is a SecretID, no AccessorID.' }],
  ],

  async object(invocation) {
    const { flags } = invocation;
    if (flags.text('name') === '') throw invocation.misuse("Missing require '-name' flag", '\n');
    const api = invocation.client();
    const body = {
      Name: flags.text('name'),
      Description: flags.text('description'),
      Datacenters: flags.all('valid-datacenter'),
      Rules: await explained('Error loading rules', rulesOf(invocation, api)),
    };
    return await put<Policy>(api, POLICY.path, body, 'Failed to create new policy');
  },
});

async function rulesOf({ flags, host }: Invocation, api: ApiClient): Promise<string> {
  const rules = flags.text('rules');
  const token = flags.text('from-token');
  if (token === '') return (await readInput(rules, host, '')).toString();
  if (rules !== '')
    throw new ProconsulError('invalid', 'Cannot specify both -rules and -from-token');
  const given = await explained('Invalid -from-token value', readInput(token, host, ''));
  return await legacyRules(api, given.toString().trim(), flags.isSet('token-secret'));
}

export const update = showCommand(shape, {
  synopsis: '[options]',
  details: 'What is not given stays as it is, unless -no-merge is.',
  examples: ['-id=abcd -name=better', '-id=abcd -no-merge -name=better -rules=@rules.hcl'],
  flags: [
    ID,
    ['name', { kind: 'string', help: 'Name of the policy; beside -id the new one.' }],
    ...CONTENT,
    ['no-merge', { kind: 'bool', help: 'Empty whatever is not given.' }],
  ],

  async object(invocation) {
    const { flags, host } = invocation;
    requireOne(invocation, ['id', 'name'], NO_ID);
    const api = invocation.client();
    const id = await idOf(invocation, api, POLICY);
    const rules = await explained(
      'Error loading data source',
      readInput(flags.text('rules'), host, ''),
    );
    const before = flags.isSet('no-merge') ? {} : await policyOf(api, id);
    const given = {
      ...(flags.has('name') && { Name: flags.text('name') }),
      ...(flags.has('description') && { Description: flags.text('description') }),
      ...(flags.has('valid-datacenter') && { Datacenters: flags.all('valid-datacenter') }),
      ...(flags.has('rules') && { Rules: rules.toString() }),
    };
    const body = { ...before, ...given, ID: id };
    return await put<Policy>(api, pathOf(POLICY, id), body, `Error updating policy "${id}"`);
  },
});

async function policyOf(api: ApiClient, id: string): Promise<Policy> {
  const answer = api.send({ method: 'GET', path: pathOf(POLICY, id) });
  return (await explained(`Error reading policy "${id}"`, answer)).json as Policy;
}

export const read = showCommand(shape, {
  synopsis: '[options]',
  examples: ['-id=fdabbcb5', '-name=mine'],
  flags: [ID, NAME],

  async object(invocation) {
    requireOne(invocation, ['id', 'name'], NO_ID);
    const api = invocation.client();
    return await policyOf(api, await idOf(invocation, api, POLICY));
  },
});

export const list = listCommand({ kind: POLICY, shape });

export const remove = deleteCommand({
  kind: POLICY,
  flags: [ID, NAME],
  complaint: NO_ID,
});
