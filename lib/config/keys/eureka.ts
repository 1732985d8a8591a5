/** What answers clients of Eureka: Proconsul's own. */
import type { Problems } from '../problems.ts';
import { bool, type Settled } from '../row.ts';
import type { ADDRESS_KEYS, addressConfig } from './addresses.ts';

export const EUREKA_KEYS = {
  eureka: {
    enabled: bool(
      'A server answers clients of Eureka, at ports.eureka and under /eureka (docs/eureka.md).',
      { flag: 'eureka' },
    ),
    self_preservation: bool(
      'Where more than 15 % of the instances are not renewed in time, all are kept as they are.',
    ),
    consul_service: bool('The servers themselves are shown too, as the application CONSUL.'),
  },
};

type Values = Settled<typeof EUREKA_KEYS & Pick<typeof ADDRESS_KEYS, 'ports'>>;

export interface EurekaSettings {
  readonly enabled: boolean;
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  readonly selfPreservation: boolean;
  readonly showsConsul: boolean;
}

export function eurekaConfig(
  { eureka, ports }: Values,
  { clients }: Pick<ReturnType<typeof addressConfig>, 'clients'>,
  { isServer, problems }: { readonly isServer: boolean; readonly problems: Problems },
): EurekaSettings {
  const enabled = eureka.enabled && isServer;
  if (eureka.enabled && !isServer) {
    problems.warn('eureka.enabled: servers alone answer clients of Eureka, and this is none');
  }
  const at = ports.eureka;
  return {
    enabled,
    listen: at <= 0 || !enabled ? [] : clients.map((host) => ({ host, port: at })),
    selfPreservation: eureka.self_preservation,
    showsConsul: eureka.consul_service,
  };
}
