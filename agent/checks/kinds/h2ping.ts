/** Whether an HTTP/2 server answers a ping. */
import { connect } from 'node:http2';
import { goDialError, splitHostPort } from '../../../lib/go-error.ts';
import { checkKind, type Field, flag, TLS_FIELDS, text } from '../kind.ts';
import { lookupFor } from '../link-local.ts';
import { looking } from '../looking.ts';
import { critical, passing } from '../probe.ts';

/** Unlike gRPC's, it is on unless it is switched off. */
const flagOn: Field<boolean> = { ...flag, usual: true };

export const h2ping = checkKind({
  type: 'h2ping',
  fields: { H2PING: text, H2PingUseTLS: flagOn, ...TLS_FIELDS },
  is: ({ H2PING }) => H2PING !== '',

  probe: ({ H2PING, H2PingUseTLS, TLSServerName, TLSSkipVerify }, { untrusted }) => {
    const failed = (why: string) => critical(`HTTP2 ping failed: ${why}`);
    const timedOut = () => failed('context deadline exceeded');
    return (signal) =>
      looking({ signal, timedOut, failed }, (look) => {
        const { host, port } = splitHostPort(H2PING);
        const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
        const session = connect(`${H2PingUseTLS ? 'https' : 'http'}://${authority}`, {
          ...lookupFor(host, untrusted),
          ...(H2PingUseTLS && {
            rejectUnauthorized: !TLSSkipVerify,
            ...(TLSServerName !== '' && { servername: TLSServerName }),
          }),
        });
        look.finally(() => session.destroy());
        look.on(session, 'error', (error) => look.end(failed(goDialError(error, 'tcp', H2PING))));
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
