/** By which names of DNS an ingress gateway is asked for by TLS, as its entry says: those are in its certificate. */
import type { IngressGateway } from './kinds/ingress-gateway.ts';

export interface NamedIn {
  /** With or without a dot at its end. */
  readonly domain: string;
  readonly datacenter: string;
}

/** Those of an entry with more hosts than this are not in the certificate, which each handshake carries. */
const MAX_HOSTS = 500;
const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const MAX_HOST_LENGTH = 253;

export type IngressSaid = Pick<IngressGateway, 'TLS' | 'Listeners'>;

/** None where no TLS is spoken by a certificate of the mesh. In their order, each once. */
export function ingressNames(
  { TLS, Listeners }: IngressSaid,
  { domain, datacenter }: NamedIn,
): string[] {
  const listeners = Listeners ?? [];
  const isSpoken = [TLS, ...listeners.map((each) => each.TLS)].some((each) => each?.Enabled);
  if (!isSpoken) return [];
  const hosts = listeners
    .flatMap(({ Services }) => Services ?? [])
    .flatMap(({ Hosts }) => Hosts ?? [])
    .map((host) => host.toLowerCase().replace(/\.$/, ''))
    .filter((host) => host.length <= MAX_HOST_LENGTH && HOST.test(host));
  const end = domain.toLowerCase().replace(/\.$/, '');
  const usual = [`*.ingress.${end}`, `*.ingress.${datacenter.toLowerCase()}.${end}`];
  return [...new Set([...usual, ...[...new Set(hosts)].sort().slice(0, MAX_HOSTS)])];
}
