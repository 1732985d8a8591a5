/** Whether an HTTP/2 server answers a ping. */
import { connect } from 'node:http2';
import { goDialError } from '../../../lib/go-error.ts';
import { dial } from '../probing/dial.ts';
import { looking } from '../probing/looking.ts';
import { critical, passing } from '../probing/probe.ts';
import { checkKind, type Field, flag, TLS_FIELDS, text } from './kind.ts';

/** Unlike gRPC's, it is on unless it is switched off. */
const flagOn: Field<boolean> = { ...flag, usual: true };

export const h2ping = checkKind({
  type: 'h2ping',
  fields: { H2PING: text, H2PingUseTLS: flagOn, ...TLS_FIELDS },

  probe: (check, { untrusted }) => {
    const { H2PING, H2PingUseTLS } = check;
    const failed = (why: string) => critical(`HTTP2 ping failed: ${why}`);
    const timedOut = () => failed('context deadline exceeded');
    return (signal) =>
      looking({ signal, timedOut, failed }, (look) => {
        const tls = H2PingUseTLS ? check : undefined;
        const socket = dial(look, H2PING, { untrusted, tls, alpn: ['h2'] });
        const broken = (error: unknown) => look.end(failed(goDialError(error, 'tcp', H2PING)));
        look.on(socket, 'error', broken);
        // A ping has no host.
        const session = connect('http://h2ping', { createConnection: () => socket });
        look.finally(() => session.destroy());
        look.on(session, 'error', broken);
        look.on(session, 'close', () => look.end(failed('connection closed')));
        look.on(session, 'connect', () => {
          const sent = session.ping(
            look.guard((error: Error | null) =>
              look.end(
                error === null ? passing('HTTP2 ping was successful') : failed(error.message),
              ),
            ),
          );
          if (!sent) look.end(failed('connection closed'));
        });
      });
  },
});
