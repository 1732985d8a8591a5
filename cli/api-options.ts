/** Where the agent is and how to speak to it, from flags and the environment. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Flag, FlagTable } from '../lib/config/flags.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { goFileError } from '../lib/go-error.ts';
import { boolComplaint, parseBool } from '../lib/go-literals.ts';
import { readWhole } from '../lib/read-whole.ts';
import { type AgentAddress, agentAddress } from './agent-address.ts';
import type { FlagValues } from './flag-values.ts';

/** Of certificates and keys, all that a machine trusts among them. */
const MAX_PEM_BYTES = 4 * 1024 * 1024;

export interface ApiTarget extends AgentAddress {
  readonly headers: Readonly<Record<string, string>>;
  /** `user:password` */
  readonly auth?: string | undefined;
  readonly tls?: TlsTarget;
  /** How it is reached, where that is over no wire. */
  readonly connect?: () => Duplex;
  /** What of the environment was not understood, and has no effect. */
  readonly doubts?: readonly string[];
}

export interface TlsTarget {
  readonly ca: readonly Buffer[] | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_ADDRESS = '127.0.0.1:8500';

const AGENT_ROWS: readonly (readonly [string, Flag])[] = [
  ['http-addr', text('CONSUL_HTTP_ADDR', 'Address and port of the agent; also unix://PATH.')],
  ['token', text('CONSUL_HTTP_TOKEN', 'Token to send.')],
  ['token-file', text('CONSUL_HTTP_TOKEN_FILE', 'File that holds the token to send.')],
  ['ca-file', text('CONSUL_CACERT', 'File with the certificates to trust.')],
  ['ca-path', text('CONSUL_CAPATH', 'Folder with the certificates to trust.')],
  ['client-cert', text('CONSUL_CLIENT_CERT', 'Certificate to show.')],
  ['client-key', text('CONSUL_CLIENT_KEY', 'Key of the certificate to show.')],
  ['tls-server-name', text('CONSUL_TLS_SERVER_NAME', 'Name that the certificate must bear.')],
];

const QUERY_ROWS: readonly (readonly [string, Flag])[] = [
  ['datacenter', { kind: 'string', help: "Datacenter to ask; the agent's own by default." }],
  ['stale', { kind: 'bool', help: 'Any server may answer, with what it knows.' }],
];

export const HTTP_FLAGS = {
  none: new Map(),
  agent: new Map(AGENT_ROWS),
  query: new Map([...AGENT_ROWS, ...QUERY_ROWS]),
} as const satisfies Record<string, FlagTable>;

function text(variable: string, help: string): Flag {
  return { kind: 'string', help: `${help} Else ${variable}.` };
}

/** Throws ProconsulError 'invalid' where a file cannot be read or holds nothing, or an address makes no sense. */
export function apiTarget(flags: FlagValues, env: Environment): ApiTarget {
  const setting = (flag: string, variable: string) => flags.text(flag) || env[variable] || '';
  const doubts: string[] = [];
  // As in Consul, which says so and goes on.
  const isTrue = (variable: string, otherwise: boolean) => {
    const text = env[variable] || String(otherwise);
    const value = parseBool(text);
    if (value === undefined) doubts.push(`could not parse ${variable}: ${boolComplaint(text)}`);
    return value ?? otherwise;
  };
  const token = tokenOf(setting);
  const secure = isTrue('CONSUL_HTTP_SSL', false);
  return {
    ...agentAddress(setting('http-addr', 'CONSUL_HTTP_ADDR') || DEFAULT_ADDRESS, secure),
    headers: token === '' ? {} : { 'X-Consul-Token': token },
    auth: env['CONSUL_HTTP_AUTH'] || undefined,
    tls: { ...tlsOf(setting), rejectUnauthorized: isTrue('CONSUL_HTTP_SSL_VERIFY', true) },
    doubts,
  };
}

type Setting = (flag: string, variable: string) => string;

/**
 * The file goes before the token itself, as in Consul. An empty one, as while it is written anew, is no leave to ask as
 * nobody: who sees less takes what he does not see for gone.
 */
function tokenOf(setting: Setting): string {
  const file = setting('token-file', 'CONSUL_HTTP_TOKEN_FILE');
  const fromFile = file === '' ? '' : read(file, 'Error loading token file').toString().trim();
  const token = fromFile || setting('token', 'CONSUL_HTTP_TOKEN');
  if (file === '' || token !== '') return token;
  throw new ProconsulError('invalid', `Error loading token file: ${file} is empty`);
}

function tlsOf(setting: Setting): Omit<TlsTarget, 'rejectUnauthorized'> {
  const caFile = setting('ca-file', 'CONSUL_CACERT');
  const caPath = setting('ca-path', 'CONSUL_CAPATH');
  const [cert, key] = [
    setting('client-cert', 'CONSUL_CLIENT_CERT'),
    setting('client-key', 'CONSUL_CLIENT_KEY'),
  ];
  if ((cert === '') !== (key === '')) {
    throw new ProconsulError('invalid', 'both client cert and client key must be provided');
  }
  return {
    ca: caFile === '' ? authoritiesIn(caPath) : [pem(caFile, 'Error loading CA File')],
    cert: cert === '' ? undefined : pem(cert, 'Error loading the client cert'),
    key: key === '' ? undefined : pem(key, 'Error loading the client key'),
    servername: setting('tls-server-name', 'CONSUL_TLS_SERVER_NAME') || undefined,
  };
}

/** All that the folder holds, and those within it: one that is none is refused, as in Consul. */
function authoritiesIn(folder: string): readonly Buffer[] | undefined {
  if (folder === '') return undefined;
  const what = 'Error loading CA Path';
  try {
    const paths = (readdirSync(folder, { recursive: true }) as string[]).map((name) =>
      join(folder, name),
    );
    return paths.filter((path) => !statSync(path).isDirectory()).map((path) => pem(path, what));
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof ProconsulError) throw cause;
    throw new ProconsulError('invalid', `${what}: ${goFileError(cause)}`, { cause });
  }
}

/** A file that holds none would be as if it were not named: over HTTP nobody would hear of it. */
function pem(path: string, what: string): Buffer {
  const bytes = read(path, what);
  if (bytes.includes('-----BEGIN ')) return bytes;
  throw new ProconsulError('invalid', `${what}: Couldn't parse PEM in: ${path}`);
}

function read(path: string, what: string): Buffer {
  try {
    return readWhole(path, MAX_PEM_BYTES);
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `${what}: ${why}`, { cause });
  }
}
