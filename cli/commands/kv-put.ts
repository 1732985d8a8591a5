import { ProconsulError } from '../../lib/errors.ts';
import { encodePath } from '../api-client.ts';
import { type Command, explained, type Invocation, readInput } from '../command.ts';
import { type FlagValues, readUint } from '../flag-values.ts';

export const command: Command = {
  synopsis: '[options] KEY [DATA]',
  details:
    'DATA is the value, @FILE a file that holds it, - standard input; without it the value is empty.',
  examples: [
    'config/web/limit 100',
    'config/web/page @page.html',
    '-cas -modify-index=812 config/web/limit 200',
  ],
  http: 'query',
  flags: new Map([
    ['acquire', { kind: 'bool', help: 'Take the lock on the key for -session.' }],
    ['base64', { kind: 'bool', help: 'DATA is in base64.' }],
    ['cas', { kind: 'bool', help: 'Write only if the key is still at -modify-index.' }],
    ['flags', { kind: 'string', help: 'A number to keep with the value; 0 by default.' }],
    ['modify-index', { kind: 'string', help: 'For -cas: the ModifyIndex that was last seen.' }],
    ['release', { kind: 'bool', help: 'Give the lock of -session on the key back.' }],
    ['session', { kind: 'string', help: 'The session for -acquire and -release.' }],
  ]),

  async run(invocation) {
    const { flags, args } = invocation;
    const key = keyOf(args);
    const data = await dataOf(invocation);
    const how = verb(flags);
    const query = [...how.query, ['flags', String(readUint(flags, 'flags'))] as const];
    const answer = await explained(
      'Error! Failed writing data',
      invocation.client().send({
        method: 'PUT',
        path: `/v1/kv/${encodePath(key)}`,
        query,
        body: data,
      }),
    );
    if (answer.json !== true) throw new ProconsulError('rejected', how.refused(key));
    invocation.host.print(`${how.done(key)}\n`);
    return 0;
  },
};

function keyOf(args: readonly string[]): string {
  const [key] = args;
  if (key === undefined) throw new ProconsulError('invalid', 'Error! Missing KEY argument');
  if (args.length > 2) {
    const count = `(expected 1 or 2, got ${args.length})`;
    throw new ProconsulError('invalid', `Error! Too many arguments ${count}`);
  }
  if (key.startsWith('/')) {
    const why = `Invalid key. Key must not begin with a '/': ${key}`;
    throw new ProconsulError('invalid', `Error! Failed writing data: ${why}`);
  }
  return key;
}

async function dataOf({ flags, args, host }: Invocation): Promise<Buffer> {
  const data = await readInput(args[1] ?? '', host);
  if (!flags.isSet('base64')) return data;
  const text = data.toString('latin1').replace(/[\r\n]/g, '');
  const decoded = Buffer.from(text, 'base64');
  // Node skips over what is no base64; the way back shows it.
  if (decoded.toString('base64') !== text) {
    throw new ProconsulError('invalid', 'Error! Cannot base 64 decode data');
  }
  return decoded;
}

interface Verb {
  readonly query: readonly (readonly [string, string])[];
  readonly done: (key: string) => string;
  readonly refused: (key: string) => string;
}

const done = (key: string) => `Success! Data written to: ${key}`;

function verb(flags: FlagValues): Verb {
  if (flags.isSet('cas')) {
    const index = readUint(flags, 'modify-index');
    if (index === 0n) {
      throw new ProconsulError('invalid', 'Must specify -modify-index with -cas!');
    }
    const refused = (key: string) => `Error! Did not write to ${key}: CAS failed`;
    return { query: [['cas', String(index)]], done, refused };
  }
  const session = flags.text('session');
  const locks = flags.isSet('acquire') || flags.isSet('release');
  if (locks && session === '') {
    const why = 'Missing -session (required with -acquire and -release)';
    throw new ProconsulError('invalid', `Error! ${why}`);
  }
  if (flags.isSet('acquire')) {
    return {
      query: [['acquire', session]],
      done: (key) => `Success! Lock acquired on: ${key}`,
      refused: () => 'Error! Did not acquire lock',
    };
  }
  if (flags.isSet('release')) {
    return {
      query: [['release', session]],
      done: (key) => `Success! Lock released on: ${key}`,
      refused: () => 'Error! Did not release lock',
    };
  }
  return { query: [], done, refused: (key) => `Error! Did not write to ${key}` };
}
