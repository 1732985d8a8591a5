/** An Envoy of the mesh at a port for xDS in this process, and what an agent says of it. */
import type { Kind } from '../../../xds/resource.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { type Any, openAds, startXds, type TestXds, type XdsStream } from './xds-clients.ts';

export const DOMAIN = '11111111-2222-3333-4444-555555555555.consul';
export const NODE = {
  id: 'web-proxy',
  metadata: {
    fields: {
      namespace: { string_value: 'default' },
      long_patterns: { string_value: 'taken' },
    },
  },
};
export const leafOf = (service: string) => ({
  CertPEM: `CERT of ${service}`,
  PrivateKeyPEM: 'KEY',
  ServiceURI: `spiffe://${DOMAIN}/ns/default/dc/dc1/svc/${service}`,
});

export const registered = (config: object = {}, upstreams: readonly object[] = []) => ({
  ...{ Kind: 'connect-proxy', ID: 'web-proxy', Address: '10.0.0.1', Port: 21000 },
  Proxy: {
    ...{ DestinationServiceName: 'web', DestinationServiceID: 'web-1', LocalServicePort: 8080 },
    ...{ Config: config, Upstreams: upstreams },
  },
  ContentHash: JSON.stringify([config, upstreams]),
});

export const chainTo = (service: string, Protocol: string) => ({
  Chain: {
    Protocol,
    StartNode: `resolver:${service}.default.dc1`,
    Nodes: {
      [`resolver:${service}.default.dc1`]: {
        Type: 'resolver',
        Resolver: { ConnectTimeout: '5s', Target: `${service}.default.dc1` },
      },
    },
    Targets: {
      [`${service}.default.dc1`]: {
        ...{ ID: `${service}.default.dc1`, Service: service, Datacenter: 'dc1', Subset: {} },
        ...{ SNI: `${service}.default.dc1.internal.${DOMAIN}` },
        ...{ Name: `${service}.default.dc1.internal.${DOMAIN}` },
      },
    },
  },
});

const aboutOf = (service: string) =>
  `/v1/connect/intentions?filter=DestinationName == "${service}" or DestinationName == "*"`;
const matchOf = (service: string) => `/v1/connect/intentions/match?by=destination?name=${service}`;

/** Who may call it; a status where that may not be seen. */
export function intend(
  { agent }: TestXds,
  intentions: readonly object[] | number,
  service = 'web',
): void {
  const isSeen = typeof intentions !== 'number';
  agent.say(matchOf(service), isSeen ? { [service]: intentions } : intentions);
  agent.say(aboutOf(service), intentions);
}

/** Whose proxy `web-proxy` is, of which nothing else is said. */
export async function startMesh(
  registration: object,
  callsByDefault = true,
  clock = new FakeClock(),
) {
  const place = { datacenter: 'dc1', domain: 'consul.', callsByDefault };
  const xds = await startXds({ place, clock });
  xds.agent.say('/v1/agent/service/web-proxy', registration);
  xds.agent.say('/v1/agent/connect/ca/leaf/web', leafOf('web'));
  xds.agent.say('/v1/agent/connect/ca/roots', {
    Roots: [{ RootCert: 'ROOT1' }, { RootCert: 'ROOT2' }],
  });
  intend(xds, []);
  return { xds, stream: openAds(xds) };
}

/** The last that was told; it says first who it is. */
export async function told(
  stream: XdsStream,
  kind: Kind,
  names: readonly string[] = [],
  isIt = (_: readonly Any[]) => true,
): Promise<readonly Any[]> {
  if (stream.ofKind(kind).length === 0) stream.subscribe(names, { node: NODE }, kind);
  return await stream.last(kind, isIt);
}

export const filtersOf = (listener: Any): Any[] =>
  listener.filter_chains[0].filters.map(({ typed_config }: Any) => typed_config);

/** By which the routes of a sidecar's way in are told. */
export const INBOUND = ['inbound:public_listener'];

/** Who may send which requests, by the routes of a way in. */
export const policiesIn = ({ virtual_hosts: [host] }: Any): Any =>
  host.typed_per_filter_config['envoy.filters.http.rbac'].rbac.rules.policies;
