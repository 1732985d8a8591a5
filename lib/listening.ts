/** How a listener begins. */
import type { AddressInfo, Server } from 'node:net';
import { ProconsulError } from './errors.ts';
import { hostPort } from './ip.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** A socket as the kernel has it, and not yet of any server. */
export type Handle = object & { close(): void };

/** What the kernel keeps until they are taken. */
export const BACKLOG = 1024;

/**
 * Rejects with a ProconsulError where the address cannot be had. `handle`: a socket that listens there already, as the
 * kernel has it.
 */
export function listen(server: Server, { host, port }: Place, handle?: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = ({ message }: Error) => {
      const why = `cannot listen on ${hostPort(host, port)}: ${message}`;
      reject(new ProconsulError('rejected', why));
    };
    server.once('error', refused);
    const begun = () => {
      server.off('error', refused);
      // What cannot be accepted is lost for its caller, and for nobody else.
      server.on('error', () => undefined);
      resolve();
    };
    if (handle === undefined) server.listen({ host, port, backlog: BACKLOG }, begun);
    else server.listen(handle, BACKLOG, begun);
  });
}

/** 0 where it does not listen. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0;
}
