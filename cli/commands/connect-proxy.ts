import { POLICY_NAMES } from '../../lib/balance/policies.ts';
import { TUNINGS, tuningOf } from '../../lib/balance/tunings.ts';
import { thisProgram } from '../../lib/child.ts';
import { systemClock } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { createLogger, isLogLevel, type Logger } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { tellingSystemd } from '../../lib/systemd.ts';
import { AccessLog } from '../../sidecar/access-log.ts';
import { AskingInTurns, isOfItself } from '../../sidecar/asking-in-turns.ts';
import { plainDial } from '../../sidecar/dial.ts';
import { type Agent, type Ask, patient } from '../../sidecar/follow.ts';
import { followRegistration, MeshSidecar } from '../../sidecar/mesh/mesh-sidecar.ts';
import { registrationIn } from '../../sidecar/mesh/registration.ts';
import { Nearness } from '../../sidecar/nearness.ts';
import { ownZone } from '../../sidecar/own-zone.ts';
import { Sidecar, type SidecarLimits } from '../../sidecar/sidecar.ts';
import { Sockets } from '../../sidecar/sockets.ts';
import { NO_CALL_RULES } from '../../sidecar/upstream-config.ts';
import { type DialTo, plainUpstream, type Wanted } from '../../sidecar/upstream-rules.ts';
import type { ApiClient } from '../api-client.ts';
import { type Command, explained, type Invocation } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';
import {
  addressIn,
  countIn,
  durationIn,
  policiesIn,
  protocolsIn,
  refuseStrays,
  servicesIn,
  tuningsIn,
  upstreamIn,
} from '../proxy-flags.ts';
import { handOver, offer, type Predecessor, predecessor, renewals } from '../successor.ts';

export const command: Command = {
  synopsis: '[options]',
  details:
    'Listens on this machine for each service that a program calls, and carries each connection to one of ' +
    'its healthy instances. It follows the catalog, and goes on with what it knows when the agent is away. ' +
    'With -sidecar-for or -service it speaks for a service of the mesh: calls go out and come in by mutual ' +
    `TLS, and intentions decide who may call. Policies: ${POLICY_NAMES.join(', ')}.`,
  examples: [
    '-upstream=web:9000',
    '-upstream=web:9000 -upstream=db:127.0.0.1:9001 -policy=peak-ewma -policy=db=ring-hash -admin=127.0.0.1:9901',
    '-sidecar-for=web-1',
    '-service=web -service-addr=127.0.0.1:8080 -listen=:21000 -upstream=db:9191',
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
      'end-with-input',
      { kind: 'bool', help: 'End when the standard input does: whoever began this has gone.' },
    ],
    [
      'idle-timeout',
      { kind: 'string', help: 'After which a silent connection is cut; 1h, 0 is never.' },
    ],
    ['listen', { kind: 'string', help: 'With -service: where others of the mesh call it.' }],
    ['log-json', { kind: 'bool', help: 'Write the log as JSON.' }],
    ['log-level', { kind: 'string', help: 'trace, debug, info, warn or err; info.' }],
    [
      'max-buffers',
      { kind: 'int', help: 'Megabytes kept for those who do not take them, in all; 512.' },
    ],
    ['max-connections', { kind: 'int', help: 'At once, for each upstream; 10000.' }],
    [
      'policy',
      { kind: 'strings', help: 'NAME for all upstreams, or SERVICE=NAME for one; least-requests.' },
    ],
    [
      'protocol',
      {
        kind: 'strings',
        help: 'tcp, http, http2 or grpc for all upstreams, or SERVICE=NAME for one; as its chain says.',
      },
    ],
    ['proxy-id', { kind: 'string', help: 'Be the proxy that is registered by this id.' }],
    ['service', { kind: 'string', help: 'Speak for this service, which need not be registered.' }],
    ['service-addr', { kind: 'string', help: 'With -service: where its program listens.' }],
    [
      'sidecar-for',
      { kind: 'string', help: 'Be the proxy that is registered for the service of this id.' },
    ],
    [
      'stream-idle-timeout',
      {
        kind: 'string',
        help: 'After which a request on which nothing moves ends; 5m, 0 is never.',
      },
    ],
    ...[...TUNINGS].map(
      ([name, { help }]) => [name, { kind: 'strings', help: `${help} Or SERVICE=…` }] as const,
    ),
    ['tries', { kind: 'int', help: 'Hosts that are tried for a connection; 3.' }],
    [
      'upstream',
      { kind: 'strings', help: 'SERVICE:PORT or SERVICE:ADDRESS:PORT; may be repeated.' },
    ],
    [
      'zone',
      {
        kind: 'string',
        help: "Its own: instances there are called first. _agent is that of the agent's node.",
      },
    ],
  ]),

  async run(invocation) {
    const { flags, args, host, misuse } = invocation;
    if (args.length > 0) throw misuse('Should have no non-flag arguments.');
    const modes = ['sidecar-for', 'proxy-id', 'service'].filter((name) => flags.has(name));
    if (modes.length > 1) throw misuse(`Only one of -${modes.join(', -')} may be given`);
    if (modes.length === 0 && !flags.has('upstream')) {
      throw misuse('At least one -upstream must be given');
    }
    const onRenewal = renewals(host.onRenewal);
    // Heard from here on: whoever ends this one ends nobody else.
    const { signal } = host;
    const { before, sockets } = await takenOver(invocation);
    const parts = await partsOf(invocation);
    let mesh: MeshSidecar | undefined;
    const sidecar = new Sidecar({
      ...parts,
      sockets,
      beside: () => mesh,
      admin: flags.has('admin') ? addressIn('admin', flags.text('admin')) : undefined,
      access: flags.isSet('access-log')
        ? new AccessLog({ write: host.print, waiting: host.unread, unwritten: host.unwritten })
        : undefined,
    });
    const ending = new AbortController();
    try {
      void parts.nearness?.follow(ending.signal);
      const spokenOf = servicesIn(invocation.flags);
      mesh = modes.length > 0 ? new MeshSidecar({ ...parts, sidecar, spokenOf }) : undefined;
      if (mesh === undefined) await servePlain(invocation, parts, sidecar);
      else await serveMesh(invocation, parts, mesh, ending.signal);
      await sidecar.start();
      if (before !== undefined) await succeed(before, sidecar, signal);
      if (!signal.aborted)
        tellingSystemd(host.env, parts.logger)(`READY=1\nMAINPID=${process.pid}`);
      const renewing = renewed(invocation, parts, sockets, onRenewal);
      const why = await Promise.race([
        untilTold(signal).then(renewing.settled),
        renewing.succeeded.then(() => 'succeeded'),
        ...(flags.isSet('end-with-input') ? [host.readStdin(ending.signal)] : []),
      ]);
      ending.abort();
      const ended = why === 'succeeded' ? sidecar.leave() : sidecar.stop();
      await Promise.all([mesh?.stop(parts.limits.drainMs), ended]);
    } catch (error) {
      ending.abort();
      await sidecar.stop(0);
      throw error;
    } finally {
      before?.leave();
    }
    return 0;
  },
};

async function takenOver({ flags, host }: Invocation) {
  const isOfAgent = flags.isSet('end-with-input');
  const taken = predecessor(host.env, isOfAgent);
  const opened = taken.then((before) => new Sockets(before?.sockets));
  if (isOfAgent) offer(opened);
  return { before: await taken, sockets: await opened };
}

/** From here on this process takes the calls, and the one before it may end. */
async function succeed(before: Predecessor, sidecar: Sidecar, signal: AbortSignal): Promise<void> {
  await sidecar.untilReady(signal);
  // Told to end before that: the one that takes the calls goes on.
  if (signal.aborted) return;
  await sidecar.sockets.begin();
  before.ready();
}

interface Renewing {
  /** Another process has taken over. */
  readonly succeeded: Promise<void>;
  /** Resolves when none is on its way that shares the sockets, and takes nobody. */
  readonly settled: () => Promise<void>;
}

function renewed(
  { flags, host }: Invocation,
  { agent: { clock }, logger }: Parts,
  sockets: Sockets,
  onRenewal: (tell: () => void) => void,
): Renewing {
  const words = [...thisProgram(), ...process.argv.slice(2)];
  let underWay: Promise<boolean> | undefined;
  const renew = async (): Promise<boolean> => {
    // Whoever began this would begin it anew when it ends, and another beside it.
    if (flags.isSet('end-with-input')) {
      logger.warn('sidecar: is begun anew by the agent alone: nothing takes its place');
      return false;
    }
    logger.info('sidecar: begins another in its place');
    try {
      const pid = await handOver({ words, env: host.env, clock, sockets, signal: host.signal });
      logger.info('sidecar: another has taken its place', { pid });
      return true;
    } catch (error) {
      const line = 'sidecar: goes on: nothing has taken its place';
      logger.error(line, { error: messageOf(error) });
      return false;
    }
  };
  const succeeded = new Promise<void>((resolve) => {
    onRenewal(() => {
      underWay ??= renew().then((isOver) => {
        if (isOver) resolve();
        else underWay = undefined;
        return isOver;
      });
    });
  });
  return { succeeded, settled: async () => void (await underWay) };
}

interface Parts {
  readonly agent: Agent;
  readonly logger: Logger;
  readonly limits: SidecarLimits;
  readonly wantedOf: (service: string) => Wanted;
  readonly nearness: Nearness | undefined;
}

async function partsOf({ flags, host, client }: Invocation): Promise<Parts> {
  const level = flags.text('log-level') || 'info';
  if (!isLogLevel(level)) throw new ProconsulError('invalid', `Invalid log level: ${level}`);
  const limits = {
    connectMs: durationIn(flags, 'connect-timeout', 5000),
    idleMs: durationIn(flags, 'idle-timeout', 3600_000),
    drainMs: durationIn(flags, 'drain-time', 30_000),
    tries: countIn(flags, 'tries', 3),
    maxConnections: countIn(flags, 'max-connections', 10_000),
    streamIdleMs: durationIn(flags, 'stream-idle-timeout', 300_000),
    maxBufferBytes: countIn(flags, 'max-buffers', 512) * 1024 * 1024,
  };
  // A wrong address or file is to be known at once.
  client(host.signal);
  const { ask } = new AskingInTurns(patient(askOf(client), systemClock), systemClock);
  const agent = { ask, clock: systemClock, random: systemRandom };
  const logger = createLogger({ level, json: flags.isSet('log-json') });
  const said = flags.text('zone');
  const zone = said === AGENTS_ZONE ? await ownZone(agent, logger, host.signal) : said;
  const nearness = flags.has('near') ? nearnessBy(agent, logger) : undefined;
  const wantedOf = wantedBy(flags, zone, limits.maxConnections);
  return { agent, logger, limits, wantedOf, nearness };
}

function nearnessBy(agent: Agent, logger: Logger): Nearness {
  return new Nearness(agent, ({ why: error, isToSay }) => {
    const line = 'sidecar: where nodes stand is not known anew: who was near stays so';
    if (isToSay) logger.warn(line, { error });
  });
}

/** Made for each question, so that a token or a certificate that was renewed is taken from its file. */
export function askOf(client: (signal: AbortSignal) => ApiClient): Ask {
  return (question, signal, onBegun) => {
    const { path, query, body } = question;
    return client(signal).send({
      method: body?.method ?? 'GET',
      path,
      query,
      ...(onBegun !== undefined && { onBegun }),
      ...(body !== undefined && { body: encodeJson(body.json) }),
      // Whoever has taken all of the agent's connections since then takes none of these.
      ...(isOfItself(question) && { isOfMany: true }),
    });
  };
}

/** As Consul has it in `?near=_agent`. */
const AGENTS_ZONE = '_agent';

function wantedBy(
  flags: FlagValues,
  zone: string,
  maxConnections: number,
): (service: string) => Wanted {
  const policies = policiesIn(flags);
  const protocols = protocolsIn(flags);
  const tunings = tuningsIn(flags);
  return (service) => {
    const policy = policies.get(service) ?? policies.get('') ?? 'least-requests';
    const protocol = protocols.get(service) ?? protocols.get('') ?? '';
    const tuning = tuningOf(service, tunings);
    return { service, policy, protocol, zone, maxConnections, tuning };
  };
}

async function servePlain(
  { flags }: Invocation,
  { agent, limits, wantedOf, nearness }: Parts,
  sidecar: Sidecar,
) {
  const dialTo: DialTo = (_, connectMs = limits.connectMs) => plainDial(agent.clock, connectMs);
  const upstreams = flags.all('upstream').map(upstreamIn);
  refuseStrays(flags, new Set(upstreams.map(({ service }) => service)));
  const wanted = upstreams.map(({ service, at }) => ({
    at,
    ...plainUpstream(wantedOf(service), dialTo, nearness),
  }));
  const [fault] = await sidecar.serve(wanted);
  if (fault !== undefined) throw fault;
}

/** Of a service that is named, as the flags say; else as the agent has the proxy registered. */
async function serveMesh(
  invocation: Invocation,
  { agent, logger, wantedOf }: Parts,
  mesh: MeshSidecar,
  signal: AbortSignal,
): Promise<void> {
  const { flags, host, client } = invocation;
  if (flags.has('service')) {
    const upstreams = flags.all('upstream').map(upstreamIn);
    const called = upstreams.map((each) => each.service);
    refuseStrays(flags, new Set([flags.text('service'), ...called]));
    const at = (name: string) =>
      flags.has(name) ? addressIn(name, flags.text(name)) : { host: '', port: 0 };
    await mesh.takeOver({
      service: flags.text('service'),
      serviceId: '',
      listens: at('listen'),
      program: flags.has('listen') ? at('service-addr') : { host: '', port: 0 },
      protocol: wantedOf(flags.text('service')).protocol,
      ...{ connectMs: undefined, requestMs: undefined, maxConnections: undefined },
      upstreams: upstreams.map(({ service: name, at: listens }) => {
        return { kind: 'service', name, datacenter: '', at: listens, rules: NO_CALL_RULES };
      }),
      ...{ refused: [], unheeded: [] },
    });
    return;
  }
  const id = flags.has('proxy-id')
    ? flags.text('proxy-id')
    : await proxyFor(client(host.signal), flags.text('sidecar-for'));
  const take = (json: unknown) => void mesh.takeOver(registrationIn(json));
  void followRegistration(agent, id, { take, logger, signal });
}

/** In Consul's words where there is none, or more than one. */
export async function proxyFor(api: ApiClient, serviceId: string): Promise<string> {
  const answer = await explained(
    'Failed looking up sidecar proxy info',
    api.send({ method: 'GET', path: '/v1/agent/services' }),
  );
  interface Registered {
    readonly Kind?: string;
    readonly Proxy?: { readonly DestinationServiceID?: string };
  }
  const services = Object.entries(answer.json as Readonly<Record<string, Registered>>);
  const ids = services
    .filter(
      ([, each]) => each.Kind === 'connect-proxy' && each.Proxy?.DestinationServiceID === serviceId,
    )
    .map(([id]) => id);
  const [id] = ids;
  if (id === undefined) {
    throw new ProconsulError('not-found', `No sidecar proxy registered for ${serviceId}`);
  }
  if (ids.length === 1) return id;
  const which = `Start proxy with -proxy-id and one of the following IDs: ${ids.join(', ')}`;
  const why = `More than one sidecar proxy registered for ${serviceId}.\n    ${which}`;
  throw new ProconsulError('invalid', why);
}

function untilTold(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
