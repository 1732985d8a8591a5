/** What gateways stand in front of, as their entries say. In Consul's words. */
import type { ConfigEntry } from '../../lib/config-entries/entry.ts';
import {
  EVERY_SERVICE,
  INGRESS_GATEWAY,
  type IngressGateway,
} from '../../lib/config-entries/kinds/ingress-gateway.ts';
import {
  TERMINATING_GATEWAY,
  type TerminatingGateway,
} from '../../lib/config-entries/kinds/terminating-gateway.ts';

export type GatewayKind = 'ingress-gateway' | 'terminating-gateway';

/** A service that a gateway stands in front of. */
export interface GatewayService {
  readonly Gateway: { readonly Name: string };
  /** EVERY_SERVICE in what an entry says, and in nothing that is shown. */
  readonly Service: { readonly Name: string };
  readonly GatewayKind: GatewayKind;
  readonly Port?: number;
  readonly Protocol?: string;
  readonly Hosts?: readonly string[];
  readonly CAFile?: string;
  readonly CertFile?: string;
  readonly KeyFile?: string;
  readonly SNI?: string;
  readonly FromWildcard?: true;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** As the entry says it, each service once a port; none where it is of no gateway. */
export function servicesBehind(entry: ConfigEntry): GatewayService[] {
  const all = entry.Kind === INGRESS_GATEWAY.kind ? behindIngress(entry) : behindTerminating(entry);
  return [...new Map(all.map((each) => [keyOf(each), each])).values()];
}

/** An ordinary service that a `*` of the entry means, since an index. */
export function fromWildcard(said: GatewayService, Name: string, since: number): GatewayService {
  const { CreateIndex, ModifyIndex, ...rest } = said;
  const index = Math.max(since, ModifyIndex);
  const own = { Service: { Name }, FromWildcard: true } as const;
  return { ...rest, ...own, CreateIndex: index, ModifyIndex: index };
}

export function isEveryService({ Service }: GatewayService): boolean {
  return Service.Name === EVERY_SERVICE;
}

/** What is said of a service by its name goes before what is said of all at the same port. */
export function keyOf({ Service, Port = 0 }: Pick<GatewayService, 'Service' | 'Port'>): string {
  return `${Service.Name.toLowerCase()}\0${Port}`;
}

function behindIngress(entry: ConfigEntry): GatewayService[] {
  const { Listeners } = entry as ConfigEntry & IngressGateway;
  return (Listeners ?? []).flatMap(({ Port, Protocol, Services }) =>
    (Services ?? []).map(({ Name, Hosts }) => ({
      ...headOf(entry, 'ingress-gateway', Name),
      ...(Port !== 0 && { Port }),
      Protocol,
      ...(Hosts !== null && Hosts.length > 0 && { Hosts }),
      ...indexesOf(entry),
    })),
  );
}

function behindTerminating(entry: ConfigEntry): GatewayService[] {
  if (entry.Kind !== TERMINATING_GATEWAY.kind) return [];
  const { Services } = entry as ConfigEntry & TerminatingGateway;
  return (Services ?? []).map(({ Name = '', CAFile, CertFile, KeyFile, SNI }) => ({
    ...headOf(entry, 'terminating-gateway', Name),
    ...(CAFile && { CAFile }),
    ...(CertFile && { CertFile }),
    ...(KeyFile && { KeyFile }),
    ...(SNI && { SNI }),
    ...indexesOf(entry),
  }));
}

function headOf(entry: ConfigEntry, GatewayKind: GatewayKind, service: string) {
  return { Gateway: { Name: entry.Name }, Service: { Name: service }, GatewayKind };
}

/** An entry is said as a whole: whatever is in it is as old as it is. */
function indexesOf({ ModifyIndex }: ConfigEntry) {
  return { CreateIndex: ModifyIndex, ModifyIndex };
}
