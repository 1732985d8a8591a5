/** What the configuration forbids over HTTP: http_config.block_endpoints and allow_write_http_from. */
import type { HttpConfig } from '../../lib/config/config.ts';
import { inNetwork } from '../../lib/config/sockaddr.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Handler, HttpRequest } from '../../lib/http/route.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The handler, behind what is forbidden; the same one where nothing is. */
export function restrict(handle: Handler, http: HttpConfig): Handler {
  const { blockEndpoints, allowWriteFrom } = http;
  if (blockEndpoints.length === 0 && allowWriteFrom.length === 0) return handle;
  return (request) => {
    if (blockEndpoints.some((prefix) => request.target.startsWith(prefix))) {
      throw new ProconsulError('forbidden', 'Endpoint is blocked by agent configuration');
    }
    if (!mayWrite(request, allowWriteFrom)) {
      throw new ProconsulError('forbidden', 'Access is restricted');
    }
    return handle(request);
  };
}

function mayWrite({ method, remoteAddress }: HttpRequest, networks: readonly string[]): boolean {
  if (READS.has(method) || networks.length === 0) return true;
  // A socket that listens for both families gives an IPv4 address in IPv6's clothes.
  const address = remoteAddress.replace(/^::ffff:/, '');
  return networks.some((network) => inNetwork(address, network));
}
