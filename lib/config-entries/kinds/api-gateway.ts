import { jwtOf, references } from '../api-gateways.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { always, list, maybe, text, texts, whole } from '../fields.ts';
import { eachOf, firstFault, firstTwice, HEAD, type Kind, META } from '../kind.ts';
import { tlsFault } from '../tls-params.ts';

interface ApiGateway extends ConfigEntryDefinition {
  readonly Listeners: readonly Listener[] | null;
}

interface Listener {
  readonly Name?: string;
  readonly Hostname?: string;
  readonly Port: number;
  readonly Protocol?: string;
  readonly TLS?: {
    readonly MinVersion?: string;
    readonly MaxVersion?: string;
    readonly CipherSuites?: readonly string[];
  };
}

const MAX_PORT = 65_535;
const PROTOCOLS = ['tcp', 'http'];

export const API_GATEWAY: Kind<ApiGateway> = {
  kind: 'api-gateway',
  says: 'on which ports a gateway listens for what routes lead into the mesh',
  changedBy: 'mesh',
  seenBy: 'mesh',
  fields: {
    ...HEAD,
    Listeners: always(
      list({
        Name: text,
        Hostname: text,
        Port: always(whole),
        Protocol: text,
        TLS: maybe({
          Certificates: references,
          MaxVersion: text,
          MinVersion: text,
          CipherSuites: texts,
        }),
        Override: jwtOf,
        Default: jwtOf,
      }),
    ),
    ...META,
  },
  normal: (entry) => ({
    ...entry,
    Listeners: eachOf(entry.Listeners, (each) => ({
      ...each,
      ...(each.Protocol !== undefined && { Protocol: each.Protocol.toLowerCase() }),
    })),
  }),
  unwritable: ({ Listeners }) => firstFault(Listeners ?? [], tlsFaultOf),
  fault: ({ Name, Listeners }) => {
    if (Name === '') return 'Name is required';
    const listeners = Listeners ?? [];
    if (listeners.length === 0) return 'api gateway must have at least one listener';
    const twice = firstTwice(listeners.map((each) => each.Name ?? ''));
    const fault = firstFault(listeners, listenerFault);
    if (fault !== undefined || twice === undefined) return fault;
    return `found multiple listeners with the name ${JSON.stringify(twice)}`;
  },
};

function listenerFault({ Name, Hostname = '', Port, Protocol = '' }: Listener): string | undefined {
  if (Name !== undefined && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(Name)) {
    return `listener name ${JSON.stringify(Name)} is invalid`;
  }
  if (!PROTOCOLS.includes(Protocol)) {
    return `unsupported listener protocol ${JSON.stringify(Protocol)}, must be one of 'http' or 'tcp'`;
  }
  if (Protocol === 'tcp' && Hostname !== '' && Hostname !== '*') {
    return 'hostname specification is not supported when using TCP';
  }
  if (Port <= 0 || Port > MAX_PORT) return `listener port ${Port} not in the range 1-${MAX_PORT}`;
  return undefined;
}

function tlsFaultOf({ Port, TLS = {} }: Listener): string | undefined {
  const { MinVersion: TLSMinVersion, MaxVersion: TLSMaxVersion, CipherSuites } = TLS;
  const said = {
    ...(TLSMinVersion && { TLSMinVersion }),
    ...(TLSMaxVersion && { TLSMaxVersion }),
    ...(CipherSuites && { CipherSuites }),
  };
  return tlsFault(said, { at: `Listeners[port ${Port}].TLS`, prefix: '' });
}
