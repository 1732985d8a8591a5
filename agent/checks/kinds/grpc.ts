/** What gRPC's standard health service (grpc.health.v1) says of a service, or of a server. */
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type grpcJs from '@grpc/grpc-js';
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js';
import { goDialError, splitHostPort } from '../../../lib/go-error.ts';
import { dial, tlsOptions } from '../probing/dial.ts';
import { type Looking, looking } from '../probing/looking.ts';
import { critical, type Look, passing } from '../probing/probe.ts';
import { checkKind, flag, TLS_FIELDS, text, type ValuesOf } from './kind.ts';

const FIELDS = { GRPC: text, GRPCUseTLS: flag, ...TLS_FIELDS };

type GrpcCheck = ValuesOf<typeof FIELDS>;
type Library = typeof grpcJs;

export const grpc = checkKind({
  type: 'grpc',
  fields: FIELDS,
  labels: {
    check_grpc: (_, { hostPort, label }) => ({
      GRPC: hostPort,
      ...(label('check_grpc_use_tls') !== '' && {
        GRPCUseTLS: true,
        ...(label('check_tls_skip_verify') !== '' && { TLSSkipVerify: true }),
      }),
    }),
  },

  probe: (check, { untrusted }) => {
    const [authority = '', ...path] = check.GRPC.split('/');
    return async (signal) => {
      // Loaded at the first check that needs it: it is a tenth of a start.
      const library = await import('@grpc/grpc-js');
      return await looking({ signal, timedOut, failed: unreachable }, (look) => {
        const { host, port } = splitHostPort(authority);
        // The library would leave a connection that nobody answers to the system, for minutes, and
        // has its own ideas of names. So this finds out where it can connect, and tells it that.
        const socket = dial(look, authority, { untrusted });
        look.on(socket, 'error', (error) =>
          look.end(unreachable(goDialError(error, 'tcp', authority))),
        );
        look.on(socket, 'connect', () => {
          const address = socket.remoteAddress ?? host;
          const target =
            isIP(address) === 6 ? `ipv6:[${address}]:${port}` : `ipv4:${address}:${port}`;
          socket.destroy();
          ask(look, library, { check, target, host, authority, service: path.join('/') });
        });
      });
    };
  },
});

function timedOut(): Look {
  return critical('rpc error: code = DeadlineExceeded desc = context deadline exceeded');
}

function unreachable(why: string): Look {
  const reason = `connection error: desc = "transport: Error while dialing ${why}"`;
  return critical(`rpc error: code = Unavailable desc = ${reason}`);
}

const METHOD = '/grpc.health.v1.Health/Check';
/** An answer is two bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

interface Question {
  readonly check: GrpcCheck;
  readonly target: string;
  readonly host: string;
  readonly authority: string;
  readonly service: string;
}

function ask(look: Looking, library: Library, question: Question): void {
  const { check, target, host, authority, service } = question;
  const { Client, Metadata } = library;
  const client = new Client(target, credentialsFor(look, library, { check, host }), {
    'grpc.default_authority': authority,
    'grpc.primary_user_agent': 'Consul Health Check',
    'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
    // A connection of its own each time, straight there: both are part of the check.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
  });
  const call = client.makeUnaryRequest(
    METHOD,
    encodeRequest,
    decodeResponse,
    service,
    new Metadata(),
    look.guard((error: ServiceError | null, serves?: boolean) => {
      if (error !== null) look.end(failure(error, library));
      else if (serves) look.end(passing(`gRPC check ${check.GRPC}: success`));
      else look.end(critical("gRPC application didn't report service healthy"));
    }),
  );
  look.finally(() => {
    call.cancel();
    client.close();
  });
}

/**
 * Where the library gets its connections from: each ends with the look, in whatever state it is.
 * (Closing the client waits for a greeting, or for streams, of which a bad server sends none or
 * ends none.)
 */
function credentialsFor(
  look: Looking,
  { ChannelCredentials: Credentials, credentials }: Library,
  { check, host }: Pick<Question, 'check' | 'host'>,
): ChannelCredentials {
  const { GRPCUseTLS } = check;
  const secured = (socket: Socket) =>
    new Promise<Socket>((resolve) => {
      const secure = connectTls({
        socket,
        host,
        ...tlsOptions(check, host),
        ALPNProtocols: ['h2'],
      });
      look.on(secure, 'error', (error: Error) => look.end(unreachable(`tls: ${error.message}`)));
      look.on(secure, 'secureConnect', () => resolve(secure));
    });
  class OfOneLook extends Credentials {
    override _isSecure(): boolean {
      return GRPCUseTLS;
    }
    override _equals(other: ChannelCredentials): boolean {
      return other === this;
    }
    override _createSecureConnector(): ReturnType<ChannelCredentials['_createSecureConnector']> {
      return {
        connect: async (socket: Socket) => {
          look.finally(() => socket.destroy());
          return { socket: GRPCUseTLS ? await secured(socket) : socket, secure: GRPCUseTLS };
        },
        waitForReady: () => Promise.resolve(),
        getCallCredentials: () => credentials.createEmpty(),
        destroy: () => undefined,
      };
    }
  }
  return new OfOneLook();
}

function failure({ code, details }: ServiceError, { status }: Library): Look {
  // With the time in it no two looks would say the same.
  const last = /Last error: (.*?)(?: \(\d{4}-[^)]*\))?\.? *(?:Resolution note:.*)?$/s.exec(details);
  if (code === status.UNAVAILABLE && last?.[1] !== undefined) return unreachable(last[1]);
  return critical(`rpc error: code = ${goName(status[code] ?? String(code))} desc = ${details}`);
}

/** NOT_FOUND → NotFound */
function goName(name: string): string {
  if (name === 'OK') return name;
  return name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The message {1: service}; an empty name, which means the server, is left out. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return name;
  const length: number[] = [];
  let left = name.length;
  for (; left >= 0x80; left >>= 7) length.push((left & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([0x0a, ...length, left]), name]);
}

/** {1: status}: the tag 0x08, then the number, of which 1 is SERVING; a status of 0 is left out. */
function decodeResponse(message: Buffer): boolean {
  return message[0] === 0x08 && message[1] === 1;
}
