/** Whether a UDP port is refused: the only thing that can be seen from outside of a silent one. */
import { createSocket, type SocketOptions } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { goDialError, splitHostPort } from '../../../lib/go-error.ts';
import { lookupFor } from '../../../lib/link-local.ts';
import { looking } from '../probing/looking.ts';
import { critical, passing } from '../probing/probe.ts';
import { checkKind, text } from './kind.ts';

/** How long a refusal may take to come back. */
const REFUSAL_MS = 500;

export const udp = checkKind({
  type: 'udp',
  fields: { UDP: text },

  probe: ({ UDP }, { untrusted }) => {
    const timedOut = () => critical(`dial udp ${UDP}: i/o timeout`);
    return (signal) =>
      looking({ signal, timedOut }, (look) => {
        const { host, port } = splitHostPort(UDP, 'udp');
        const type = isIPv6(host) ? 'udp6' : 'udp4';
        // Its types know of a lookup of one address alone, which this one does as well.
        const limits = lookupFor(host, untrusted) as Pick<SocketOptions, 'lookup'>;
        const socket = createSocket({ type, ...limits });
        look.finally(() => socket.close());
        const failed = (error: unknown) => look.end(critical(goDialError(error, 'udp', UDP)));
        const success = () => look.end(passing(`UDP connect ${UDP}: Success`));
        look.on(socket, 'error', failed);
        look.on(socket, 'message', success);
        look.on(socket, 'connect', () => {
          socket.send(
            UDP,
            look.guard((error: Error | null) => {
              if (error) failed(error);
              else look.after(REFUSAL_MS, success);
            }),
          );
        });
        socket.connect(port, host);
      });
  },
});
