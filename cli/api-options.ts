/** Where the agent is and how to speak to it, from flags and the environment. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Flag, FlagTable } from '../lib/config/flags.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { parseBool } from '../lib/go-literals.ts';
import { readWhole } from '../lib/read-whole.ts';
import type { FlagValues } from './flag-values.ts';

/** Of certificates and keys, all that a machine trusts among them. */
const MAX_PEM_BYTES = 4 * 1024 * 1024;

export interface ApiTarget {
  readonly scheme: 'http' | 'https';
  readonly socketPath?: string | undefined;
  /** With the port, as the user wrote it. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `user:password` */
  readonly auth?: string | undefined;
  readonly tls?: TlsTarget;
  /** How it is reached, where that is over no wire. */
  readonly connect?: () => Duplex;
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

/** Throws ProconsulError 'invalid' where a file cannot be read or an address makes no sense. */
export function apiTarget(flags: FlagValues, env: Environment): ApiTarget {
  const setting = (flag: string, variable: string) => flags.text(flag) || env[variable] || '';
  const token = tokenOf(setting);
  return {
    ...addressOf(setting('http-addr', 'CONSUL_HTTP_ADDR') || DEFAULT_ADDRESS, env),
    headers: token === '' ? {} : { 'X-Consul-Token': token },
    auth: env['CONSUL_HTTP_AUTH'] || undefined,
    tls: tlsOf(setting, env),
  };
}

type Setting = (flag: string, variable: string) => string;

/** The file goes before the token itself, as in Consul. */
function tokenOf(setting: Setting): string {
  const file = setting('token-file', 'CONSUL_HTTP_TOKEN_FILE');
  const fromFile = file === '' ? '' : read(file, 'Error loading token file').toString().trim();
  return fromFile || setting('token', 'CONSUL_HTTP_TOKEN');
}

function addressOf(
  text: string,
  env: Environment,
): Pick<ApiTarget, 'scheme' | 'address' | 'socketPath'> {
  const [, written, rest = text] = /^([a-z+]+):\/\/(.*)$/i.exec(text) ?? [];
  const secure = parseBool(env['CONSUL_HTTP_SSL'] ?? '') === true;
  if (written === 'unix') return { scheme: 'http', address: 'localhost', socketPath: rest };
  const scheme = written ?? (secure ? 'https' : 'http');
  if (scheme !== 'http' && scheme !== 'https') {
    throw new ProconsulError('invalid', `Unknown protocol scheme: ${scheme}`);
  }
  // A port alone is this machine's, as for Go.
  const address = rest.replace(/\/+$/, '').replace(/^:(?=\d)/, '127.0.0.1:');
  if (!URL.canParse(`${scheme}://${address}`)) {
    throw new ProconsulError('invalid', `Invalid address: ${text}`);
  }
  return { scheme, address, socketPath: undefined };
}

function tlsOf(setting: Setting, env: Environment): TlsTarget {
  const file = (path: string) => (path === '' ? undefined : read(path, 'Error reading TLS file'));
  const caFile = setting('ca-file', 'CONSUL_CACERT');
  const caPath = setting('ca-path', 'CONSUL_CAPATH');
  const [cert, key] = [
    setting('client-cert', 'CONSUL_CLIENT_CERT'),
    setting('client-key', 'CONSUL_CLIENT_KEY'),
  ];
  if ((cert === '') !== (key === '')) {
    throw new ProconsulError('invalid', 'both client cert and client key must be provided');
  }
  const caFiles = [...(caFile === '' ? [] : [caFile]), ...(caPath === '' ? [] : filesIn(caPath))];
  return {
    ca: caFiles.length === 0 ? undefined : caFiles.map((path) => read(path, 'Error loading CA')),
    cert: file(cert),
    key: file(key),
    servername: setting('tls-server-name', 'CONSUL_TLS_SERVER_NAME') || undefined,
    rejectUnauthorized: parseBool(env['CONSUL_HTTP_SSL_VERIFY'] ?? '') !== false,
  };
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => join(folder, name));
  } catch (cause) {
    throw new ProconsulError('invalid', `Error loading CA: cannot read ${folder}`, { cause });
  }
}

function read(path: string, what: string): Buffer {
  try {
    return readWhole(path, MAX_PEM_BYTES);
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `${what}: ${why}`, { cause });
  }
}
