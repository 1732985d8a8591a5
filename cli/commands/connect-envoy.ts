import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { childFault, startChild } from '../../lib/child.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { splitHostPort } from '../../lib/go-error.ts';
import { parseBool } from '../../lib/go-literals.ts';
import { inPath } from '../../lib/well-formed.ts';
import { objectIn } from '../../sidecar/said.ts';
import { apiTarget } from '../api-options.ts';
import { type Command, explained, type Invocation } from '../command.ts';
import { type AgentPlace, envoyBootstrap } from '../envoy-bootstrap.ts';
import { gatewayAt, gatewayKind, registerGateway } from '../envoy-gateway.ts';
import { telemetryOf, withTelemetry } from '../envoy-telemetry.ts';
import { proxyFor } from './connect-proxy.ts';

/** The oldest that knows all that is told: v2 of its API is gone since. */
const ENVOY_VERSION = '1.18.0';
const DEFAULT_GRPC = '127.0.0.1:8502';

export const command: Command = {
  synopsis: '[options] [-- pass-through options]',
  details:
    'Runs Envoy beside a service of the mesh, or as a gateway, with a configuration by which it is told all else by the agent, at ports.grpc; ' +
    'or prints that with -bootstrap. It is of version 3 of the API of Envoy, where that of Consul 1.8 is of version 2. ' +
    'What follows -- is given to Envoy, which hands over to no other unless that says how.',
  examples: [
    '-sidecar-for=web-1',
    '-sidecar-for=web-1 -admin-bind=127.0.0.1:19001 -- -l debug',
    '-gateway=ingress -register -service=edge -address=10.0.0.7:8443',
  ],
  http: 'query',
  flags: new Map([
    ['address', { kind: 'string', help: 'With -register: where the gateway is called; port 443.' }],
    [
      'admin-access-log-path',
      { kind: 'string', help: "Where requests to Envoy's admin are logged; /dev/null." },
    ],
    ['admin-bind', { kind: 'string', help: "Where Envoy's admin listens; localhost:19000." }],
    [
      'bind-address',
      {
        kind: 'strings',
        help: 'With -register: NAME=ADDRESS:PORT where the gateway listens instead; may be repeated.',
      },
    ],
    ['bootstrap', { kind: 'bool', help: 'Print the configuration, and run nothing.' }],
    [
      'deregister-after-critical',
      { kind: 'string', help: 'With -register: after which the gateway is gone; 6h.' },
    ],
    ['envoy-binary', { kind: 'string', help: 'The program; else `envoy` of the PATH.' }],
    [
      'envoy-version',
      { kind: 'string', help: `Written into the configuration; ${ENVOY_VERSION}.` },
    ],
    ['gateway', { kind: 'string', help: 'Be a gateway: mesh, terminating or ingress.' }],
    [
      'grpc-addr',
      { kind: 'string', help: `The agent's for gRPC; ${DEFAULT_GRPC}. Else CONSUL_GRPC_ADDR.` },
    ],
    ['proxy-id', { kind: 'string', help: 'Be the proxy that is registered by this id.' }],
    ['register', { kind: 'bool', help: 'Register the gateway first.' }],
    [
      'service',
      { kind: 'string', help: 'With -register: its name; else as its kind: ingress-gateway.' },
    ],
    [
      'sidecar-for',
      { kind: 'string', help: 'Be the proxy that is registered for the service of this id.' },
    ],
    [
      'wan-address',
      { kind: 'string', help: 'With -register: where other data centres call the gateway.' },
    ],
  ]),

  async run(invocation) {
    const { flags, args, host } = invocation;
    const bootstrap = JSON.stringify(await bootstrapOf(invocation), null, 2);
    if (flags.isSet('bootstrap')) {
      host.print(`${bootstrap}\n`);
      return 0;
    }
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-envoy-'));
    try {
      // A token is in it: only its owner reads the folder.
      const path = join(folder, 'bootstrap.json');
      await writeFile(path, bootstrap, { mode: 0o600 });
      return await runEnvoy(invocation, ['-c', path, ...handedOver(args)]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Registered {
  readonly Service?: string;
  readonly Proxy?: { readonly DestinationServiceName?: string; readonly Config?: unknown };
}

const NOTHING_SAID =
  'No proxy ID specified. One of -proxy-id, -sidecar-for, or -gateway is required';

/** Whom it is to be, which may have to be registered first. */
async function proxyIdOf({ flags, host, client }: Invocation): Promise<string> {
  const kind = gatewayKind(flags);
  if (kind !== undefined && flags.isSet('register')) {
    return await registerGateway(client(host.signal), kind, flags);
  }
  if (flags.has('proxy-id')) return flags.text('proxy-id');
  if (kind !== undefined) return await gatewayAt(client(host.signal), kind);
  if (!flags.has('sidecar-for')) throw new ProconsulError('invalid', NOTHING_SAID);
  return await proxyFor(client(host.signal), flags.text('sidecar-for'));
}

async function bootstrapOf(invocation: Invocation): Promise<object> {
  const { flags, host, client } = invocation;
  const envoyVersion = envoyVersionIn(flags.text('envoy-version') || ENVOY_VERSION);
  const admin = placeOf('admin bind', flags.text('admin-bind') || 'localhost:19000');
  const api = client(host.signal);
  const proxyId = await proxyIdOf(invocation);
  const path = `/v1/agent/service/${inPath(proxyId)}`;
  const { json } = await explained(
    `Failed looking up proxy info for ${proxyId}`,
    api.send({ method: 'GET', path }),
  );
  const { Proxy: proxy, Service: own } = json as Registered;
  const { headers } = apiTarget(flags, host.env);
  const at = { ...admin, host: admin.host === 'localhost' ? '127.0.0.1' : admin.host };
  const begun = envoyBootstrap({
    proxyId,
    service: proxy?.DestinationServiceName || own || proxyId,
    admin: at,
    accessLog: flags.text('admin-access-log-path') || '/dev/null',
    agent: agentPlace(invocation),
    token: headers['X-Consul-Token'] ?? '',
    envoyVersion,
  });
  return withTelemetry(begun, telemetryOf(objectIn(proxy?.Config), at, host.env));
}

/** An older one would not understand what it is told, and say so of each part of it. */
function envoyVersionIn(text: string): string {
  const numbers = (version: string) => version.split('.').map(Number);
  const [major = 0, minor = 0] = numbers(text);
  const [oldest = 0, least = 0] = numbers(ENVOY_VERSION);
  const isOne = /^\d{1,4}(?:\.\d{1,4}){2}(?:-[\w.]+)?$/.test(text);
  const why = !isOne
    ? `it is not a version as ${ENVOY_VERSION} is`
    : `Envoy is told what those before ${ENVOY_VERSION} do not know`;
  if (isOne && (major > oldest || (major === oldest && minor >= least))) return text;
  const value = JSON.stringify(text);
  throw new ProconsulError('invalid', `invalid value ${value} for flag -envoy-version: ${why}`);
}

const NO_AUTHORITY =
  'By TLS Envoy is to know the agent by an authority: name one with -ca-file or -ca-path, or say CONSUL_HTTP_SSL_VERIFY=false';

/** By TLS where the address says `https://`, or none does and the agent's HTTP is spoken to so. */
function agentPlace({ flags, host: { env } }: Invocation): AgentPlace {
  const written = flags.text('grpc-addr') || env['CONSUL_GRPC_ADDR'] || DEFAULT_GRPC;
  const [, scheme = '', address = written] = /^(https?):\/\/(.*)$/.exec(written) ?? [];
  const isTls =
    scheme === 'https' || (scheme === '' && parseBool(env['CONSUL_HTTP_SSL'] ?? '') === true);
  const { tls } = apiTarget(flags, env);
  const isVerified = tls?.rejectUnauthorized !== false;
  const authorities = isVerified ? (tls?.ca ?? []).join('') : '';
  if (isTls && isVerified && authorities === '') throw new ProconsulError('invalid', NO_AUTHORITY);
  const file = (flag: string, variable: string) => flags.text(flag) || env[variable] || '';
  const certFile = file('client-cert', 'CONSUL_CLIENT_CERT');
  const keyFile = file('client-key', 'CONSUL_CLIENT_KEY');
  // Envoy may be run elsewhere than this.
  const own = certFile && { certFile: resolve(certFile), keyFile: resolve(keyFile) };
  const name = isVerified ? (tls?.servername ?? '') : '';
  const secure = { authorities, name, own: own || undefined };
  return { ...placeOf('gRPC', address), tls: isTls ? secure : undefined };
}

function placeOf(what: string, text: string) {
  try {
    const { host, port } = splitHostPort(text);
    return { host: host === '' ? '127.0.0.1' : host, port };
  } catch (cause) {
    throw new ProconsulError('invalid', `Invalid ${what} address: ${messageOf(cause)}`, { cause });
  }
}

/** As in Consul: a second Envoy of a machine would find the place of the first taken where those are to hand over to each other. */
function handedOver(args: readonly string[]): readonly string[] {
  const isSaid = args.some((each) => HANDING_OVER.test(each));
  return isSaid ? args : ['--disable-hot-restart', ...args];
}

const HANDING_OVER =
  /^--(?:disable-hot-restart|restart-epoch|hot-restart-version|parent-shutdown-time-s|base-id|base-id-path|use-dynamic-base-id|socket-path)(?:=|$)/;

async function runEnvoy({ flags, host }: Invocation, args: readonly string[]): Promise<number> {
  const program = flags.text('envoy-binary') || 'envoy';
  const child = startChild({ words: [program, ...args], shell: false, env: host.env });
  const end = () => void child.kill('SIGTERM');
  host.signal.addEventListener('abort', end, { once: true });
  if (host.signal.aborted) end();
  const fault = await childFault(child);
  host.signal.removeEventListener('abort', end);
  if (fault === '' || host.signal.aborted) return 0;
  throw new ProconsulError('rejected', `Envoy ended: ${fault}`);
}
