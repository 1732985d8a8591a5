/** Whether a TCP connection can be made, with TLS on it where that is asked for. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { goDialError, splitHostPort } from '../../../lib/go-error.ts';
import { lookupNotLinkLocal, refuseLinkLocal } from '../link-local.ts';
import { critical, type Probe, passing } from '../probe.ts';

export interface TcpProbeOptions {
  readonly target: string;
  readonly untrusted: boolean;
  readonly tls?: { readonly serverName: string; readonly skipVerify: boolean };
}

export function tcpProbe({ target, untrusted, tls }: TcpProbeOptions): Probe {
  return (signal) =>
    new Promise((resolve) => {
      const { host, port } = splitHostPort(target);
      if (untrusted) refuseLinkLocal(host);
      const options = { host, port, ...(untrusted && { lookup: lookupNotLinkLocal }) };
      const socket: Socket =
        tls === undefined
          ? connect(options)
          : connectTls({
              ...options,
              servername: tls.serverName === '' ? host : tls.serverName,
              rejectUnauthorized: !tls.skipVerify,
            });
      const end = (look: ReturnType<typeof passing>) => {
        socket.destroy();
        signal.removeEventListener('abort', timedOut);
        resolve(look);
      };
      const timedOut = () => end(critical(`dial tcp ${target}: i/o timeout`));
      signal.addEventListener('abort', timedOut, { once: true });
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () =>
        end(passing(`TCP connect ${target}: Success`)),
      );
      socket.once('error', (error) => end(critical(goDialError(error, 'tcp', target))));
    });
}
