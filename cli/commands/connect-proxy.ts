import { POLICY_NAMES } from '../../lib/balance/policies.ts';
import { systemClock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { createLogger, isLogLevel } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Ask } from '../../sidecar/follow.ts';
import { Sidecar } from '../../sidecar/sidecar.ts';
import { plainUpstream } from '../../sidecar/upstream-rules.ts';
import type { Command, Invocation } from '../command.ts';
import { addressIn, countIn, durationIn, policiesIn, upstreamIn } from '../proxy-flags.ts';

export const command: Command = {
  synopsis: '[options]',
  details:
    'Listens on this machine for each service that a program calls, and carries each connection to one of ' +
    'its healthy instances. It follows the catalog, and goes on with what it knows when the agent is away. ' +
    `Policies: ${POLICY_NAMES.join(', ')}.`,
  examples: [
    '-upstream=web:9000',
    '-upstream=web:9000 -upstream=db:127.0.0.1:9001 -policy=peak-ewma -policy=db=ring-hash -admin=127.0.0.1:9901',
  ],
  http: 'query',
  flags: new Map([
    [
      'access-log',
      { kind: 'bool', help: 'Print a line of JSON for each connection that is over.' },
    ],
    ['admin', { kind: 'string', help: 'Address and port for /ready, /metrics and /hosts.' }],
    ['connect-timeout', { kind: 'string', help: 'For one try at one host; 5s.' }],
    ['drain-time', { kind: 'string', help: 'For what is under way at the end; 30s.' }],
    [
      'idle-timeout',
      { kind: 'string', help: 'After which a silent connection is cut; 1h, 0 is never.' },
    ],
    ['log-json', { kind: 'bool', help: 'Write the log as JSON.' }],
    ['log-level', { kind: 'string', help: 'trace, debug, info, warn or err; info.' }],
    ['max-connections', { kind: 'int', help: 'At once, for each upstream; 10000.' }],
    [
      'policy',
      { kind: 'strings', help: 'NAME for all upstreams, or SERVICE=NAME for one; least-requests.' },
    ],
    ['tries', { kind: 'int', help: 'Hosts that are tried for a connection; 3.' }],
    [
      'upstream',
      { kind: 'strings', help: 'SERVICE:PORT or SERVICE:ADDRESS:PORT; may be repeated.' },
    ],
    ['zone', { kind: 'string', help: 'Its own: instances there are called first.' }],
  ]),

  async run(invocation) {
    const { flags, args, host, misuse } = invocation;
    if (args.length > 0) throw misuse('Should have no non-flag arguments.');
    if (!flags.has('upstream')) throw misuse('At least one -upstream must be given');
    const sidecar = sidecarOf(invocation);
    await sidecar.start();
    await new Promise<void>((resolve) => {
      if (host.signal.aborted) resolve();
      host.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await sidecar.stop();
    return 0;
  },
};

function sidecarOf({ flags, host, client }: Invocation): Sidecar {
  const level = flags.text('log-level') || 'info';
  if (!isLogLevel(level)) throw new ProconsulError('invalid', `Invalid log level: ${level}`);
  const logger = createLogger({ level, json: flags.isSet('log-json') });
  const policies = policiesIn(flags);
  // Made for each question, so that a token or a certificate that was renewed is taken from its file.
  const ask: Ask = ({ path, query }, signal) => client(signal).send({ method: 'GET', path, query });
  // A wrong address or file is to be known at once.
  client(host.signal);
  const maxConnections = countIn(flags, 'max-connections', 10_000);
  const limits = {
    connectMs: durationIn(flags, 'connect-timeout', 5000),
    idleMs: durationIn(flags, 'idle-timeout', 3600_000),
    drainMs: durationIn(flags, 'drain-time', 30_000),
    tries: countIn(flags, 'tries', 3),
  };
  return new Sidecar({
    upstreams: flags.all('upstream').map((text) => {
      const { service, at } = upstreamIn(text);
      const policy = policies.get(service) ?? policies.get('') ?? 'least-requests';
      return {
        at,
        ...plainUpstream({ service, policy, zone: flags.text('zone'), maxConnections }),
      };
    }),
    admin: flags.has('admin') ? addressIn('admin', flags.text('admin')) : undefined,
    limits,
    agent: { ask, clock: systemClock, random: systemRandom },
    logger,
    access: flags.isSet('access-log') ? host.print : undefined,
  });
}
