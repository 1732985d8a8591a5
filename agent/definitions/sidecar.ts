/** `Connect.SidecarService` of a registration: a second service that stands for its proxy. */
import { mainPort } from '../../lib/later-fields.ts';
import type { CheckSpec } from './check-spec.ts';
import {
  badRequest,
  checksOf,
  type ServiceSpec,
  serviceFromConfig,
  validateSidecar,
} from './service-spec.ts';

/** From which ports one without a port of its own gets one. */
export interface SidecarPorts {
  readonly min: number;
  readonly max: number;
}

const CHECK_INTERVAL = '10s';
const LOCALHOST = '127.0.0.1';

/**
 * The sidecar of a service as a service of its own, with what was left out filled in; undefined
 * when there is none. `port` finds one that is free; a sidecar keeps the one that it had.
 */
export function sidecarOf(spec: ServiceSpec, port: () => number): ServiceSpec | undefined {
  const sidecar = spec.Connect?.SidecarService;
  if (sidecar === undefined) return undefined;
  validateSidecar(sidecar);
  const id = spec.ID === '' ? spec.Name : spec.ID;
  const Port = sidecar.Port < 1 ? port() : sidecar.Port;
  const given = checksOf(sidecar);
  const proxy = proxyOf(spec, id, sidecar.Proxy);
  return {
    ...sidecar,
    Kind: sidecar.Kind === '' ? 'connect-proxy' : sidecar.Kind,
    ID: sidecarId(id),
    Name: sidecar.Name === '' ? `${spec.Name}-sidecar-proxy` : sidecar.Name,
    Tags: sidecar.Tags.length === 0 ? spec.Tags : sidecar.Tags,
    Meta: sidecar.Meta ?? spec.Meta,
    Address: sidecar.Address === '' ? spec.Address : sidecar.Address,
    Port,
    Proxy: proxy,
    Check: undefined,
    Checks: given.length > 0 ? given : defaultChecks(proxy.LocalServiceAddress, Port, id),
    Token: sidecar.Token === '' ? spec.Token : sidecar.Token,
  };
}

export function sidecarId(serviceId: string): string {
  return `${serviceId}-sidecar-proxy`;
}

/** The first port of the range that none of this agent's services has. */
export function freePort({ min, max }: SidecarPorts, taken: ReadonlySet<number>): number {
  const none = 'Invalid SidecarService: no port provided for sidecar_service and';
  if (min < 1 || max < min) throw badRequest(`${none} auto-assignment disabled in config`);
  for (let port = min; port <= max; port++) if (!taken.has(port)) return port;
  throw badRequest(`${none} none left in the configured range [${min}, ${max}]`);
}

function proxyOf(
  spec: ServiceSpec,
  id: string,
  proxy: ServiceSpec['Proxy'],
): Readonly<Record<string, unknown>> & { readonly LocalServiceAddress?: string } {
  return {
    DestinationServiceName: spec.Name,
    DestinationServiceID: id,
    LocalServiceAddress: LOCALHOST,
    ...(mainPort(spec) !== 0 && { LocalServicePort: mainPort(spec) }),
    MeshGateway: {},
    Expose: {},
    ...proxy,
  };
}

/** On this machine, not at the address that others know: that is where a sidecar listens. */
function defaultChecks(local = LOCALHOST, port: number, id: string): readonly CheckSpec[] {
  const host = local.includes(':') ? `[${local}]` : local;
  const { Checks } = serviceFromConfig({
    checks: [
      { name: 'Connect Sidecar Listening', tcp: `${host}:${port}`, interval: CHECK_INTERVAL },
      { name: `Connect Sidecar Aliasing ${id}`, alias_service: id },
    ],
  });
  return Checks;
}
