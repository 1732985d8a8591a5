import { parseDuration } from '../../lib/duration.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { METHOD, pathOf, put, readOne, requireOne } from '../acl/find.ts';
import { deleteCommand, listCommand } from '../acl/list-and-delete.ts';
import type { AuthMethod } from '../acl/objects.ts';
import { prettyAuthMethod } from '../acl/pretty.ts';
import { type FlagRow, type Shape, showCommand } from '../acl/show.ts';
import { explained, type Invocation, readInput } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';

const shape: Shape<AuthMethod> = { pretty: prettyAuthMethod };

const NAME: FlagRow = ['name', { kind: 'string', help: 'Name of the method.' }];
const CONTENT: readonly FlagRow[] = [
  ['config', { kind: 'string', help: 'Its configuration as JSON; also @FILE, and - for stdin.' }],
  ['description', { kind: 'string', help: 'What it is for.' }],
  ['display-name', { kind: 'string', help: 'What people see in place of its name.' }],
  ['max-token-ttl', { kind: 'string', help: 'How long its tokens are good for, as 24h.' }],
  ['token-locality', { kind: 'string', help: 'local, which is the default, or global.' }],
  ['kubernetes-host', { kind: 'string', help: 'URL of the Kubernetes API.' }],
  ['kubernetes-ca-cert', { kind: 'string', help: 'CA of the Kubernetes API, as PEM or @FILE.' }],
  [
    'kubernetes-service-account-jwt',
    { kind: 'string', help: 'With which Kubernetes is asked about others.' },
  ],
];

/** The flags that stand for a configuration, and the fields that they fill. */
const KUBERNETES = [
  ['kubernetes-host', 'Host'],
  ['kubernetes-ca-cert', 'CACert'],
  ['kubernetes-service-account-jwt', 'ServiceAccountJWT'],
] as const;

type Config = Readonly<Record<string, unknown>>;

export const create = showCommand(shape, {
  synopsis: '-name NAME -type TYPE [options]',
  examples: [
    '-name=corp -type=jwt -config=@jwt.json',
    '-name=k8s -type=kubernetes -kubernetes-host=https://k8s:8443 -kubernetes-ca-cert=@ca.crt',
  ],
  flags: [NAME, ['type', { kind: 'string', help: 'jwt, kubernetes or oidc.' }], ...CONTENT],

  async object(invocation) {
    const { flags, misuse } = invocation;
    if (flags.text('type') === '') throw misuse("Missing required '-type' flag", '\n');
    if (flags.text('name') === '') throw misuse("Missing required '-name' flag", '\n');
    const body = {
      Name: flags.text('name'),
      Type: flags.text('type'),
      ...changesOf(flags),
      Config: await wholeConfig(invocation, flags.text('type'), 'JSON configuration file'),
    };
    const failure = 'Failed to create new auth method';
    return await put<AuthMethod>(invocation.client(), METHOD.path, body, failure);
  },
});

function changesOf(flags: FlagValues): Partial<AuthMethod> {
  const given = (name: string) => flags.text(name) !== '';
  return {
    ...(given('description') && { Description: flags.text('description') }),
    ...(given('display-name') && { DisplayName: flags.text('display-name') }),
    ...(flags.has('max-token-ttl') && { MaxTokenTTL: durationOf(flags, 'max-token-ttl') }),
    ...(given('token-locality') && { TokenLocality: flags.text('token-locality') }),
  };
}

function durationOf(flags: FlagValues, name: string): string {
  const text = flags.text(name);
  if (parseDuration(text) !== undefined) return text;
  const why = `invalid value ${JSON.stringify(text)} for flag -${name}: parse error`;
  throw new ProconsulError('invalid', why);
}

/** From -config, or from all of the flags for Kubernetes. */
async function wholeConfig(invocation: Invocation, type: string, what: string): Promise<Config> {
  const { flags } = invocation;
  const given = await givenConfig(invocation, what);
  if (type !== 'kubernetes') return given ?? {};
  const named = KUBERNETES.filter(([flag]) => flags.text(flag) !== '');
  if (given !== undefined) {
    if (named.length === 0) return given;
    const why = "Cannot use command line arguments with '-config' flags";
    throw new ProconsulError('invalid', why);
  }
  for (const [flag] of KUBERNETES) {
    requireOne(invocation, [flag], `Missing required '-${flag}' flag`);
  }
  return await kubernetesConfig(invocation);
}

async function givenConfig({ flags, host }: Invocation, what: string): Promise<Config | undefined> {
  if (flags.text('config') === '') return undefined;
  const reading = readInput(flags.text('config'), host, '');
  const text = (await explained('Error loading configuration file', reading)).toString();
  try {
    return decodeJson(text) as Config;
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `Error parsing ${what}: ${why}`, { cause });
  }
}

async function kubernetesConfig({ flags, host }: Invocation): Promise<Config> {
  const config: Record<string, string> = {};
  for (const [flag, field] of KUBERNETES) {
    const text = flags.text(flag);
    if (text === '') continue;
    const isFile = flag === 'kubernetes-ca-cert';
    const prefix = `Invalid '-${flag}' value: `;
    config[field] = isFile ? (await readInput(text, host, prefix)).toString() : text;
  }
  return config;
}

export const update = showCommand(shape, {
  synopsis: '-name NAME [options]',
  details: 'What is not given stays as it is, unless -no-merge is; -config is taken whole.',
  examples: ['-name=corp -description=new -max-token-ttl=10m'],
  flags: [NAME, ...CONTENT, ['no-merge', { kind: 'bool', help: 'Empty whatever is not given.' }]],

  async object(invocation) {
    const { flags } = invocation;
    const noName = 'Cannot update an auth method without specifying the -name parameter';
    requireOne(invocation, ['name'], noName);
    const api = invocation.client();
    const name = flags.text('name');
    const before = await readOne<AuthMethod>(api, METHOD, { name });
    const what = 'JSON for auth method config';
    const after = flags.isSet('no-merge')
      ? { Name: name, Type: before.Type, Config: await wholeConfig(invocation, before.Type, what) }
      : { ...before, Config: await mergedConfig(invocation, before, what) };
    const body = { ...after, ...changesOf(flags) };
    const failure = `Error updating auth method "${name}"`;
    return await put<AuthMethod>(api, pathOf(METHOD, name), body, failure);
  },
});

async function mergedConfig(
  invocation: Invocation,
  { Type, Config: before }: AuthMethod,
  what: string,
): Promise<Config> {
  const given = await givenConfig(invocation, what);
  if (given !== undefined) return given;
  return { ...before, ...(Type === 'kubernetes' && (await kubernetesConfig(invocation))) };
}

export const read = showCommand(shape, {
  synopsis: '-name NAME [options]',
  examples: ['-name=corp'],
  flags: [NAME],

  async object(invocation) {
    requireOne(invocation, ['name'], 'Must specify the -name parameter');
    const name = invocation.flags.text('name');
    return await readOne<AuthMethod>(invocation.client(), METHOD, { name });
  },
});

export const list = listCommand({ kind: METHOD, shape });

export const remove = deleteCommand({
  kind: METHOD,
  flags: [NAME],
  complaint: 'Must specify the -name parameter',
});
