/** Gateways that `connect envoy` runs: found at the agent by their kind, or registered with it first. */
import { isIP } from 'node:net';
import { ProconsulError } from '../lib/errors.ts';
import { splitHostPort } from '../lib/go-error.ts';
import { encodeJson } from '../lib/json.ts';
import type { ApiClient } from './api-client.ts';
import { explained } from './command.ts';
import type { FlagValues } from './flag-values.ts';

const KINDS = ['mesh-gateway', 'terminating-gateway', 'ingress-gateway'] as const;
export type GatewayKind = (typeof KINDS)[number];

const DEFAULT_PORT = 443;
const DEFAULT_DEREGISTER = '6h';
const CHECK_EVERY = '10s';

/** `mesh`, `terminating` or `ingress`; undefined where nothing is said. */
export function gatewayKind(flags: FlagValues): GatewayKind | undefined {
  if (!flags.has('gateway')) return undefined;
  const kind = KINDS.find((each) => each === `${flags.text('gateway')}-gateway`);
  if (kind !== undefined) return kind;
  throw new ProconsulError('invalid', 'Gateway must be one of: terminating, mesh, or ingress');
}

/** The id of the only one of that kind at the agent. */
export async function gatewayAt(api: ApiClient, kind: GatewayKind): Promise<string> {
  const { json } = await explained(
    'Failed looking up gateway proxy info',
    api.send({ method: 'GET', path: '/v1/agent/services' }),
  );
  const all = Object.entries(json as Readonly<Record<string, { readonly Kind?: string }>>);
  const [id] = all.flatMap(([name, each]) => (each.Kind === kind ? [name] : []));
  if (id !== undefined) return id;
  throw new ProconsulError('not-found', `No ${kind} services registered with this agent`);
}

/** As the flags say it, in Consul's shape; the id that it has then. */
export async function registerGateway(
  api: ApiClient,
  kind: GatewayKind,
  flags: FlagValues,
): Promise<string> {
  const name = flags.text('service') || kind;
  const id = flags.text('proxy-id') || name;
  const at = (flag: string) =>
    flags.has(flag) ? addressIn(flag, flags.text(flag), flags.text(flag)) : undefined;
  const [lan, wan] = [at('address'), at('wan-address')];
  const binds = bindings(flags.all('bind-address'));
  const { Address, Port } = lan ?? { Address: '', Port: DEFAULT_PORT };
  const [checked = { Address: '127.0.0.1', Port }] = [...(lan ? [lan] : []), ...binds.values()];
  const body = {
    ...{ Kind: kind, ID: id, Name: name, Address, Port },
    TaggedAddresses: { ...(lan && { lan }), ...(wan && { wan }) },
    ...(binds.size > 0 && {
      Proxy: {
        Config: {
          // Instead of where it is registered.
          envoy_gateway_no_default_bind: true,
          envoy_gateway_bind_addresses: Object.fromEntries(binds),
        },
      },
    }),
    Check: {
      Name: `${kind} listening`,
      TCP: `${isIP(checked.Address) === 6 ? `[${checked.Address}]` : checked.Address}:${checked.Port}`,
      Interval: CHECK_EVERY,
      DeregisterCriticalServiceAfter: flags.text('deregister-after-critical') || DEFAULT_DEREGISTER,
    },
  };
  const path = '/v1/agent/service/register';
  await explained(
    `Error registering service ${JSON.stringify(name)}`,
    api.send({ method: 'PUT', path, body: encodeJson(body) }),
  );
  return id;
}

interface Address {
  readonly Address: string;
  readonly Port: number;
}

/** NAME=ADDRESS:PORT each. */
function bindings(said: readonly string[]): ReadonlyMap<string, Address> {
  return new Map(
    said.map((text) => {
      const at = text.indexOf('=');
      if (at < 0) throw refused('bind-address', text, `Missing "=" in argument: ${text}`);
      return [text.slice(0, at), addressIn('bind-address', text, text.slice(at + 1))];
    }),
  );
}

function addressIn(flag: string, said: string, text: string): Address {
  const alone = isIP(text) > 0;
  const { host, port } = alone ? { host: text, port: DEFAULT_PORT } : split(text);
  if (isIP(host) > 0) return { Address: host, Port: port };
  const why = `Error parsing address ${JSON.stringify(text)}: not an IP address`;
  throw refused(flag, said, why);
}

function split(text: string): { readonly host: string; readonly port: number } {
  try {
    return splitHostPort(text);
  } catch {
    // What it is not is said by whoever asks.
    return { host: '', port: 0 };
  }
}

function refused(flag: string, said: string, why: string): ProconsulError {
  const what = `invalid value ${JSON.stringify(said)} for flag -${flag}`;
  return new ProconsulError('invalid', `${what}: ${why}`);
}
