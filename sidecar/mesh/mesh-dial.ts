/** Opens a connection to a proxy of the mesh, and makes sure that it speaks for the service that is called. */
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Dial } from '../dial.ts';
import type { Identity } from './identity.ts';

/** As Node shows the names in a certificate that has this one and no other. */
const nameOf = (uri: string) => `URI:${uri}`;

export interface MeshDialOptions {
  /** How the connection below is opened. */
  readonly plain: Dial;
  readonly identity: Identity;
  /** Which the other side must be. */
  readonly service: string;
  /** Where it must be; '' for this proxy's own. */
  readonly datacenter: string;
  readonly clock: Pick<Clock, 'after'>;
  readonly handshakeMs: number;
}

export function meshDial(options: MeshDialOptions): Dial {
  const { plain, identity, service, datacenter, clock, handshakeMs } = options;
  return async (host) => {
    const { credentials } = identity;
    // It is not the host's fault.
    if (credentials === undefined) throw new ProconsulError('busy', 'has no certificate yet');
    const expected = nameOf(identity.uriOf(service, datacenter));
    const below = await plain(host);
    const socket = connect({
      ...credentials.calling,
      // Said, because else an environment with NODE_TLS_REJECT_UNAUTHORIZED=0 would trust anybody.
      rejectUnauthorized: true,
      socket: below,
      checkServerIdentity: (_: string, { subjectaltname = '' }: PeerCertificate) =>
        subjectaltname === expected
          ? undefined
          : new Error(`it is ${subjectaltname || 'nobody'} and not ${expected}`),
    });
    return await secured(socket, clock, handshakeMs);
  };
}

function secured(socket: TLSSocket, clock: Pick<Clock, 'after'>, ms: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const failed = (why: string) => {
      cancel();
      socket.destroy();
      reject(new ProconsulError('unavailable', `no TLS with it: ${why}`));
    };
    const cancel = clock.after(ms, () => failed('it takes too long'));
    const onError = (error: Error) => failed(error.message);
    const onClose = () => failed('it closed the connection');
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      cancel();
      socket.off('close', onClose);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}
