import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { requireOne } from '../acl/find.ts';
import type { Token } from '../acl/objects.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
import { type FlagValues, splitPair } from '../flag-values.ts';

const REQUIRED = ['method', 'token-sink-file', 'bearer-token-file'] as const;

export const command: Command = {
  synopsis: '[options]',
  details: 'Whoever the auth method knows gets a token, which `logout` destroys again.',
  examples: ['-method=k8s -bearer-token-file=/var/run/token -token-sink-file=consul.token'],
  http: 'query',
  flags: new Map([
    ['bearer-token-file', { kind: 'string', help: 'File with what proves who you are.' }],
    ['meta', { kind: 'strings', help: 'key=value to keep with the token. May be repeated.' }],
    ['method', { kind: 'string', help: 'Name of the auth method to ask.' }],
    ['token-sink-file', { kind: 'string', help: 'File to write the SecretID to.' }],
    ['type', { kind: 'string', help: 'Type of the auth method; any by default.' }],
  ]),

  async run(invocation) {
    const { flags, args, client } = invocation;
    refuseArguments(args);
    for (const flag of REQUIRED) {
      requireOne(invocation, [flag], `Missing required '-${flag}' flag`);
    }
    const body = {
      AuthMethod: flags.text('method'),
      BearerToken: bearerToken(flags.text('bearer-token-file')),
      Meta: metaOf(flags),
    };
    const answer = await explained(
      'Error logging in',
      client().send({ method: 'POST', path: '/v1/acl/login', body: JSON.stringify(body) }),
    );
    writeSecret(flags.text('token-sink-file'), (answer.json as Token).SecretID ?? '');
    return 0;
  },
};

function bearerToken(file: string): string {
  const token = read(file).trim();
  if (token !== '') return token;
  throw new ProconsulError('invalid', `No bearer token found in ${file}`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', why, { cause });
  }
}

function metaOf(flags: FlagValues): Readonly<Record<string, string>> {
  return Object.fromEntries(flags.all('meta').map((text) => splitPair('meta', text)));
}

/** Whoever reads the file meanwhile sees the old token or the new one, and nobody else sees any. */
function writeSecret(file: string, secret: string): void {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(beside, secret, { mode: 0o600, flag: 'wx' });
    renameSync(beside, file);
  } catch (cause) {
    rmSync(beside, { force: true });
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `Error writing token to file sink: ${why}`, { cause });
  }
}
