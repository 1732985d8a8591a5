/**
 * An event of the audit log as Consul Enterprise writes it, one line of JSON. Nothing of a request gets
 * into it but what is named here: no body, no header but two, no value of a parameter that may be secret.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Caller } from '../acl/rights.ts';
import { splitTarget } from '../http/path.ts';
import type { Message } from '../http/ready-exchange.ts';
import { HIDDEN, pathWithoutSecrets, secretsHidden } from '../http/secrets.ts';
import { hostPort } from '../ip.ts';

/** What is the same however often it is asked: the text around the address that asks. */
export interface RequestText {
  readonly path: string;
  readonly beforeAddress: string;
  readonly afterAddress: string;
}

/** Parameters whose values name things, times and ways; what others say is left out. */
const SHOWN_PARAMS: ReadonlySet<string> = new Set(
  (
    'acquire authmethod cached cas consistent dc delete-cas dry-run enable flags force-boot health-check ' +
    'id index key keys kind limit max_stale near node node-meta ns partition passing peer policy pretty ' +
    'prune raw recurse release replace-existing-checks role segment separator service serviceName ' +
    'servicekind session stale tag type wait wan with-expanded'
  ).split(' '),
);
/** Enough to know it by: what is asked for may be as long as a head. */
const MAX_TEXT = 1024;

/**
 * `isKnownId` says of what stands where people also put secrets that it is an object's id, and no secret.
 */
export function requestText(message: Message, isKnownId: (text: string) => boolean): RequestText {
  const { method = '', headers } = message;
  const target = targetOf(message);
  const hide = secretsHidden(message);
  const clean = (text: string) => hide(text).slice(0, MAX_TEXT);
  const params = shownParams(target.query).map(([name, value]) => [name, clean(value)] as const);
  const request = {
    operation: method,
    endpoint: clean(pathWithoutSecrets(target.path, isKnownId)),
    remote_addr: '',
    user_agent: clean(headers['user-agent'] ?? ''),
    host: clean(headers.host ?? ''),
    ...(params.length > 0 && { query_params: Object.fromEntries(params) }),
  };
  const [beforeAddress = '', afterAddress = ''] = JSON.stringify(request).split(ADDRESS);
  return { path: target.path, beforeAddress, afterAddress };
}

/** No quotation mark in a value stands there as such. */
const ADDRESS = '"remote_addr":""';

function targetOf({ url = '' }: Message): { path: string; query: string } {
  try {
    return splitTarget(url);
  } catch {
    // What cannot be read is refused, and may be anything.
    return { path: HIDDEN, query: '' };
  }
}

function shownParams(query: string): readonly (readonly [string, string])[] {
  if (query === '') return [];
  const all = [...new URLSearchParams(`&${query}`)];
  return all.flatMap(([name, value]) => (SHOWN_PARAMS.has(name) ? [[name, value]] : []));
}

/** Who asks, as the token's accessor says; without access control and for strangers nobody. */
export function authText(caller: Caller | undefined): string {
  const { accessorId = '', token } = caller ?? {};
  return JSON.stringify({
    accessor_id: accessorId,
    description: token?.description ?? '',
    ...(token && token.createdAt > 0 && { create_time: new Date(token.createdAt).toISOString() }),
  });
}

/** As Go writes it; a socket in the file system has none. */
export function addressOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return '@';
  return hostPort(remoteAddress.replace(/^::ffff:(?=\d+\.)/, ''), remotePort ?? 0);
}

export interface EventParts {
  readonly at: number;
  readonly auth: string;
  readonly request: RequestText;
  readonly address: string;
  /** Undefined at the start. */
  readonly status: number | undefined;
}

export function eventLine({ at, auth, request, address, status }: EventParts): string {
  const time = new Date(at).toISOString();
  const rest =
    status === undefined
      ? '"stage":"OperationStart"'
      : `"response":{"status":"${status}"},"stage":"OperationComplete"`;
  return (
    `{"created_at":"${time}","event_type":"audit","payload":{"id":"${randomUUID()}","version":"1",` +
    `"type":"HTTPEvent","timestamp":"${time}","auth":${auth},"request":${request.beforeAddress}` +
    `"remote_addr":"${address}"${request.afterAddress},${rest}}}\n`
  );
}
