import { ProconsulError } from '../../lib/errors.ts';
import { idOf, RULE, requireOne } from '../acl/find.ts';
import { deleteCommand, listCommand } from '../acl/list-and-delete.ts';
import type { BindingRule } from '../acl/objects.ts';
import { prettyBindingRule } from '../acl/pretty.ts';
import { checkFormat, type FlagRow, SHOW, type Shape, showOne } from '../acl/show.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';

const shape: Shape<BindingRule> = { pretty: prettyBindingRule };

const ID: FlagRow = ['id', { kind: 'string', help: 'ID of the rule, or how it begins.' }];
const CONTENT: readonly FlagRow[] = [
  ['bind-name', { kind: 'string', help: 'Name to bind to; may hold variables of who logs in.' }],
  ['bind-type', { kind: 'string', help: 'service, which is the default, node or role.' }],
  ['description', { kind: 'string', help: 'What it is for.' }],
  ['selector', { kind: 'string', help: 'Of whom it holds: an expression on who logs in.' }],
];

function pathOf(id: string): string {
  return `/v1/acl/binding-rule/${encodeURIComponent(id)}`;
}

/** Everything but the method that it belongs to, and its ID. */
function contentOf(flags: FlagValues): object {
  return {
    Description: flags.text('description'),
    BindType: flags.text('bind-type') || 'service',
    BindName: flags.text('bind-name'),
    Selector: flags.text('selector'),
  };
}

export const create: Command = {
  synopsis: '[options]',
  examples: [
    '-method=minikube -bind-name=k8s-$' +
      '{serviceaccount.name} -selector=serviceaccount.name==web',
  ],
  http: 'query',
  flags: new Map([
    ['method', { kind: 'string', help: 'Name of the auth method that it is for.' }],
    ...CONTENT,
    ...SHOW,
  ]),

  async run(invocation) {
    const { flags, misuse } = invocation;
    checkFormat(invocation);
    if (flags.text('method') === '') throw misuse("Missing required '-method' flag", '\n');
    if (flags.text('bind-name') === '') throw misuse("Missing required '-bind-name' flag", '\n');
    const body = { AuthMethod: flags.text('method'), ...contentOf(flags) };
    const answer = await explained(
      'Failed to create new binding rule',
      invocation
        .client()
        .send({ method: 'PUT', path: '/v1/acl/binding-rule', body: JSON.stringify(body) }),
    );
    return showOne(invocation, answer.json as BindingRule, shape);
  },
};

export const update: Command = {
  synopsis: '-id ID [options]',
  details: 'What is not given stays as it is, unless -no-merge is.',
  examples: ['-id=43cb72df -description=new -bind-type=role'],
  http: 'query',
  flags: new Map([
    ID,
    ...CONTENT,
    ...SHOW,
    ['no-merge', { kind: 'bool', help: 'Empty whatever is not given.' }],
  ]),

  async run(invocation) {
    const { flags } = invocation;
    checkFormat(invocation);
    const noId = 'Cannot update a binding rule without specifying the -id parameter';
    requireOne(invocation, ['id'], noId);
    const api = invocation.client();
    const id = await idOf(invocation, api, RULE);
    const before = await ruleOf(api, id);
    const noMerge = flags.isSet('no-merge');
    if (noMerge && flags.text('bind-name') === '') {
      throw invocation.misuse("Missing required '-bind-name' flag", '\n');
    }
    const body = { ...before, ...(noMerge ? contentOf(flags) : changesOf(flags)) };
    const answer = await explained(
      `Error updating binding rule "${id}"`,
      api.send({ method: 'PUT', path: pathOf(id), body: JSON.stringify(body) }),
    );
    return showOne(invocation, answer.json as BindingRule, shape);
  },
};

function changesOf(flags: FlagValues): object {
  const given = (name: string) => flags.text(name) !== '';
  return {
    ...(given('description') && { Description: flags.text('description') }),
    ...(given('bind-type') && { BindType: flags.text('bind-type') }),
    ...(given('bind-name') && { BindName: flags.text('bind-name') }),
    // An empty one holds of everybody, which may be meant.
    ...(flags.has('selector') && { Selector: flags.text('selector') }),
  };
}

async function ruleOf(api: ApiClient, id: string): Promise<BindingRule> {
  const answer = await explained(
    `Error reading binding rule "${id}"`,
    api.send({ method: 'GET', path: pathOf(id), accept: [404] }),
  );
  if (answer.status === 200) return answer.json as BindingRule;
  throw new ProconsulError('not-found', `Binding rule not found with ID "${id}"`);
}

export const read: Command = {
  synopsis: '-id ID [options]',
  examples: ['-id=fdabbcb5'],
  http: 'query',
  flags: new Map([ID, ...SHOW]),

  async run(invocation) {
    checkFormat(invocation);
    requireOne(invocation, ['id'], 'Must specify the -id parameter.');
    const api = invocation.client();
    return showOne(invocation, await ruleOf(api, await idOf(invocation, api, RULE)), shape);
  },
};

export const list = listCommand({
  noun: 'binding rule',
  path: RULE.list,
  shape,
  narrowing: {
    flag: ['method', { kind: 'string', help: 'Only those of this auth method.' }],
    parameter: 'authmethod',
  },
});

export const remove = deleteCommand({
  kind: RULE,
  path: '/v1/acl/binding-rule',
  flags: [ID],
  complaint: 'Must specify the -id parameter',
});
