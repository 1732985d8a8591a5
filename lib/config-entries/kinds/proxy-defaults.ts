import type { ConfigEntryDefinition } from '../entry.ts';
import { always, expose, flag, free, maybe, meshGateway, text, texts } from '../fields.ts';
import { HEAD, type Kind, META } from '../kind.ts';
import { failoverPolicyFault, localityFault } from '../locality.ts';
import { envoyExtensions, transparentProxy } from '../proxying.ts';

export interface ProxyDefaults extends ConfigEntryDefinition {
  readonly Config: Readonly<Record<string, unknown>> | null;
  readonly MeshGateway: { readonly Mode?: string };
  readonly Expose: object;
  readonly FailoverPolicy?: { readonly Mode?: string };
  readonly PrioritizeByLocality?: { readonly Mode?: string };
}

/** There is one alone, whatever it is called when it is written. */
export const GLOBAL = 'global';

export const PROXY_DEFAULTS: Kind<ProxyDefaults> = {
  kind: 'proxy-defaults',
  says: 'what is so of every proxy that says nothing else',
  changedBy: 'mesh',
  fields: {
    ...HEAD,
    Config: always(free),
    Mode: text,
    TransparentProxy: transparentProxy,
    MutualTLSMode: text,
    MeshGateway: meshGateway,
    Expose: expose,
    AccessLogs: maybe({
      Enabled: flag,
      DisableListenerLogs: flag,
      Type: text,
      Path: text,
      JSONFormat: text,
      TextFormat: text,
    }),
    EnvoyExtensions: envoyExtensions,
    FailoverPolicy: maybe({ Mode: text, Regions: texts }),
    PrioritizeByLocality: maybe({ Mode: text }),
    ...META,
  },
  normal: (entry) => ({ ...entry, Name: GLOBAL }),
  unwritable: (entry) =>
    localityFault(entry) ?? failoverPolicyFault('FailoverPolicy', entry.FailoverPolicy),
};

/** The protocol of services that say none; '' where this says none either. */
export function protocolOf({ Config }: ProxyDefaults): string {
  const protocol = Config?.['protocol'];
  if (typeof protocol === 'boolean') return String(Number(protocol));
  return ['string', 'number'].includes(typeof protocol) ? String(protocol).toLowerCase() : '';
}
