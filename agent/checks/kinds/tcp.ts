/** Whether a TCP connection can be made, with TLS on it where that is asked for. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { goDialError, splitHostPort } from '../../../lib/go-error.ts';
import { checkKind, flag, TLS_FIELDS, text } from '../kind.ts';
import { lookupFor } from '../link-local.ts';
import { looking } from '../looking.ts';
import { critical, passing } from '../probe.ts';

export const tcp = checkKind({
  type: 'tcp',
  fields: { TCP: text, TCPUseTLS: flag, ...TLS_FIELDS },
  is: ({ TCP }) => TCP !== '',
  labels: { check_tcp: (_, { hostPort }) => ({ TCP: hostPort }) },

  probe: ({ TCP, TCPUseTLS, TLSServerName, TLSSkipVerify }, { untrusted }) => {
    const timedOut = () => critical(`dial tcp ${TCP}: i/o timeout`);
    return (signal) =>
      looking({ signal, timedOut }, (look) => {
        const { host, port } = splitHostPort(TCP);
        const target = { host, port, ...lookupFor(host, untrusted) };
        const socket: Socket = TCPUseTLS
          ? connectTls({
              ...target,
              ...(TLSServerName !== '' && { servername: TLSServerName }),
              rejectUnauthorized: !TLSSkipVerify,
            })
          : connect(target);
        look.finally(() => socket.destroy());
        look.on(socket, TCPUseTLS ? 'secureConnect' : 'connect', () =>
          look.end(passing(`TCP connect ${TCP}: Success`)),
        );
        look.on(socket, 'error', (error) => look.end(critical(goDialError(error, 'tcp', TCP))));
      });
  },
});
