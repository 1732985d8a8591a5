/** Whether a UDP port is refused: the only thing that can be seen from outside of a silent one. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { goDialError, splitHostPort } from '../../../lib/go-error.ts';
import { refuseLinkLocal } from '../link-local.ts';
import { critical, type Look, type Probe, passing } from '../probe.ts';

/** How long a refusal may take to come back. */
const REFUSAL_MS = 500;

export function udpProbe(target: string, untrusted: boolean): Probe {
  return (signal) =>
    new Promise((resolve) => {
      const { host, port } = splitHostPort(target);
      if (untrusted) refuseLinkLocal(host);
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      let timer: NodeJS.Timeout | undefined;
      let ended = false;
      const end = (look: Look) => {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        socket.close();
        resolve(look);
      };
      const success = () => end(passing(`UDP connect ${target}: Success`));
      const aborted = () => end(critical(`dial udp ${target}: i/o timeout`));
      signal.addEventListener('abort', aborted, { once: true });
      socket.once('error', (error) => end(critical(goDialError(error, 'udp', target))));
      socket.once('message', success);
      socket.connect(port, host, () => {
        socket.send(target, (error) => {
          if (error) end(critical(goDialError(error, 'udp', target)));
          else timer = setTimeout(success, REFUSAL_MS);
        });
      });
    });
}
