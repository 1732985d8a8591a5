/** What the config entry `mesh` says of all Envoys. */
import { objectIn, type Said } from '../../sidecar/said.ts';
import type { Know } from '../worked.ts';
import { asked } from './endpoints.ts';

/** `{}` where there is none. */
export function meshEntry(know: Know): Said {
  return objectIn(know(asked('/v1/config/mesh/mesh')));
}

/** How programs hear who calls: not from others than the proxy before them, and not at all where the mesh says so. */
export function callerHeader(know: Know): Said {
  const { HTTP } = meshEntry(know);
  if (objectIn(HTTP)['SanitizeXForwardedClientCert'] === true) {
    return { forward_client_cert_details: 'SANITIZE' };
  }
  return {
    forward_client_cert_details: 'SANITIZE_SET',
    set_current_client_cert_details: { uri: true },
  };
}

/** Those that are said, by their names. */
export function unheededOfMesh(know: Know): readonly string[] {
  const entry = meshEntry(know);
  const saidAt = (name: string) =>
    name.split('.').reduce<unknown>((said, part) => objectIn(said)[part], entry);
  return UNHEEDED.filter((name) => saidAt(name) === true);
}

const UNHEEDED = [
  ...['TransparentProxy.MeshDestinationsOnly', 'AllowEnablingPermissiveMutualTLS'],
  ...['ValidateClusters', 'Peering.PeerThroughMeshGateways'],
];
