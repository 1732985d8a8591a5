/** The commands of intentions. */
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import { decodeJson, encodeJson } from '../../lib/json.ts';
import { readWhole } from '../../lib/read-whole.ts';
import type { FlagRow } from '../acl/show.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, type CommandHost, explained, type Invocation } from '../command.ts';
import { splitPair } from '../flag-values.ts';

const PATH = '/v1/connect/intentions';
const MAX_INPUT_BYTES = 1024 * 1024;

interface Intention {
  readonly ID?: string;
  readonly SourceName: string;
  readonly DestinationName: string;
  readonly Action: string;
  readonly Description?: string;
  readonly Meta?: Readonly<Record<string, string>> | null;
  readonly CreatedAt?: string;
}

const spoken = ({ SourceName, DestinationName, Action }: Intention) =>
  `${SourceName} => ${DestinationName} (${Action})`;

const BOTH_ENDS: readonly FlagRow[] = [
  ['source', { kind: 'bool', help: 'Those by which it calls.' }],
  ['destination', { kind: 'bool', help: 'Those by which it is called; so where nothing is said.' }],
];

export const check: Command = {
  synopsis: '[options] SOURCE DESTINATION',
  details: 'Exits with 1 where it may not.',
  examples: ['web db'],
  http: 'query',
  flags: new Map(),

  async run({ args, client, host }) {
    const [source = '', destination = ''] = args;
    if (args.length !== 2) {
      host.printError('Error: command requires exactly two arguments: src and dst\n');
      return 2;
    }
    const query = [['source', source] as const, ['destination', destination] as const];
    const answer = await explained(
      'Error checking the connection',
      client().send({ method: 'GET', path: `${PATH}/check`, query }),
    );
    const { Allowed } = answer.json as { readonly Allowed: boolean };
    host.print(Allowed ? 'Allowed\n' : 'Denied\n');
    return Allowed ? 0 : 1;
  },
};

export const match: Command = {
  synopsis: '[options] SERVICE',
  examples: ['db', '-source web'],
  http: 'query',
  flags: new Map(BOTH_ENDS),

  async run({ args, flags, client, host }) {
    const [name = ''] = args;
    if (args.length !== 1) throw error('command requires exactly one argument: src or dst');
    if (flags.isSet('source') && flags.isSet('destination')) {
      throw error('only one of -source or -destination may be specified');
    }
    const by = flags.isSet('source') ? 'source' : 'destination';
    const query = [['by', by] as const, ['name', name] as const];
    const answer = await explained(
      'Error matching the connection',
      client().send({ method: 'GET', path: `${PATH}/match`, query }),
    );
    const [found = []] = Object.values(answer.json as Readonly<Record<string, Intention[]>>);
    for (const each of found) host.print(`${spoken(each)}\n`);
    return 0;
  },
};

export const get: Command = {
  synopsis: '[options] SOURCE DESTINATION | ID',
  examples: ['web db', '3b6ad8b6-0b9b-4a3a-8c8b-1b7f4f9c7f4e'],
  http: 'query',
  flags: new Map(),

  async run({ args, client, host }) {
    const found = await intentionOf(client(), args, 'Error reading the intention');
    host.print(pretty(found));
    return 0;
  },
};

export const remove: Command = {
  synopsis: '[options] SOURCE DESTINATION | ID',
  examples: ['web db'],
  http: 'query',
  flags: new Map(),

  async run({ args, client, host }) {
    const api = client();
    const { SourceName, DestinationName } = await intentionOf(
      api,
      args,
      'Error deleting the intention',
    );
    const query = [['source', SourceName] as const, ['destination', DestinationName] as const];
    const sent = api.send({ method: 'DELETE', path: `${PATH}/exact`, query });
    await explained('Error deleting the intention', sent);
    host.print('Intention deleted.\n');
    return 0;
  },
};

export const create: Command = {
  synopsis: '[options] SOURCE DESTINATION | -file FILE...',
  examples: ['web db', '-deny "*" db', '-file web.json'],
  http: 'query',
  flags: new Map<string, FlagRow[1]>([
    ['allow', { kind: 'bool', help: 'The source may call; so where nothing is said.' }],
    ['deny', { kind: 'bool', help: 'The source may not call.' }],
    [
      'file',
      { kind: 'bool', help: 'The arguments are files with one intention each; - is stdin.' },
    ],
    ['meta', { kind: 'strings', help: 'Metadata, as key=value; may be repeated.' }],
    ['replace', { kind: 'bool', help: 'Puts it in place of the one that is there.' }],
  ]),

  async run(invocation) {
    const { flags, host } = invocation;
    const made = await intentionsOf(invocation);
    const api = invocation.client();
    for (const intention of made) {
      const why = `Error creating intention ${quote(spoken(intention))}`;
      if (flags.isSet('replace') && (await replaced(api, intention))) continue;
      const body = encodeJson(intention);
      await explained(why, api.send({ method: 'POST', path: PATH, body }));
      host.print(`Created: ${spoken(intention)}\n`);
    }
    return 0;
  },
};

/** Whether there was one to replace. */
async function replaced(api: ApiClient, intention: Intention): Promise<boolean> {
  const before = await named(api, intention.SourceName, intention.DestinationName);
  if (before === undefined) return false;
  const path = `${PATH}/${before.ID}`;
  await explained(
    `Error replacing intention with source ${quote(intention.SourceName)} and destination ${quote(intention.DestinationName)}`,
    api.send({ method: 'PUT', path, body: encodeJson(intention) }),
  );
  return true;
}

async function intentionsOf({ args, flags, host }: Invocation): Promise<readonly Intention[]> {
  if (flags.isSet('allow') && flags.isSet('deny')) {
    throw new ProconsulError('invalid', 'Only one of -allow or -deny may be specified.');
  }
  if (flags.isSet('file')) return await Promise.all(args.map((file) => fromFile(file, host)));
  const [SourceName = '', DestinationName = ''] = args;
  if (args.length !== 2) throw error('Must specify two arguments: source and destination');
  const Meta = Object.fromEntries(flags.all('meta').map((text) => splitPair('meta', text)));
  const Action = flags.isSet('deny') ? 'deny' : 'allow';
  return [{ SourceName, DestinationName, Action, Meta }];
}

async function fromFile(file: string, host: CommandHost): Promise<Intention> {
  const text = file === '-' ? await host.readStdin() : read(file);
  try {
    return decodeJson(text.toString()) as Intention;
  } catch (cause) {
    throw error(messageOf(cause));
  }
}

function read(file: string): Buffer {
  try {
    return readWhole(file, MAX_INPUT_BYTES);
  } catch (cause) {
    const isMissing = (cause as { readonly code?: string }).code === 'ENOENT';
    throw error(isMissing ? `open ${file}: no such file or directory` : messageOf(cause));
  }
}

/** By an id, or by who calls and who is called. */
async function intentionOf(
  api: ApiClient,
  args: readonly string[],
  why: string,
): Promise<Intention> {
  const [source = '', destination = ''] = args;
  if (args.length < 1 || args.length > 2) {
    throw error('command requires exactly 1 or 2 arguments');
  }
  if (args.length === 1) {
    const path = `${PATH}/${encodeURIComponent(source)}`;
    const answer = await api.send({ method: 'GET', path, accept: [400, 404] });
    if (answer.status === 200) return answer.json as Intention;
    throw new ProconsulError(
      'unavailable',
      `${why}: Unexpected response ${answer.status}: ${answer.text}`,
    );
  }
  const found = await named(api, source, destination);
  if (found !== undefined) return found;
  throw error(
    `Intention with source ${quote(source)} and destination ${quote(destination)} not found.`,
  );
}

async function named(api: ApiClient, source: string, destination: string) {
  const query = [['source', source] as const, ['destination', destination] as const];
  const accept = [404];
  const answer = await api.send({ method: 'GET', path: `${PATH}/exact`, query, accept });
  return answer.status === 404 ? undefined : (answer.json as Intention);
}

function pretty(intention: Intention): string {
  const { SourceName, DestinationName, Action, ID = '', Description = '' } = intention;
  const meta = Object.entries(intention.Meta ?? {}).sort();
  const rows = [
    ['Source', SourceName],
    ['Destination', DestinationName],
    ['Action', Action],
    ...(ID === '' ? [] : [['ID', ID]]),
    ...(Description === '' ? [] : [['Description', Description]]),
    ...meta.map(([key, value]) => [`Meta[${key}]`, value]),
    ['Created At', spokenTime(intention.CreatedAt ?? '')],
  ];
  return rows.map(([name, value]) => `${name}:  ${value}\n`).join('');
}

/** As Consul prints it: by RFC 850. */
function spokenTime(iso: string): string {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(iso)
    .toUTCString()
    .split(/,? /);
  const name = DAYS.find((each) => each.startsWith(day)) ?? day;
  return `${name}, ${date}-${month}-${year.slice(2)} ${time} UTC`;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function error(why: string): ProconsulError {
  return new ProconsulError('invalid', `Error: ${why}`);
}
