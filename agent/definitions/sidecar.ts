/** `Connect.SidecarService` of a registration: a second service that stands for its proxy. */
import { ProconsulError } from '../../lib/errors.ts';
import type { CheckSpec } from './check-spec.ts';
import { checksOf, type ServiceSpec, serviceFromConfig } from './service-spec.ts';

/** From which ports one without a port of its own gets one. */
const MIN_PORT = 21000;
const MAX_PORT = 21255;
const CHECK_INTERVAL = '10s';

/**
 * The sidecar of a service as a service of its own, with what was left out filled in; undefined
 * when there is none. `taken` are the ports of this agent's other services.
 */
export function sidecarOf(
  spec: ServiceSpec,
  taken: ReadonlySet<number>,
  previous: number | undefined,
): ServiceSpec | undefined {
  const sidecar = spec.Connect?.SidecarService;
  if (sidecar === undefined) return undefined;
  const id = spec.ID === '' ? spec.Name : spec.ID;
  const Port = sidecar.Port === 0 ? (previous ?? freePort(taken)) : sidecar.Port;
  const given = checksOf(sidecar);
  return {
    ...sidecar,
    Kind: 'connect-proxy',
    ID: sidecarId(id),
    Name: sidecar.Name === '' ? `${spec.Name}-sidecar-proxy` : sidecar.Name,
    Tags: sidecar.Tags.length === 0 ? spec.Tags : sidecar.Tags,
    Meta: sidecar.Meta ?? spec.Meta,
    Port,
    Proxy: proxyOf(spec, id, sidecar.Proxy),
    Check: undefined,
    Checks: given.length > 0 ? given : defaultChecks(sidecar.Address, Port, id),
    Token: sidecar.Token === '' ? spec.Token : sidecar.Token,
  };
}

export function sidecarId(serviceId: string): string {
  return `${serviceId}-sidecar-proxy`;
}

function freePort(taken: ReadonlySet<number>): number {
  for (let port = MIN_PORT; port <= MAX_PORT; port++) if (!taken.has(port)) return port;
  throw new ProconsulError(
    'invalid',
    `Failed to allocate sidecar port: none left in its range [${MIN_PORT}, ${MAX_PORT}]`,
  );
}

function proxyOf(spec: ServiceSpec, id: string, proxy: ServiceSpec['Proxy']) {
  const port =
    spec.Port === 0 ? {} : { LocalServiceAddress: '127.0.0.1', LocalServicePort: spec.Port };
  return {
    DestinationServiceName: spec.Name,
    DestinationServiceID: id,
    ...port,
    MeshGateway: {},
    Expose: {},
    ...proxy,
  };
}

function defaultChecks(address: string, port: number, id: string): readonly CheckSpec[] {
  const host = address === '' ? '127.0.0.1' : address;
  const { Checks } = serviceFromConfig({
    checks: [
      { name: 'Connect Sidecar Listening', tcp: `${host}:${port}`, interval: CHECK_INTERVAL },
      { name: `Connect Sidecar Aliasing ${id}`, alias_service: id },
    ],
  });
  return Checks;
}
