import { idOf, pathOf, put, RULE, readOne, requireOne } from '../acl/find.ts';
import { deleteCommand, listCommand } from '../acl/list-and-delete.ts';
import type { BindingRule } from '../acl/objects.ts';
import { prettyBindingRule } from '../acl/pretty.ts';
import { type FlagRow, type Shape, showCommand } from '../acl/show.ts';
import type { FlagValues } from '../flag-values.ts';

const shape: Shape<BindingRule> = { pretty: prettyBindingRule };

const ID_FLAG: FlagRow = ['id', { kind: 'string', help: 'ID of the rule, or how it begins.' }];
const CONTENT: readonly FlagRow[] = [
  ['bind-name', { kind: 'string', help: 'Name to bind to; may hold variables of who logs in.' }],
  ['bind-type', { kind: 'string', help: 'service, which is the default, node or role.' }],
  ['description', { kind: 'string', help: 'What it is for.' }],
  ['selector', { kind: 'string', help: 'Of whom it holds: an expression on who logs in.' }],
];

/** Everything but the method that it belongs to, and its ID. */
function contentOf(flags: FlagValues): object {
  return {
    Description: flags.text('description'),
    BindType: flags.text('bind-type') || 'service',
    BindName: flags.text('bind-name'),
    Selector: flags.text('selector'),
  };
}

export const create = showCommand(shape, {
  synopsis: '[options]',
  examples: [
    '-method=minikube -bind-name=k8s-$' +
      '{serviceaccount.name} -selector=serviceaccount.name==web',
  ],
  flags: [
    ['method', { kind: 'string', help: 'Name of the auth method that it is for.' }],
    ...CONTENT,
  ],

  async object(invocation) {
    const { flags, misuse } = invocation;
    if (flags.text('method') === '') throw misuse("Missing required '-method' flag", '\n');
    if (flags.text('bind-name') === '') throw misuse("Missing required '-bind-name' flag", '\n');
    const body = { AuthMethod: flags.text('method'), ...contentOf(flags) };
    const failure = 'Failed to create new binding rule';
    return await put<BindingRule>(invocation.client(), RULE.path, body, failure);
  },
});

export const update = showCommand(shape, {
  synopsis: '-id ID [options]',
  details: 'What is not given stays as it is, unless -no-merge is.',
  examples: ['-id=43cb72df -description=new -bind-type=role'],
  flags: [
    ID_FLAG,
    ...CONTENT,
    ['no-merge', { kind: 'bool', help: 'Empty whatever is not given.' }],
  ],

  async object(invocation) {
    const { flags } = invocation;
    const noId = 'Cannot update a binding rule without specifying the -id parameter';
    requireOne(invocation, ['id'], noId);
    const api = invocation.client();
    const ID = await idOf(invocation, api, RULE);
    const before = await readOne<BindingRule>(api, RULE, { ID });
    const noMerge = flags.isSet('no-merge');
    if (noMerge && flags.text('bind-name') === '') {
      throw invocation.misuse("Missing required '-bind-name' flag", '\n');
    }
    const body = { ...before, ...(noMerge ? contentOf(flags) : changesOf(flags)) };
    const failure = `Error updating binding rule "${ID}"`;
    return await put<BindingRule>(api, pathOf(RULE, ID), body, failure);
  },
});

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

export const read = showCommand(shape, {
  synopsis: '-id ID [options]',
  examples: ['-id=fdabbcb5'],
  flags: [ID_FLAG],

  async object(invocation) {
    requireOne(invocation, ['id'], 'Must specify the -id parameter.');
    const api = invocation.client();
    return await readOne<BindingRule>(api, RULE, { ID: await idOf(invocation, api, RULE) });
  },
});

export const list = listCommand({
  kind: RULE,
  shape,
  narrowing: {
    flag: ['method', { kind: 'string', help: 'Only those of this auth method.' }],
    parameter: 'authmethod',
  },
});

export const remove = deleteCommand({
  kind: RULE,
  flags: [ID_FLAG],
  complaint: 'Must specify the -id parameter',
});
