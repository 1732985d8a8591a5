import { flag, maybe } from '../fields.ts';
import { HEAD, type Kind, META } from '../kind.ts';
import { tls } from '../proxying.ts';

export const MESH: Kind = {
  kind: 'mesh',
  says: 'what is so of the whole mesh',
  changedBy: 'mesh',
  fields: {
    ...HEAD,
    TransparentProxy: maybe({ MeshDestinationsOnly: flag }),
    AllowEnablingPermissiveMutualTLS: flag,
    ValidateClusters: flag,
    TLS: maybe({ Incoming: maybe(tls), Outgoing: maybe(tls) }),
    HTTP: maybe({ SanitizeXForwardedClientCert: flag }),
    Peering: maybe({ PeerThroughMeshGateways: flag }),
    ...META,
  },
  normal: (entry) => ({ ...entry, Name: 'mesh' }),
};
