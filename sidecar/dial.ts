/** Opens a connection to a host, within a time. */
import { connect, type Socket } from 'node:net';
import type { Host } from '../lib/balance/host.ts';
import type { Clock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { goDialError } from '../lib/go-error.ts';
import { hostPort } from '../lib/ip.ts';
import { lookupFor } from '../lib/link-local.ts';

/** Rejects with a ProconsulError: 'unavailable' for the host's fault, 'busy' for this process's own. */
export type Dial = (host: Host) => Promise<Socket>;

/** No more of this can be had on this machine: it says nothing of the host. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  'EADDRNOTAVAIL',
]);

export function plainDial(clock: Clock, timeoutMs: number): Dial {
  return ({ endpoint: { address, port } }) =>
    new Promise((resolve, reject) => {
      const target = hostPort(address, port);
      const socket = begin(address, port);
      const cancel = clock.after(timeoutMs, () =>
        failed(new Error(`dial tcp ${target}: i/o timeout`)),
      );
      const failed = (error: Error & { readonly code?: string }) => {
        cancel();
        socket.destroy();
        const code = OWN_FAULTS.has(error.code ?? '') ? 'busy' : 'unavailable';
        reject(new ProconsulError(code, goDialError(error, 'tcp', target)));
      };
      socket.once('error', failed);
      socket.once('connect', () => {
        cancel();
        socket.off('error', failed);
        resolve(socket);
      });
    });
}

/** What a catalog says may be a cloud's metadata service: nobody is led there. */
function begin(host: string, port: number): Socket {
  try {
    const lookup = lookupFor(host, true);
    return connect({ host, port, allowHalfOpen: true, noDelay: true, ...lookup });
  } catch (cause) {
    throw new ProconsulError('unavailable', (cause as Error).message, { cause });
  }
}
