/** What the configuration forbids over HTTP: http_config.block_endpoints and allow_write_http_from. */
import type { HttpConfig } from '../../lib/config/config.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Guard, HttpRequest } from '../../lib/http/route.ts';
import { inNetwork } from '../../lib/ip.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** None where nothing is forbidden. */
export function guardsOf({ blockEndpoints, allowWriteFrom }: HttpConfig): readonly Guard[] {
  if (blockEndpoints.length === 0 && allowWriteFrom.length === 0) return [];
  const guard: Guard = (request) => {
    // The path as rows are found by it: decoded, so that no endpoint has a second name.
    if (blockEndpoints.some((prefix) => request.path.startsWith(prefix))) {
      throw new ProconsulError('forbidden', 'Endpoint is blocked by agent configuration');
    }
    if (!mayWrite(request, allowWriteFrom)) {
      throw new ProconsulError('forbidden', 'Access is restricted');
    }
  };
  return [guard];
}

function mayWrite({ method, remoteAddress }: HttpRequest, networks: readonly string[]): boolean {
  if (READS.has(method) || networks.length === 0) return true;
  // A socket that listens for both families gives an IPv4 address in IPv6's clothes.
  const address = remoteAddress.replace(/^::ffff:/, '');
  return networks.some((network) => inNetwork(address, network));
}
