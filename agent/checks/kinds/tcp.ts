/** Whether a TCP connection can be made, with TLS on it where that is asked for. */
import { goDialError } from '../../../lib/go-error.ts';
import { dial } from '../probing/dial.ts';
import { looking } from '../probing/looking.ts';
import { critical, passing } from '../probing/probe.ts';
import { checkKind, flag, TLS_FIELDS, text } from './kind.ts';

export const tcp = checkKind({
  type: 'tcp',
  fields: { TCP: text, TCPUseTLS: flag, ...TLS_FIELDS },
  labels: { check_tcp: (_, { hostPort }) => ({ TCP: hostPort }) },

  probe: (check, { untrusted }) => {
    const { TCP, TCPUseTLS } = check;
    const timedOut = () => critical(`dial tcp ${TCP}: i/o timeout`);
    return (signal) =>
      looking({ signal, timedOut }, (look) => {
        const socket = dial(look, TCP, { untrusted, tls: TCPUseTLS ? check : undefined });
        look.on(socket, TCPUseTLS ? 'secureConnect' : 'connect', () =>
          look.end(passing(`TCP connect ${TCP}: Success`)),
        );
        look.on(socket, 'error', (error) => look.end(critical(goDialError(error, 'tcp', TCP))));
      });
  },
});
