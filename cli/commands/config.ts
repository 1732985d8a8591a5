/** The commands of config entries. */
import { parseHcl } from '../../lib/config/hcl.ts';
import type { ConfigEntry } from '../../lib/config-entries/entry.ts';
import { decodeEntry } from '../../lib/config-entries/kinds.ts';
import { shownFields } from '../../lib/config-entries/shown.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import { encodeJson } from '../../lib/json.ts';
import { readWhole } from '../../lib/read-whole.ts';
import type { FlagRow } from '../acl/show.ts';
import { type ApiClient, encodePath } from '../api-client.ts';
import { type Command, type CommandHost, explained, type Invocation } from '../command.ts';
import { readUint } from '../flag-values.ts';

const KIND: FlagRow = ['kind', { kind: 'string', help: 'The kind of the entry.' }];
const NAME: FlagRow = ['name', { kind: 'string', help: 'The name of the entry.' }];
const MODIFY_INDEX: FlagRow = [
  'modify-index',
  { kind: 'int', help: 'With -cas: the ModifyIndex that it was read with.' },
];
const MAX_INPUT_BYTES = 1024 * 1024;

export const list: Command = {
  synopsis: '[options] -kind KIND',
  examples: ['-kind service-defaults'],
  http: 'query',
  flags: new Map([KIND]),

  async run(invocation) {
    const kind = required(invocation, 'kind');
    const answer = await explained(
      `Error listing config entries for kind ${quote(kind)}`,
      invocation.client().send({ method: 'GET', path: encodePath(`/v1/config/${kind}`) }),
    );
    for (const { Name } of answer.json as readonly ConfigEntry[])
      invocation.host.print(`${Name}\n`);
    return 0;
  },
};

export const read: Command = {
  synopsis: '[options] -kind KIND -name NAME',
  examples: ['-kind proxy-defaults -name global'],
  http: 'query',
  flags: new Map([KIND, NAME]),

  async run(invocation) {
    const { kind, name, path } = placeOf(invocation);
    const answer = await explained(
      `Error reading config entry ${kind}/${name}`,
      invocation.client().send({ method: 'GET', path }),
    );
    invocation.host.print(`${encodeJson(answer.json, true)}\n`);
    return 0;
  },
};

export const remove: Command = {
  synopsis: '[options] -kind KIND -name NAME',
  examples: [
    '-kind service-defaults -name web',
    '-kind service-defaults -name web -cas -modify-index=7',
  ],
  http: 'query',
  flags: new Map([
    KIND,
    NAME,
    ['cas', { kind: 'bool', help: 'Only if it still stands at -modify-index.' }],
    MODIFY_INDEX,
  ]),

  async run(invocation) {
    const { kind, name, path } = placeOf(invocation);
    const query = casOf(invocation);
    if (query.some(([, index]) => index === '0'))
      throw new ProconsulError('invalid', 'Must specify -modify-index with -cas!');
    const answer = await explained(
      `Error deleting config entry ${kind}/${name}`,
      invocation.client().send({ method: 'DELETE', path, query }),
    );
    if (answer.json === false)
      throw new ProconsulError('rejected', `Config entry not deleted: ${kind}/${name}`);
    invocation.host.print(`Config entry deleted: ${kind}/${name}\n`);
    return 0;
  },
};

export const write: Command = {
  synopsis: '[options] FILE',
  details: 'The file is HCL or JSON; - is stdin.',
  examples: ['web.hcl', '-cas -modify-index=7 web.hcl'],
  http: 'query',
  flags: new Map([
    ['cas', { kind: 'bool', help: 'Only if it stands at -modify-index; 0 only if there is none.' }],
    MODIFY_INDEX,
  ]),

  async run(invocation) {
    const { args, host } = invocation;
    const [file = ''] = args;
    if (args.length !== 1)
      throw new ProconsulError(
        'invalid',
        'Must provide exactly one positional argument to specify the config entry to write',
      );
    const query = casOf(invocation);
    const entry = entryOf(await textOf(file, host));
    const place = `${entry.Kind}/${entry.Name}`;
    const answer = await explained(
      `Error writing config entry ${place}`,
      send(invocation.client(), entry.body, query),
    );
    if (answer.json !== true)
      throw new ProconsulError('rejected', `Config entry not updated: ${place}`);
    host.print(`Config entry written: ${place}\n`);
    return 0;
  },
};

/** Upon which state of it alone. Whoever forgets -cas must not change it whatever it is. */
function casOf({ flags }: Invocation): readonly (readonly [string, string])[] {
  const index = readUint(flags, 'modify-index');
  if (flags.isSet('cas')) return [['cas', String(index)]];
  if (index === 0n) return [];
  throw new ProconsulError('invalid', 'Cannot specify -modify-index without -cas!');
}

function send(api: ApiClient, body: string, query: readonly (readonly [string, string])[]) {
  return api.send({ method: 'PUT', path: '/v1/config', body, query });
}

async function textOf(file: string, host: CommandHost): Promise<string> {
  if (file === '-') return (await host.readStdin()).toString();
  try {
    return readWhole(file, MAX_INPUT_BYTES).toString();
  } catch (cause) {
    throw new ProconsulError('invalid', `Failed to load data: ${messageOf(cause)}`, { cause });
  }
}

/** In the form that the API takes: a file may say it as HCL has it. */
function entryOf(text: string) {
  try {
    const entry = decodeEntry(parseHcl(text));
    const { Kind, Name } = entry;
    return { Kind, Name, body: encodeJson(shownFields(entry)) };
  } catch (cause) {
    throw new ProconsulError('invalid', `Failed to decode config entry input: ${messageOf(cause)}`);
  }
}

function placeOf(invocation: Invocation) {
  const kind = required(invocation, 'kind');
  const name = required(invocation, 'name');
  return { kind, name, path: encodePath(`/v1/config/${kind}/${name}`) };
}

function required({ flags }: Invocation, name: 'kind' | 'name'): string {
  const value = flags.text(name);
  if (value === '') throw new ProconsulError('invalid', `Must specify the -${name} parameter`);
  return value;
}
