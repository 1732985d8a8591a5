import { quote } from '../../go-literals.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { flag, maybe, text } from '../fields.ts';
import { HEAD, type Kind, META } from '../kind.ts';
import { type TlsParams, tls, tlsFault } from '../tls-params.ts';

interface Mesh extends ConfigEntryDefinition {
  readonly TLS?: { readonly Incoming?: TlsParams; readonly Outgoing?: TlsParams };
  readonly HTTP?: { readonly Incoming?: { readonly RequestNormalization?: Normalization } };
}

/** How Envoys write requests before they judge them. */
interface Normalization {
  readonly PathWithEscapedSlashesAction?: string;
  readonly HeadersWithUnderscoresAction?: string;
}

const SLASHES = [
  ...['IMPLEMENTATION_SPECIFIC_DEFAULT', 'KEEP_UNCHANGED', 'REJECT_REQUEST'],
  ...['UNESCAPE_AND_FORWARD', 'UNESCAPE_AND_REDIRECT'],
];
const UNDERSCORES = ['ALLOW', 'REJECT_REQUEST', 'DROP_HEADER'];

export const MESH: Kind<Mesh> = {
  kind: 'mesh',
  says: 'what is so of the whole mesh',
  changedBy: 'mesh',
  fields: {
    ...HEAD,
    TransparentProxy: maybe({ MeshDestinationsOnly: flag }),
    AllowEnablingPermissiveMutualTLS: flag,
    ValidateClusters: flag,
    TLS: maybe({ Incoming: maybe(tls), Outgoing: maybe(tls) }),
    HTTP: maybe({
      SanitizeXForwardedClientCert: flag,
      Incoming: maybe({
        RequestNormalization: maybe({
          InsecureDisablePathNormalization: flag,
          MergeSlashes: flag,
          PathWithEscapedSlashesAction: text,
          HeadersWithUnderscoresAction: text,
        }),
      }),
    }),
    Peering: maybe({ PeerThroughMeshGateways: flag }),
    ...META,
  },
  normal: (entry) => ({ ...entry, Name: 'mesh' }),
  unwritable: ({ TLS }) =>
    tlsFault(TLS?.Incoming ?? {}, { at: 'TLS.Incoming' }) ??
    tlsFault(TLS?.Outgoing ?? {}, { at: 'TLS.Outgoing' }),
  fault: ({ HTTP }) => {
    const said = HTTP?.Incoming?.RequestNormalization ?? {};
    return (
      unknownIn('PathWithEscapedSlashesAction', said.PathWithEscapedSlashesAction, SLASHES) ??
      unknownIn('HeadersWithUnderscoresAction', said.HeadersWithUnderscoresAction, UNDERSCORES)
    );
  },
};

function unknownIn(field: string, said: string | undefined, known: readonly string[]) {
  if (said === undefined || said === '' || known.includes(said)) return undefined;
  const at = `HTTP.Incoming.RequestNormalization.${field}`;
  return `${at} must be one of ${known.join(', ')}, and not ${quote(said)}`;
}
