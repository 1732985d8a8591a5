/** HTTP/2: a ping, and gRPC's standard health service (grpc.health.v1) spoken by hand. */
import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { goDialError, splitHostPort } from '../../../lib/go-error.ts';
import { lookupNotLinkLocal, refuseLinkLocal } from '../link-local.ts';
import { critical, type Look, type Probe, passing } from '../probe.ts';

export interface Http2ProbeOptions {
  /** 'host:port', for gRPC with '/service' behind it. */
  readonly target: string;
  readonly tls: boolean;
  readonly tlsServerName: string;
  readonly tlsSkipVerify: boolean;
  readonly untrusted: boolean;
}

export function h2pingProbe(options: Http2ProbeOptions): Probe {
  const failed = (why: string) => critical(`HTTP2 ping failed: ${why}`);
  return (signal) =>
    withSession(options, options.target, signal, failed, (session, end) => {
      session.ping((error) =>
        end(error === null ? passing('HTTP2 ping was successful') : failed(error.message)),
      );
    });
}

const UNAVAILABLE = 'rpc error: code = Unavailable desc = connection error: desc = ';

export function grpcProbe(options: Http2ProbeOptions): Probe {
  const slash = options.target.indexOf('/');
  const address = slash < 0 ? options.target : options.target.slice(0, slash);
  const service = slash < 0 ? '' : options.target.slice(slash + 1);
  const failed = (why: string, timeout: boolean) =>
    critical(
      timeout
        ? 'rpc error: code = DeadlineExceeded desc = context deadline exceeded'
        : `${UNAVAILABLE}"transport: Error while dialing ${why}"`,
    );
  return (signal) =>
    withSession(options, address, signal, failed, (session, end) =>
      askHealth(session, service, (look) =>
        end(look ?? passing(`gRPC check ${options.target}: success`)),
      ),
    );
}

type Failed = (why: string, timeout: boolean) => Look;
type End = (look: Look) => void;

function withSession(
  options: Http2ProbeOptions,
  address: string,
  signal: AbortSignal,
  failed: Failed,
  use: (session: ClientHttp2Session, end: End) => void,
): Promise<Look> {
  const { host, port } = splitHostPort(address);
  if (options.untrusted) refuseLinkLocal(host);
  const authority = `${options.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const tls: SecureClientSessionOptions = {
    rejectUnauthorized: !options.tlsSkipVerify,
    ...(options.tlsServerName !== '' && { servername: options.tlsServerName }),
  };
  const session = connect(authority, {
    ...(options.tls && tls),
    ...(options.untrusted && { lookup: lookupNotLinkLocal }),
  });
  return new Promise<Look>((resolve) => {
    const timedOut = () => resolve(failed('i/o timeout', true));
    signal.addEventListener('abort', timedOut, { once: true });
    session.once('error', (error) => resolve(failed(goDialError(error, 'tcp', address), false)));
    session.once('connect', () => use(session, resolve));
  }).finally(() => session.destroy());
}

const GRPC_CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** Asks the one thing; undefined when it serves. */
function askHealth(
  session: ClientHttp2Session,
  service: string,
  answer: (look: Look | undefined) => void,
): void {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'Consul Health Check',
  });
  const parts: Buffer[] = [];
  let headers: IncomingHttpHeaders = {};
  stream.once('response', (fields) => {
    headers = fields;
  });
  stream.once('trailers', (fields: IncomingHttpHeaders) => {
    headers = { ...headers, ...fields };
  });
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.once('error', (error) =>
    answer(critical(`rpc error: code = Internal desc = ${error.message}`)),
  );
  stream.once('end', () => answer(lookOf(headers, Buffer.concat(parts))));
  stream.end(healthRequest(service));
}

/** A gRPC frame (flag, length) around the message {1: service}. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const SERVING = 1;

function lookOf(headers: IncomingHttpHeaders, body: Buffer): Look | undefined {
  const code = Number(headers['grpc-status'] ?? 2);
  if (code !== 0) {
    const words = decodeURIComponent(String(headers['grpc-message'] ?? ''));
    return critical(`rpc error: code = ${GRPC_CODES[code] ?? code} desc = ${words}`);
  }
  // {1: status}: the tag 0x08, then the number; a status of 0 is left out.
  const status = body[5] === 0x08 ? body[6] : 0;
  return status === SERVING
    ? undefined
    : critical("gRPC application didn't report service healthy");
}
