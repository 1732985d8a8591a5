/** Where a server is, and how it is spoken to there. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { ServerInfo } from '../../lib/membership.ts';
import type { ClientSide } from '../../lib/tls/identities.ts';

export interface ReachOptions {
  /** How TLS is spoken, as a reload has it now. */
  readonly tls: () => ClientSide;
  /** dns_config's domain, under which servers have their name in certificates. */
  readonly domain: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class Reach {
  readonly #options: ReachOptions;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /** What is begun after a reload is begun with another. */
  get side(): ClientSide {
    return this.#options.tls();
  }

  addressOf({ Url }: ServerInfo): Address {
    const { hostname, port } = new URL(Url);
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
  }

  /** A server that speaks TLS also takes those in the clear, as long as it must not refuse them. */
  speaksTls({ Url }: ServerInfo): boolean {
    const { isRequired, options } = this.side;
    return isRequired || (Url.startsWith('https:') && options !== undefined);
  }

  /** The name that a server's certificate must have; an agent's has another. */
  nameOf({ Datacenter }: ServerInfo): { readonly servername?: string } {
    const domain = this.#options.domain.replace(/\.$/, '');
    return this.side.verifiesName ? { servername: `server.${Datacenter}.${domain}` } : {};
  }

  /** A connection of its own, which is still being opened. */
  connect(server: ServerInfo): Socket {
    const address = { ...this.addressOf(server), noDelay: true };
    if (!this.speaksTls(server)) return connect(address);
    return connectTls({ ...address, ...secured(this.side), ...this.nameOf(server) });
  }
}

export function secured({ options, verifies, verifiesName }: ClientSide): ConnectionOptions {
  return {
    ...options,
    rejectUnauthorized: verifies,
    // Servers are known by addresses, which certificates do not have; by name only where it is asked for.
    ...(!verifiesName && { checkServerIdentity: () => undefined }),
  };
}
