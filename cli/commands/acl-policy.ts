import { ProconsulError } from '../../lib/errors.ts';
import { idOf, POLICY, requireOne } from '../acl/find.ts';
import { legacyRules } from '../acl/legacy-rules.ts';
import { deleteCommand, listCommand } from '../acl/list-and-delete.ts';
import type { Policy } from '../acl/objects.ts';
import { prettyPolicy } from '../acl/pretty.ts';
import { checkFormat, type FlagRow, SHOW, type Shape, showOne } from '../acl/show.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, explained, type Invocation, readInput } from '../command.ts';

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

function pathOf(id: string): string {
  return `/v1/acl/policy/${encodeURIComponent(id)}`;
}

export const create: Command = {
  synopsis: '-name NAME [options]',
  examples: ['-name=new -description=example -rules=@rules.hcl', '-name=old -from-token=c1e34113'],
  http: 'query',
  flags: new Map([
    NAME,
    ...CONTENT,
    ...SHOW,
    [
      'from-token',
      { kind: 'string', help: 'A legacy token whose rules it takes; also @FILE and -.' },
    ],
    ['token-secret', { kind: 'bool', help: '-from-token is a SecretID, no AccessorID.' }],
  ]),

  async run(invocation) {
    const { flags } = invocation;
    checkFormat(invocation);
    if (flags.text('name') === '') throw invocation.misuse("Missing require '-name' flag", '\n');
    const api = invocation.client();
    const body = {
      Name: flags.text('name'),
      Description: flags.text('description'),
      Datacenters: flags.all('valid-datacenter'),
      Rules: await explained('Error loading rules', rulesOf(invocation, api)),
    };
    const answer = await explained(
      'Failed to create new policy',
      api.send({ method: 'PUT', path: '/v1/acl/policy', body: JSON.stringify(body) }),
    );
    return showOne(invocation, answer.json as Policy, shape);
  },
};

async function rulesOf({ flags, host }: Invocation, api: ApiClient): Promise<string> {
  const rules = flags.text('rules');
  const token = flags.text('from-token');
  if (token === '') return (await readInput(rules, host, '')).toString();
  if (rules !== '')
    throw new ProconsulError('invalid', 'Cannot specify both -rules and -from-token');
  const given = await explained('Invalid -from-token value', readInput(token, host, ''));
  return await legacyRules(api, given.toString().trim(), flags.isSet('token-secret'));
}

export const update: Command = {
  synopsis: '[options]',
  details: 'What is not given stays as it is, unless -no-merge is.',
  examples: ['-id=abcd -name=better', '-id=abcd -no-merge -name=better -rules=@rules.hcl'],
  http: 'query',
  flags: new Map([
    ID,
    ['name', { kind: 'string', help: 'Name of the policy; beside -id the new one.' }],
    ...CONTENT,
    ...SHOW,
    ['no-merge', { kind: 'bool', help: 'Empty whatever is not given.' }],
  ]),

  async run(invocation) {
    const { flags, host } = invocation;
    checkFormat(invocation);
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
    const answer = await explained(
      `Error updating policy "${id}"`,
      api.send({
        method: 'PUT',
        path: pathOf(id),
        body: JSON.stringify({ ...before, ...given, ID: id }),
      }),
    );
    return showOne(invocation, answer.json as Policy, shape);
  },
};

async function policyOf(api: ApiClient, id: string): Promise<Policy> {
  const answer = api.send({ method: 'GET', path: pathOf(id) });
  return (await explained(`Error reading policy "${id}"`, answer)).json as Policy;
}

export const read: Command = {
  synopsis: '[options]',
  examples: ['-id=fdabbcb5', '-name=mine'],
  http: 'query',
  flags: new Map([ID, NAME, ...SHOW]),

  async run(invocation) {
    checkFormat(invocation);
    requireOne(invocation, ['id', 'name'], NO_ID);
    const api = invocation.client();
    return showOne(invocation, await policyOf(api, await idOf(invocation, api, POLICY)), shape);
  },
};

export const list = listCommand({ noun: 'policy', path: POLICY.list, shape });

export const remove = deleteCommand({
  kind: POLICY,
  path: '/v1/acl/policy',
  flags: [ID, NAME],
  complaint: NO_ID,
});
