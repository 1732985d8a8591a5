import { hostPort } from '../../lib/ip.ts';
import { dial } from './probing/dial.ts';
import { looking } from './probing/looking.ts';
import { critical, type Probe, passing } from './probing/probe.ts';

/** Where nothing else is known to listen; that nothing listens there is an answer too. */
const ECHO_PORT = 7;
const MAX_PORTS = 4;

/** The machine has answered, if only that nobody listens there. */
const ANSWERS: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ECONNRESET']);

/**
 * Whether a machine lives: a connection is begun at ports that are known to be its own, and an answer of
 * any kind is life. A ping takes a raw socket, which Node has none of, or a program for each look.
 */
export function knockProbe(address: string, ports: readonly number[]): Probe {
  const tried = ports.length === 0 ? [ECHO_PORT] : ports.slice(0, MAX_PORTS);
  const dead = () => critical('Node not live or unreachable');
  return (signal) =>
    looking({ signal, timedOut: dead }, (look) => {
      let left = tried.length;
      for (const port of tried) {
        const socket = dial(look, hostPort(address, port), { untrusted: true });
        const alive = () => look.end(passing('Node alive or reachable'));
        look.on(socket, 'connect', alive);
        look.on(socket, 'error', ({ code }: NodeJS.ErrnoException) => {
          left--;
          if (ANSWERS.has(code)) alive();
          else if (left === 0) look.end(dead());
        });
      }
    });
}
